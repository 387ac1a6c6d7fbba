package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/signature"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// eventTime is how long an event is news: the API server keeps them an hour.
const eventTime = time.Hour

// cniEventChecks read what events say of a node's pods, and what the plugin
// and kube-proxy log. The words are those of the signature library.
func cniEventChecks() []Check {
	needs := sections(snapshot.SectionNodes, snapshot.SectionSystemPods, snapshot.SectionEvents)
	uses := sections(snapshot.SectionConsole)
	row := func(id, title, why, ref string, rule func(*saying) []Result) Check {
		return Check{
			ID: id, Title: title, Why: why, Ref: ref, Link: LinkCNI, Needs: needs, Uses: uses,
			Node: func(s *snapshot.Snapshot, n *snapshot.Node) []Result { return sayingOf(s, n, rule) },
		}
	}
	const docTrouble = "https://github.com/aws/amazon-vpc-cni-k8s/blob/master/docs/troubleshooting.md"
	return []Check{
		row("cni.sandbox-image", "node has the pause image",
			"Every pod starts with the pause image. Images before AL2023 pull it from ECR, and pull it anew when it was collected as garbage.",
			"https://awslabs.github.io/amazon-eks-ami/usage/al2023/", sandboxImage),
		row("cni.no-address", "pods get addresses",
			"The plugin gives a pod an address of its node's interfaces. None is left when the subnet is used up, or the type takes no more interfaces.", docTrouble, noAddress),
		row("cni.prefix-fragmented", "subnet has whole prefixes",
			"With prefix delegation the plugin needs 16 addresses in a row. A subnet can have many free addresses and no such row.",
			"https://docs.aws.amazon.com/eks/latest/best-practices/prefix-mode-linux.html", fragmented),
		row("cni.unauthorized", "AWS lets the VPC CNI do its work",
			"The plugin attaches interfaces and assigns addresses by EC2's API, with its own role or the node's, and says in an event what it was refused.",
			"https://github.com/aws/amazon-vpc-cni-k8s/blob/master/docs/iam-policy.md", cniRefused),
		row("cni.api-unreachable", "VPC CNI reaches the API server",
			"The plugin calls the API server by the address of its service, which works only where kube-proxy has set it up and the way to the control plane is open.", docTrouble, cniUnreachable),
		row("cni.kube-proxy-name", "kube-proxy knows its node",
			"kube-proxy looks its Node up by the machine's host name, or the one it is told. When that is another, it starts without the node's address.", docKubeProxy, kubeProxyName),
	}
}

// saying is what events and logs say of one node.
type saying struct {
	snap   *snapshot.Snapshot
	node   *snapshot.Node
	events []snapshot.Event // warnings about the node's pods of kube-system, recent ones
}

// sayingOf gathers it for a rule.
func sayingOf(s *snapshot.Snapshot, n *snapshot.Node, rule func(*saying) []Result) []Result {
	if n.Kube == nil {
		return nil
	}
	said := &saying{snap: s, node: n}
	for _, event := range s.Kube.System.Events {
		ours := event.Kind == "Pod" && slices.ContainsFunc(s.Kube.System.Pods, func(p snapshot.Pod) bool { return p.Name == event.Object && p.Node == n.Kube.Name })
		if ours && s.CollectedAt.Sub(event.Last) < eventTime {
			said.events = append(said.events, event)
		}
	}
	return rule(said)
}

// told finds a known line in the node's logs or in an event, with its named
// parts.
func (v *saying) told(sigs ...string) (report.Evidence, map[string]string, bool) {
	for _, sig := range sigs {
		if seen := v.node.Saw(sig); seen != nil {
			return quotedOften(seen), seen.Values, true
		}
		for _, event := range v.events {
			if values, ok := signature.Match(sig, event.Message); ok {
				return fact("kube/events", fmt.Sprintf("%s of %s, %d times: %s", event.Reason, event.Object, event.Count, event.Message)), values, true
			}
		}
	}
	return report.Evidence{}, nil, false
}

// nothing passes: a rule that waits for words heard none.
func (v *saying) nothing() []Result {
	return pass("nothing says otherwise", fact("kube/events", fmt.Sprintf("%d warnings about its pods in the last hour", len(v.events))))
}

func sandboxImage(v *saying) []Result {
	found, values, ok := v.told("sandbox-image")
	if !ok {
		return v.nothing()
	}
	return fail(report.Certain, fmt.Sprintf("the node cannot pull the pause image %s: no pod starts on it", values["image"]),
		do("give the node role AmazonEC2ContainerRegistryPullOnly and the node a way to ECR and S3; on AL2 restart sandbox-image.service, or use an AL2023 image, which has it", "journalctl -u containerd --no-pager -n 100"), found)
}

func noAddress(v *saying) []Result {
	found, _, ok := v.told("ipamd-no-ips")
	if !ok {
		return v.nothing()
	}
	return fail(report.Certain, "the VPC CNI has no address left for pods of the node",
		do("see whether the subnet is used up, else take a type with more interfaces, or give pods prefixes",
			"kubectl -n kube-system set env daemonset/aws-node ENABLE_PREFIX_DELEGATION=true WARM_PREFIX_TARGET=1"), found)
}

func fragmented(v *saying) []Result {
	found, _, ok := v.told("ipamd-no-prefix")
	if !ok {
		return v.nothing()
	}
	return fail(report.Certain, "the subnet has no /28 in one piece for pods, whatever is free in it",
		do("reserve a part of the subnet for prefixes, or use a new one", fmt.Sprintf(
			"aws ec2 create-subnet-cidr-reservation --region %s --subnet-id SUBNET --reservation-type prefix --cidr CIDR", v.snap.Target.Region)), found)
}

// cniRefused reads the plugin's event MissingIAMPermissions
// (github.com/aws/amazon-vpc-cni-k8s@v1.23.2 pkg/awsutils/awsutils.go).
func cniRefused(v *saying) []Result {
	for _, event := range v.events {
		if event.Reason == "MissingIAMPermissions" {
			return fail(report.Certain, "AWS refuses the VPC CNI what it needs", do("attach AmazonEKS_CNI_Policy to its role, or the node's where it has none", "kubectl -n kube-system describe serviceaccount aws-node"),
				fact("kube/events", fmt.Sprintf("%s of %s, %d times: %s", event.Reason, event.Object, event.Count, event.Message)))
		}
	}
	return v.nothing()
}

func cniUnreachable(v *saying) []Result {
	found, values, ok := v.told("ipamd-api")
	if !ok {
		return v.nothing()
	}
	fix := do("see that kube-proxy runs on the node and that the machine reaches the control plane", "kubectl -n kube-system get pods -o wide --field-selector spec.nodeName="+v.node.Kube.Name)
	if strings.Contains(values["why"], "no configuration has been provided") {
		return fail(report.Certain, "the VPC CNI's pod has no service account token, and cannot call the API server",
			do("let its service account mount a token (automountServiceAccountToken)", "kubectl -n kube-system get serviceaccount aws-node -o yaml"), found)
	}
	return fail(report.Likely, "the VPC CNI does not reach the API server from the node", fix, found)
}

func kubeProxyName(v *saying) []Result {
	found, values, ok := v.told("kube-proxy-node")
	if !ok {
		return v.nothing()
	}
	return fail(report.Likely, fmt.Sprintf("kube-proxy looks for node %q, which is not this one's name", values["node"]),
		do("have kube-proxy take its node's name: --hostname-override=$(NODE_NAME), with NODE_NAME from spec.nodeName", "kubectl -n kube-system edit daemonset kube-proxy"), found)
}
