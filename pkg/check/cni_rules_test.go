package check

import (
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/signature"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func setting(name, value string) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		if s.Kube.CNISettings == nil {
			s.Kube.CNISettings = map[string]string{}
		}
		s.Kube.CNISettings[name] = value
	}
}

// ownRole gives the VPC CNI a role of its own, by its service account, that is
// right in all, after the edits.
func ownRole(edits ...func(*snapshot.Role)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		no := false
		role := snapshot.Role{
			ARN: "arn:aws:iam::111122223333:role/demo-cni", Name: "demo-cni", TrustPolicy: cniTrustPolicy(s, snapshottest.Issuer),
			Policies: &snapshot.RolePolicies{Attached: []string{"arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"}},
		}
		s.Kube.CNIRoleARN, s.Kube.CNIPolicyOnNode, s.OIDCProviders = role.ARN, &no, []string{snapshottest.Issuer}
		for i := range s.Kube.System.Pods {
			if pod := &s.Kube.System.Pods[i]; pod.Owner == "DaemonSet/"+vpcCNI {
				pod.RoleARN = role.ARN
			}
		}
		for _, edit := range edits {
			edit(&role)
		}
		s.CNIRole = &role
	}
}

// told puts an event about the first node's pod into the cluster: a line of
// the library's, as the kubelet or the plugin says it.
func told(owner, reason, message string) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		s.Kube.System.Events = append(s.Kube.System.Events, snapshot.Event{
			Kind: "Pod", Object: podOn(s, s.Nodes[0].Kube.Name, owner).Name, Type: "Warning", Reason: reason, Message: message, Count: 4, Last: snapshottest.Now().Add(-time.Minute),
		})
	}
}

func sample(sig string) string {
	line, ok := signature.Known(sig)
	if !ok {
		panic("no line " + sig)
	}
	return line.Match[0]
}

func cniSetupRows() []ruleRow {
	edits := func(edits ...snapshottest.Edit) []snapshottest.Edit { return edits }
	custom := setting("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true")
	configs := func(list ...snapshot.ENIConfig) snapshottest.Edit {
		return func(s *snapshot.Snapshot) { s.Kube.ENIConfigs = list }
	}
	byZone := edits(custom, setting("ENI_CONFIG_LABEL_DEF", "topology.kubernetes.io/zone"), kubeNode(func(n *snapshot.KubeNode) {
		n.Labels = map[string]string{"topology.kubernetes.io/zone": "us-west-2a"}
	}), func(s *snapshot.Snapshot) {
		s.Nodes[1].Kube.Labels = map[string]string{"topology.kubernetes.io/zone": "us-west-2b"}
	})
	zoneA, zoneB := snapshot.ENIConfig{Name: "us-west-2a", SubnetID: "subnet-0privatea"}, snapshot.ENIConfig{Name: "us-west-2b", SubnetID: "subnet-0privateb"}
	with := func(more ...snapshottest.Edit) []snapshottest.Edit {
		return append(byZone[:len(byZone):len(byZone)], more...)
	}
	return []ruleRow{
		{"cni.eniconfig", "no custom networking", nil, report.Pass, "custom networking is off"},
		{"cni.eniconfig", "one for each zone", with(configs(zoneA, zoneB)), report.Pass, "it has us-west-2a"},
		{"cni.eniconfig", "none for the zone", with(configs(zoneB), noNetwork()), report.Fail, `no ENIConfig "us-west-2a" for the node`},
		{"cni.eniconfig", "labels are not looked at", edits(custom, configs(zoneA, zoneB), noNetwork()), report.Fail, `no ENIConfig "default" for the node`},
		{"cni.eniconfig", "annotated", edits(custom, configs(zoneA, zoneB), kubeNode(func(n *snapshot.KubeNode) {
			n.Annotations = map[string]string{nodesENIConfig: "us-west-2a"}
		}), func(s *snapshot.Snapshot) {
			s.Nodes[1].Kube.Labels = map[string]string{externalENIConfig: "us-west-2b"}
		}), report.Pass, "it has us-west-2a"},
		{"cni.eniconfig-subnet", "no custom networking", nil, report.Pass, "custom networking is off"},
		{"cni.eniconfig-subnet", "fits", with(configs(zoneA, zoneB)), report.Pass, "it fits"},
		{"cni.eniconfig-subnet", "another zone's", with(noNetwork(), configs(snapshot.ENIConfig{Name: "us-west-2a", SubnetID: "subnet-0privateb"}, zoneB)), report.Fail, "is in us-west-2b, the machine in us-west-2a"},
		{"cni.eniconfig-subnet", "another VPC's", with(noNetwork(), configs(snapshot.ENIConfig{Name: "us-west-2a", SubnetID: "subnet-0else"}, zoneB)), report.Fail, "is not in the cluster's VPC"},
		{"cni.eniconfig-subnet", "used up", with(noNetwork(), configs(zoneA, zoneB), subnet("subnet-0privatea", func(n *snapshot.Subnet) { n.FreeAddresses = 0 })), report.Fail, "has no free address for pods"},
		{"node.max-pods", "more than custom networking leaves", with(configs(zoneA, zoneB)), report.Warn, "addresses for 20"},
		{"cni.manifest-mixed", "one version", nil, report.Pass, "both are v1.20.4"},
		{"cni.manifest-mixed", "another build of it", edits(func(s *snapshot.Snapshot) { s.Kube.CNIInitVersion = "v1.20.4" }), report.Pass, "both are v1.20.4"},
		{"cni.manifest-mixed", "two versions", edits(func(s *snapshot.Snapshot) { s.Kube.CNIInitVersion = "v1.12.6-eksbuild.2" }), report.Warn, "its manifest is of two versions"},
		{"cni.iam-trust", "no role of its own", nil, report.Pass, "has no role of its own"},
		{"cni.iam-trust", "right", edits(ownRole()), report.Pass, "trusts the cluster's issuer"},
		{"cni.iam-trust", "role is gone", edits(ownRole(func(r *snapshot.Role) { r.Missing = true })), report.Fail, "does not exist"},
		{"cni.iam-trust", "a former cluster's issuer", edits(ownRole(func(r *snapshot.Role) {
			r.TrustPolicy = strings.ReplaceAll(r.TrustPolicy, "0123456789ABCDEF", "FEDCBA9876543210")
		})), report.Fail, "does not trust the cluster's OIDC issuer"},
		{"cni.iam-trust", "another service account", edits(ownRole(func(r *snapshot.Role) {
			r.TrustPolicy = strings.Replace(r.TrustPolicy, "kube-system:aws-node", "kube-system:ebs-csi", 1)
		})), report.Fail, "not for the service account"},
		{"cni.iam-trust", "by a pattern", edits(ownRole(func(r *snapshot.Role) {
			r.TrustPolicy = strings.Replace(strings.Replace(r.TrustPolicy, "StringEquals", "StringLike", 1), "kube-system:aws-node", "kube-system:*", 1)
		})), report.Pass, "trusts the cluster's issuer"},
		{"cni.iam-trust", "issuer that the account does not know", edits(ownRole(), func(s *snapshot.Snapshot) { s.OIDCProviders = nil }), report.Fail, "does not know the cluster's OIDC issuer"},
		{"cni.iam-policy", "no role of its own", nil, report.Pass, "has no role of its own"},
		{"cni.iam-policy", "attached", edits(ownRole()), report.Pass, "may give addresses"},
		{"cni.iam-policy", "not attached", edits(ownRole(func(r *snapshot.Role) { r.Policies.Attached = nil })), report.Fail, "role demo-cni may not give addresses"},
		{"cni.iam-pod", "none needed", nil, report.Pass, "needs none"},
		{"cni.iam-pod", "has it", edits(ownRole()), report.Pass, "it does"},
		{"cni.iam-pod", "older than the annotation", edits(noNetwork(), ownRole(), podIs(vpcCNI, func(p *snapshot.Pod) { p.RoleARN, p.Ready = "", false })), report.Fail, "has not got the role"},
		{"cni.iam-pod", "another role", edits(ownRole(), podIs(vpcCNI, func(p *snapshot.Pod) { p.RoleARN = "arn:aws:iam::111122223333:role/former" })), report.Warn, "has another role"},
		{"cni.pod-identity-agent", "not used", nil, report.Pass, "does not use it"},
		{"cni.pod-identity-agent", "not installed", edits(noNetwork(), podIs(vpcCNI, func(p *snapshot.Pod) { p.PodIdentity = true })), report.Fail, "its agent is not installed"},
		{"cni.pod-identity-agent", "installed", edits(podIs(vpcCNI, func(p *snapshot.Pod) { p.PodIdentity = true }), runs(withAgent)), report.Pass, "the agent is installed"},
		{"cni.pod-identity-agent", "not Ready on the node", edits(noNetwork(), podIs(vpcCNI, func(p *snapshot.Pod) { p.PodIdentity = true }), runs(withAgent), func(s *snapshot.Snapshot) {
			s.Kube.System.Pods = append(s.Kube.System.Pods, snapshot.Pod{Name: "agent-a", Owner: "DaemonSet/" + podIdentity, Node: s.Nodes[0].Kube.Name, Phase: "Pending"})
		}), report.Fail, "its agent on the node is not Ready"},
	}
}

func withAgent(s *snapshot.System) {
	s.DaemonSets = append(s.DaemonSets, snapshot.DaemonSet{Namespace: "kube-system", Name: podIdentity, Desired: 2, Ready: 2})
}

func cniEventRows() []ruleRow {
	edits := func(edits ...snapshottest.Edit) []snapshottest.Edit { return edits }
	var rows []ruleRow
	for _, check := range cniEventChecks() {
		rows = append(rows, ruleRow{check.ID, "nothing said", nil, report.Pass, "nothing says otherwise"})
	}
	return append(rows, []ruleRow{
		{"cni.sandbox-image", "the kubelet's event", edits(noNetwork(), told(vpcCNI, "FailedCreatePodSandBox", sample("sandbox-image"))), report.Fail, "cannot pull the pause image"},
		{"cni.sandbox-image", "containerd's log", edits(noNetwork(), says1("sandbox-image", nil)), report.Fail, "cannot pull the pause image"},
		{"cni.sandbox-image", "two hours ago", edits(told(vpcCNI, "FailedCreatePodSandBox", sample("sandbox-image")), runs(func(s *snapshot.System) {
			s.Events[0].Last = snapshottest.Now().Add(-2 * time.Hour)
		})), report.Pass, "nothing says"},
		{"cni.sandbox-image", "of another node's pod", edits(told(vpcCNI, "FailedCreatePodSandBox", sample("sandbox-image")), runs(func(s *snapshot.System) { s.Events[0].Object = "aws-node-else" })), report.Pass, "nothing says"},
		{"cni.no-address", "the kubelet's event", edits(told(kubeProxy, "FailedCreatePodSandBox", sample("ipamd-no-ips"))), report.Fail, "no address left for pods"},
		{"cni.prefix-fragmented", "the plugin's log", edits(says1("ipamd-no-prefix", nil)), report.Fail, "no /28 in one piece"},
		{"cni.unauthorized", "the plugin's event", edits(noNetwork(), told(vpcCNI, "MissingIAMPermissions", "Unauthorized operation: failed to call ec2:DescribeSubnets due to missing permissions.")), report.Fail, "AWS refuses the VPC CNI"},
		{"cni.api-unreachable", "the plugin's log", edits(noNetwork(), says1("ipamd-api", nil)), report.Fail, "does not reach the API server"},
		{"cni.api-unreachable", "no token", edits(noNetwork(), func(s *snapshot.Snapshot) {
			seen, err := signature.Scan(signature.IPAMD, strings.NewReader("Failed to check API server connectivity: invalid configuration: no configuration has been provided"))
			if err != nil {
				panic(err)
			}
			s.Nodes[0].Logs = seen
		}), report.Fail, "has no service account token"},
		{"cni.kube-proxy-name", "kube-proxy's log", edits(noNetwork(), says1("kube-proxy-node", nil)), report.Fail, "kube-proxy looks for node"},
	}...)
}

// capacityRows are about pods and devices.
func capacityRows() []ruleRow {
	edits := func(edits ...snapshottest.Edit) []snapshottest.Edit { return edits }
	pods := func(count int64) snapshottest.Edit {
		return kubeNode(func(n *snapshot.KubeNode) { n.Allocatable = map[string]int64{"pods": count} })
	}
	gpu := func(s *snapshot.Snapshot) { s.Catalog.InstanceTypes[0].GPU = "NVIDIA" }
	plugin := func(name string) snapshottest.Edit {
		return runs(func(s *snapshot.System) {
			s.DaemonSets = append(s.DaemonSets, snapshot.DaemonSet{Namespace: "kube-system", Name: name, Desired: 2, Ready: 2})
		})
	}
	offers := func(resource string) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			for i := range s.Nodes {
				s.Nodes[i].Kube.Allocatable[resource] = 1
			}
		}
	}
	return []ruleRow{
		{"node.max-pods", "as the type has", nil, report.Pass, "29 pods, addresses for 29"},
		{"node.max-pods", "more", edits(pods(110)), report.Warn, "takes 110 pods, and the VPC CNI has addresses for 29"},
		{"node.max-pods", "more, by prefixes", edits(pods(110), setting("ENABLE_PREFIX_DELEGATION", "true")), report.Pass, "110 pods"},
		{"node.max-pods", "more, in an IPv6 cluster", edits(pods(110), func(s *snapshot.Snapshot) { s.Cluster.IPFamily = "ipv6" }), report.Pass, "110 pods"},
		{"node.max-pods", "next to none", edits(pods(2)), report.Warn, "takes 2 pods"},
		{"node.gpu", "offered", edits(gpu, offers("nvidia.com/gpu")), report.Pass, "it does"},
		{"node.gpu", "in parts", edits(gpu, offers("nvidia.com/mig-1g.5gb")), report.Pass, "it does"},
		{"node.gpu", "by a DRA driver", edits(gpu, plugin("nvidia-dra-driver-gpu-kubelet-plugin")), report.Pass, "DRA driver"},
		{"node.gpu", "a plugin, and no device", edits(gpu, plugin("nvidia-device-plugin-daemonset")), report.Warn, "does its image have the driver"},
		{"node.gpu", "no plugin", edits(gpu), report.Warn, "no device plugin runs"},
		{"node.gpu", "Neuron", edits(func(s *snapshot.Snapshot) { s.Catalog.InstanceTypes[0].Neuron = true }, offers("aws.amazon.com/neuroncore")), report.Pass, "it does"},
	}
}

func clusterRoleRows() []ruleRow {
	role := func(edit func(*snapshot.Role)) []snapshottest.Edit {
		return []snapshottest.Edit{func(s *snapshot.Snapshot) { edit(s.ClusterRole) }}
	}
	return []ruleRow{
		{"cluster.role", "works", nil, report.Pass, "EKS may assume it"},
		{"cluster.role", "gone", role(func(r *snapshot.Role) { r.Missing = true }), report.Fail, "does not exist"},
		{"cluster.role", "trusts another service", role(func(r *snapshot.Role) { r.TrustPolicy = snapshottest.TrustPolicy }), report.Fail, "does not let EKS assume it"},
		{"cluster.role", "trusts another service for more", role(func(r *snapshot.Role) {
			r.TrustPolicy = `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:TagSession"}]}`
		}), report.Fail, "does not let EKS assume it"},
		{"cluster.role", "without its policy", role(func(r *snapshot.Role) { r.AttachedPolicies = nil }), report.Warn, "has no AmazonEKSClusterPolicy"},
		{"cluster.role", "with a policy of the account's", role(func(r *snapshot.Role) { r.AttachedPolicies = []string{"arn:aws:iam::111122223333:policy/cluster"} }), report.Pass, "it has a policy"},
	}
}

// Custom networking and IPv6 take pods' addresses from elsewhere: a machine's
// own subnet may be full.
func TestAddressesThatPodsDoNotTake(t *testing.T) {
	full := subnet("subnet-0privatea", func(s *snapshot.Subnet) { s.FreeAddresses = 0 })
	for name, edit := range map[string]snapshottest.Edit{
		"custom networking": setting("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true"),
		"IPv6":              func(s *snapshot.Snapshot) { s.Cluster.IPFamily = "ipv6" },
	} {
		if got := findings(Run(snapshottest.Healthy(full, machine(unregistered), edit), cniFitChecks()), "cni.addresses"); len(got) != 0 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// Without what custom networking needs to be judged it is unknown, and only
// where it is on.
func TestUnreadENIConfigs(t *testing.T) {
	gap := func(s *snapshot.Snapshot) {
		s.Gaps = []snapshot.Gap{{Section: snapshot.SectionENIConfigs, Reason: snapshot.GapDenied, Detail: "access denied"}, {Section: snapshot.SectionCNIRole, Reason: snapshot.GapDenied, Detail: "access denied"}}
	}
	for _, finding := range Run(snapshottest.Healthy(gap), All()).Findings {
		if finding.Status == report.Unknown {
			t.Errorf("off: %s %s", finding.Check, finding.Summary)
		}
	}
	on := Run(snapshottest.Healthy(gap, setting("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true"), func(s *snapshot.Snapshot) { s.Kube.CNIRoleARN = "arn:aws:iam::111122223333:role/demo-cni" }), All())
	for _, id := range []string{"cni.eniconfig", "cni.eniconfig-subnet", "cni.iam-trust", "cni.iam-policy"} {
		for _, finding := range findings(on, id) {
			if finding.Status != report.Unknown {
				t.Errorf("on: %s %s %s", id, finding.Status, finding.Summary)
			}
		}
	}
}
