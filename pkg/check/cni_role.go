package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	docCNIRole     = "https://docs.aws.amazon.com/eks/latest/userguide/cni-iam-role.html"
	podIdentity    = "eks-pod-identity-agent"
	serviceAccount = "system:serviceaccount:kube-system:aws-node"
)

// cniRoleChecks are about the VPC CNI's own role, where it has one: by its
// service account (IRSA) or by EKS Pod Identity.
func cniRoleChecks() []Check {
	const (
		cluster = snapshot.SectionCluster
		cni     = snapshot.SectionCNI
		role    = snapshot.SectionCNIRole
		nodes   = snapshot.SectionNodes
		pods    = snapshot.SectionSystemPods
	)
	return []Check{
		{
			ID: "cni.iam-trust", Title: "VPC CNI's role trusts its service account",
			Why:  "The role must let the cluster's own OIDC issuer assume it, for the service account aws-node, and the account must know the issuer. A role made for a former cluster trusts that one's issuer.",
			Ref:  docCNIRole,
			Link: LinkCNI, Needs: sections(cluster, cni), Uses: sections(role), Cluster: cniTrust,
		},
		{
			ID: "cni.iam-policy", Title: "VPC CNI's role may give addresses to pods",
			Why:  "With a role of its own, the VPC CNI does not use the node's: AmazonEKS_CNI_Policy must be on that one.",
			Ref:  docCNIRole,
			Link: LinkCNI, Needs: sections(cluster, cni), Uses: sections(role), Cluster: cniRolePolicy,
		},
		{
			ID: "cni.iam-pod", Title: "VPC CNI's pod has its role",
			Why:  "EKS's webhook hands the role to pods when they are made. A pod that is older than the annotation, or was made while the webhook failed, works with the node's role instead.",
			Ref:  docCNIRole,
			Link: LinkCNI, Needs: sections(nodes, cni, pods), Path: true, Node: cniPodRole,
		},
		{
			ID: "cni.pod-identity-agent", Title: "EKS Pod Identity's agent runs",
			Why:  "Pods with EKS Pod Identity get their credentials from an agent on the same node, an add-on of its own.",
			Ref:  "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html",
			Link: LinkCNI, Needs: sections(nodes, pods, snapshot.SectionDaemonSets), Path: true, Node: podIdentityAgent,
		},
	}
}

// noCNIRole passes where there is no role to judge.
func noCNIRole(s *snapshot.Snapshot) []Result {
	if s.Kube.CNIVersion == "" {
		return nil
	}
	return pass("the VPC CNI has no role of its own by its service account", fact("serviceaccount kube-system/aws-node", "no annotation eks.amazonaws.com/role-arn"))
}

func cniTrust(s *snapshot.Snapshot) []Result {
	arn := s.Kube.CNIRoleARN
	if arn == "" {
		return noCNIRole(s)
	}
	role := s.CNIRole
	if role == nil {
		return unread(s, "", snapshot.SectionCNIRole)
	}
	annotation := fact("serviceaccount kube-system/aws-node", "eks.amazonaws.com/role-arn: "+arn)
	if role.Missing {
		return fail(report.Certain, fmt.Sprintf("role %s of the VPC CNI's service account does not exist", arn), do("name one that does", fmt.Sprintf(
			"kubectl -n kube-system annotate serviceaccount aws-node --overwrite eks.amazonaws.com/role-arn=%s", "ROLE"), "kubectl -n kube-system rollout restart daemonset aws-node"),
			annotation, fact("iam:GetRole", "no such role"))
	}
	issuer := strings.TrimPrefix(s.Cluster.OIDCIssuer, "https://")
	if issuer == "" || role.TrustPolicy == "" {
		return nil
	}
	found := []report.Evidence{annotation, fact("eks:DescribeCluster", "issuer "+issuer)}
	if !slices.Contains(s.OIDCProviders, issuer) {
		return fail(report.Certain, "the account does not know the cluster's OIDC issuer, and IAM takes no tokens from it", do("make a provider for it", fmt.Sprintf(
			"aws iam create-open-id-connect-provider --url %s --client-id-list sts.amazonaws.com", s.Cluster.OIDCIssuer)), append(found, fact("iam:ListOpenIDConnectProviders", fmt.Sprintf("%d providers, none is the cluster's", len(s.OIDCProviders))))...)
	}
	found = append(found, fact("iam:GetRole", "trust policy "+role.TrustPolicy))
	fix := do("trust the cluster's issuer for "+serviceAccount, fmt.Sprintf("aws iam update-assume-role-policy --role-name %s --policy-document '%s'", role.Name, cniTrustPolicy(s, issuer)))
	switch trustsIssuer(role.TrustPolicy, issuer) {
	case trustsOther:
		return fail(report.Certain, fmt.Sprintf("role %s does not trust the cluster's OIDC issuer", role.Name), fix, found...)
	case trustsOthers:
		return fail(report.Likely, fmt.Sprintf("role %s trusts the cluster's issuer, but not for the service account kube-system/aws-node", role.Name), fix, found...)
	}
	return pass(fmt.Sprintf("role %s trusts the cluster's issuer", role.Name), found...)
}

func cniTrustPolicy(s *snapshot.Snapshot, issuer string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:%s:iam::%s:oidc-provider/%s"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"%s:sub":"%s","%s:aud":"sts.amazonaws.com"}}}]}`,
		s.Target.Partition, s.Target.AccountID, issuer, issuer, serviceAccount, issuer)
}

// trust is how far a role trusts an issuer.
type trust int

const (
	trustsOther  trust = iota // not at all
	trustsOthers              // for other service accounts
	trustsIt
)

// trustsIssuer reads a trust policy as STS does for AssumeRoleWithWebIdentity:
// the provider's ARN ends in the issuer, and what stands under issuer:sub must
// be the service account.
func trustsIssuer(document, issuer string) trust {
	var policy trustPolicy
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return trustsOther
	}
	best := trustsOther
	for i := range policy.Statement {
		statement := &policy.Statement[i]
		var principal struct{ Federated oneOrMany[string] }
		if statement.Effect == "Deny" || !statement.permits("sts:AssumeRoleWithWebIdentity") || json.Unmarshal(statement.Principal, &principal) != nil {
			continue
		}
		if !slices.ContainsFunc(principal.Federated, func(arn string) bool { return strings.HasSuffix(arn, ":oidc-provider/"+issuer) }) {
			continue
		}
		level := trustsIt
		if subjects := statement.subjects(issuer + ":sub"); len(subjects) > 0 && !slices.ContainsFunc(subjects, func(pattern string) bool { return wildcard(pattern, serviceAccount) }) {
			level = trustsOthers
		}
		best = max(best, level)
	}
	return best
}

// subjects are the values of a condition's key, whichever way it compares.
func (s *trustStatement) subjects(key string) []string {
	var values []string
	for operator, conditions := range s.Condition {
		if strings.HasPrefix(operator, "StringNot") {
			continue
		}
		values = append(values, conditions[key]...)
	}
	return values
}

func cniRolePolicy(s *snapshot.Snapshot) []Result {
	if s.Kube.CNIRoleARN == "" {
		return noCNIRole(s)
	}
	if s.CNIRole == nil {
		return unread(s, "", snapshot.SectionCNIRole)
	}
	if s.CNIRole.Missing {
		return nil // cni.iam-trust says so
	}
	return cniPermission(s.Cluster.IPFamily).judge(roleUse{arn: s.CNIRole.ARN, role: s.CNIRole}, report.Fail)
}

func cniPodRole(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	pod := podOn(s, n.Kube.Name, vpcCNI)
	if pod == nil {
		return nil
	}
	if s.Kube.CNIRoleARN == "" {
		return pass("it needs none by its service account", fact("kube/pods", pod.Name))
	}
	found := []report.Evidence{
		fact("serviceaccount kube-system/aws-node", "eks.amazonaws.com/role-arn: "+s.Kube.CNIRoleARN),
		fact("kube/pods", fmt.Sprintf("%s: AWS_ROLE_ARN %q, Pod Identity %t", pod.Name, pod.RoleARN, pod.PodIdentity)),
	}
	if pod.RoleARN == s.Kube.CNIRoleARN || pod.PodIdentity {
		return pass("it does", found...)
	}
	summary := "the VPC CNI's pod has not got the role that its service account names"
	if pod.RoleARN != "" {
		summary = "the VPC CNI's pod has another role than its service account names"
	}
	restart := do("make the pods anew", "kubectl -n kube-system rollout restart daemonset aws-node")
	if s.Kube.CNIPolicyOnNode != nil && pod.Ready {
		return warn(report.Likely, summary, restart, found...)
	}
	return fail(report.Likely, summary, restart, found...)
}

func podIdentityAgent(s *snapshot.Snapshot, n *snapshot.Node) []Result {
	if n.Kube == nil {
		return nil
	}
	pod := podOn(s, n.Kube.Name, vpcCNI)
	if pod == nil {
		return nil
	}
	found := fact("kube/pods", fmt.Sprintf("%s: Pod Identity %t", pod.Name, pod.PodIdentity))
	if !pod.PodIdentity {
		return pass("the VPC CNI does not use it", found)
	}
	addon := do("install the agent, and see that it runs on the node", fmt.Sprintf(
		"aws eks create-addon --region %s --cluster-name %s --addon-name %s", s.Target.Region, s.Target.ClusterName, podIdentity),
		"kubectl -n kube-system get pods -o wide -l app.kubernetes.io/name="+podIdentity)
	if s.Kube.System.DaemonSet("kube-system", podIdentity) == nil {
		return fail(report.Likely, "the VPC CNI uses EKS Pod Identity, and its agent is not installed", addon, found, fact("kube/daemonsets", "no kube-system/"+podIdentity))
	}
	agent := podOn(s, n.Kube.Name, podIdentity)
	if agent == nil || agent.Ready || s.CollectedAt.Sub(n.Kube.CreatedAt) < joinTime {
		return pass("the agent is installed", found)
	}
	return fail(report.Likely, "the VPC CNI uses EKS Pod Identity, and its agent on the node is not Ready", addon, found, fact("kube/pods", agent.Name+": "+agent.Phase+", not Ready"))
}
