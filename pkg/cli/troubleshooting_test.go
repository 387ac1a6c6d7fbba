package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// guide is what the troubleshooting page says of a link before its checks.
type guide struct {
	link  check.Link
	title string
	seen  string // what people see when it breaks here
	look  string // a command to look by hand
}

func guides() []guide {
	return []guide{
		{check.LinkTarget, "Is it the right cluster?",
			"Nodes join one cluster while you look at another: the kubeconfig and the AWS credentials mean different ones, or the cluster is not active.",
			"aws eks describe-cluster --name CLUSTER --query cluster.endpoint && kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}'"},
		{check.LinkLaunch, "Does the group launch machines?",
			"The group has fewer instances than it should, or they end as soon as they start.",
			"aws autoscaling describe-scaling-activities --auto-scaling-group-name GROUP --max-items 5"},
		{check.LinkBoot, "Does the machine boot as a node of this cluster?",
			"The instance runs, passes EC2's status checks, and no Node object appears; its console ends in a shell's or nodeadm's error.",
			"aws ec2 get-console-output --latest --output text --instance-id INSTANCE"},
		{check.LinkCredentials, "Has the machine credentials?",
			"The console or the journal says that no credentials were found, or that the instance metadata did not answer.",
			"aws ec2 describe-instances --instance-ids INSTANCE --query 'Reservations[].Instances[].[IamInstanceProfile,MetadataOptions]'"},
		{check.LinkAWSAPI, "Does it reach AWS, and may it ask?",
			"nodeadm or the kubelet waits for EC2, EKS or ECR and times out, or is told AccessDenied.",
			"aws ec2 describe-vpc-endpoints --filters Name=vpc-id,Values=VPC"},
		{check.LinkAPIServer, "Does it reach the API server?",
			"The kubelet's log says dial tcp, no such host, i/o timeout or an unknown certificate authority.",
			"aws eks describe-cluster --name CLUSTER --query cluster.resourcesVpcConfig"},
		{check.LinkAuthentication, "Does the API server know who it is?",
			"The kubelet's log says Unauthorized, or \"the server has asked for the client to provide credentials\". The node is in neither access entries nor " +
				"`aws-auth`, or in both and the wrong one counts.",
			"aws eks list-access-entries --cluster-name CLUSTER; kubectl -n kube-system get configmap aws-auth -o yaml"},
		{check.LinkAuthorisation, "May it register?",
			"The kubelet's log says Forbidden: it was recognised and lacks a group, or registers under a name that is not its own.",
			"kubectl get clusterrolebindings -o wide | grep system:node"},
		{check.LinkNodeObject, "Is there a Node object?",
			"Everything before is right as far as can be seen, and still there is no node.",
			"kubectl get nodes -o custom-columns=NODE:.metadata.name,INSTANCE:.spec.providerID"},
		{check.LinkCNI, "Does the network plugin come up?",
			"The node is NotReady with \"cni plugin not initialized\".",
			"kubectl -n kube-system get pods -l k8s-app=aws-node -o wide"},
		{check.LinkInitialized, "Did the cloud controller initialize it?",
			"The node keeps the taint node.cloudprovider.kubernetes.io/uninitialized, so that no pod is scheduled on it.",
			"kubectl get nodes -o custom-columns=NODE:.metadata.name,TAINTS:.spec.taints[*].key"},
		{check.LinkReady, "Is it Ready, and does it stay so?",
			"The node is NotReady, or Ready and not what it should be.",
			"kubectl describe node NODE"},
	}
}

// troubleshootingPage goes through the chain, link by link: what one sees, where
// to look, and the checks that look there.
func troubleshootingPage() string {
	var out strings.Builder
	fmt.Fprintf(&out, "<!-- Made of the checks by `make generate`. -->\n\n# Troubleshooting\n\n"+
		"A machine does not become a Ready node. On its way it passes twelve links, always in this order, and the first one that is broken is the\n"+
		"cause of all that fails after it. Ask the doctor; it looks at all of them and changes nothing:\n\n"+
		"```sh\n%[1]s doctor                 # all groups of the cluster\n%[1]s doctor INSTANCE        # one machine\n"+
		"%[1]s doctor --bundle FILE   # what was read, for somebody else to judge by --from FILE\n```\n\n"+
		"Or look yourself: the sections below go down the chain. Below each check stands why it matters; `%[1]s explain CHECK` says the same with what\n"+
		"it reads, and [Faults](faults.md) shows what the doctor said when real things were broken.\n", product.Command)
	checks := sortedChecks()
	for i, guide := range guides() {
		fmt.Fprintf(&out, "\n## %d. %s\n\n%s\n", i+1, guide.title, guide.seen)
		fmt.Fprintf(&out, "\n```sh\n%s\n```\n", guide.look)
		out.WriteString("\n| check | looks at | why |\n|---|---|---|\n")
		for _, c := range checks {
			if c.Link == guide.link {
				fmt.Fprintf(&out, "| [%s](checks.md#%s) | %s | %s |\n", c.ID, strings.ReplaceAll(c.ID, ".", ""), cellText(c.Title), cellText(c.Why))
			}
		}
	}
	return out.String()
}

func cellText(text string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text) }

// unguided are checks that no section of the page has.
func unguided() []string {
	var left []string
	for _, c := range check.All() {
		if !slices.ContainsFunc(guides(), func(g guide) bool { return g.link == c.Link }) {
			left = append(left, c.ID)
		}
	}
	return left
}
