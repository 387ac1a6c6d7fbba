package check

import (
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func kubeNode(edit func(*snapshot.KubeNode)) snapshottest.Edit {
	return machine(func(n *snapshot.Node) { edit(n.Kube) })
}

func runs(edit func(*snapshot.System)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { edit(&s.Kube.System) }
}

// says sets the first node's Ready condition, in the kubelet's words.
func says(status, reason, message string) snapshottest.Edit {
	return kubeNode(func(n *snapshot.KubeNode) {
		n.Conditions = []snapshot.Condition{{Type: "Ready", Status: status, Reason: reason, Message: message}}
	})
}

// noNetwork is what a kubelet says before a CNI plugin has set up the node.
func noNetwork() snapshottest.Edit {
	return says("False", "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized")
}

// podIs edits the first node's pod of a DaemonSet.
func podIs(owner string, edit func(*snapshot.Pod)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		if pod := podOn(s, s.Nodes[0].Kube.Name, owner); pod != nil {
			edit(pod)
		}
	}
}

func elsewhere(p *snapshot.Pod) { p.Node = "another" }

func waits(reason, message string) func(*snapshot.Pod) {
	return func(p *snapshot.Pod) {
		p.Ready = false
		p.Containers[0] = snapshot.PodContainer{Name: "c", Waiting: reason, Message: message, Restarts: 5, ExitCode: 1}
	}
}

func nodeRuleRows() []ruleRow {
	edits := func(edits ...snapshottest.Edit) []snapshottest.Edit { return edits }
	at := snapshottest.Now()
	const name, id = "ip-i-0000000000000000a.us-west-2.compute.internal", "i-0000000000000000a"
	twin := func(providerID string, state string) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			old := snapshot.Node{InstanceID: snapshot.InstanceIDFromProviderID(providerID), Kube: &snapshot.KubeNode{Name: name, ProviderID: providerID, CreatedAt: at.Add(-48 * time.Hour)}}
			if state != "" {
				old.Cloud = &snapshot.Instance{State: state}
			}
			s.Nodes = append(s.Nodes, old)
		}
	}
	taint := func(key string, age time.Duration) snapshottest.Edit {
		return kubeNode(func(n *snapshot.KubeNode) {
			n.CreatedAt = at.Add(-age)
			n.Taints = []snapshot.Taint{{Key: key, Effect: "NoSchedule"}}
		})
	}
	removed := runs(func(s *snapshot.System) {
		s.Events = []snapshot.Event{{Kind: "Node", Object: name, Reason: "DeletingNode", Last: at.Add(-time.Hour), Message: "Deleting node " + name + " because it does not exist in the cloud provider"}}
	})
	condition := func(kind, status string) snapshottest.Edit {
		return kubeNode(func(n *snapshot.KubeNode) {
			n.Conditions = append(n.Conditions, snapshot.Condition{Type: kind, Status: status, Reason: "Why"})
		})
	}
	return []ruleRow{
		{"node.removed", "there", nil, report.Pass, "is there"},
		{"node.removed", "by the cloud controller", edits(machine(unregistered), removed), report.Fail, "removed node " + name},
		{"node.warm", "stopped in the pool", edits(warm("stopped")), report.Pass, "it is no node"},
		{"node.warm", "running in the pool, and joined", edits(func(s *snapshot.Snapshot) {
			kube := s.Nodes[0].Kube
			warm("running")(s)
			s.Nodes[0].Kube = kube
		}), report.Warn, "is in a warm pool and has a Node object"},
		{"node.stale-twin", "none", nil, report.Pass, "there is none"},
		{"node.stale-twin", "of a machine that is gone", edits(machine(unregistered), twin("aws:///us-west-2a/i-0old", "")), report.Fail, "belongs to another machine, i-0old"},
		{"node.stale-twin", "of one that was terminated", edits(machine(unregistered), twin("aws:///us-west-2a/i-0old", "terminated")), report.Fail, "belongs to another machine"},
		{"node.provider-id", "right", nil, report.Pass, "it does"},
		{"node.provider-id", "none", edits(machine(unregistered), twin("", "")), report.Fail, "has no provider id"},
		{"node.provider-id", "another zone", edits(kubeNode(func(n *snapshot.KubeNode) { n.ProviderID = "aws:///us-west-2d/" + id })), report.Fail, "names zone us-west-2d"},
		{"node.initialized", "yes", nil, report.Pass, "it has"},
		{"node.initialized", "for an hour not", edits(taint(snapshot.TaintUninitialized, time.Hour)), report.Fail, "does not initialize"},
		{"node.initialized", "for a minute not", edits(taint(snapshot.TaintUninitialized, time.Minute)), report.Warn, "not initialized the node yet"},
		{"node.heartbeat", "fresh", nil, report.Pass, "reports"},
		{"node.heartbeat", "lost", edits(says("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")), report.Fail, "stopped reporting"},
		{"node.heartbeat", "overdue", edits(runs(func(s *snapshot.System) { s.Leases[0].Renewed = at.Add(-2 * time.Minute) })), report.Warn, "overdue"},
		{"node.runtime", "works", nil, report.Pass, "nothing against"},
		{"node.runtime", "down", edits(says("False", "KubeletNotReady", "container runtime is down")), report.Fail, "does not work"},
		{"node.runtime", "only the network", edits(noNetwork()), report.Pass, "nothing against"},
		{"node.network", "up", nil, report.Pass, "nothing against"},
		{"node.network", "down", edits(noNetwork()), report.Fail, "no CNI plugin has set up"},
		{"node.ready", "yes", nil, report.Pass, "it is"},
		{"node.ready", "no", edits(says("False", "KubeletNotReady", "anything")), report.Fail, "not Ready"},
		{"node.ready", "says nothing", edits(kubeNode(func(n *snapshot.KubeNode) { n.Conditions = nil })), report.Warn, "not said yet"},
		{"node.pressure", "none", nil, report.Pass, "no pressure"},
		{"node.pressure", "disk", edits(condition("DiskPressure", "True")), report.Warn, "DiskPressure"},
		{"node.monitor", "fine", nil, report.Pass, "no condition"},
		{"node.monitor", "kernel", edits(condition("KernelReady", "False")), report.Warn, "KernelReady is False"},
		{"node.cordoned", "no", nil, report.Pass, "it does"},
		{"node.cordoned", "yes", edits(kubeNode(func(n *snapshot.KubeNode) { n.Unschedulable = true })), report.Warn, "cordoned"},
		{"node.startup-taints", "none", nil, report.Pass, "none is left"},
		{"node.startup-taints", "cilium", edits(taint("node.cilium.io/agent-not-ready", time.Hour)), report.Warn, "cilium's agent has not"},
		{"node.startup-taints", "still starting", edits(taint("node.cilium.io/agent-not-ready", time.Minute)), report.Pass, "none is left"},
	}
}

func cniRuleRows() []ruleRow {
	edits := func(edits ...snapshottest.Edit) []snapshottest.Edit { return edits }
	at := snapshottest.Now()
	noPlugin := runs(func(s *snapshot.System) { s.DaemonSets = s.DaemonSets[1:] })
	event := func(age time.Duration) snapshottest.Edit {
		return runs(func(s *snapshot.System) {
			s.Events = []snapshot.Event{{
				Kind: "DaemonSet", Object: vpcCNI, Type: "Warning", Reason: "FailedCreate", Last: at.Add(-age),
				Message: `Error creating: Internal error occurred: failed calling webhook "a.policy": no endpoints available for service "policy"`,
			}}
			s.Webhooks = []snapshot.Webhook{{Config: "policy", Name: "a.policy", FailClosed: true}}
		})
	}
	short := runs(func(s *snapshot.System) { s.DaemonSets[0].Ready = 1 })
	csr := func(state string, age time.Duration) snapshottest.Edit {
		return runs(func(s *snapshot.System) {
			c := s.CSRs[0]
			c.State, c.CreatedAt = state, at.Add(-age)
			s.CSRs = append(s.CSRs, c)
		})
	}
	kubelet := func(version string) snapshottest.Edit {
		return kubeNode(func(n *snapshot.KubeNode) { n.KubeletVersion = version })
	}
	return []ruleRow{
		{"cni.installed", "the VPC CNI", nil, report.Pass, "it has aws-node"},
		{"cni.installed", "none", edits(noPlugin, noNetwork()), report.Fail, "no CNI plugin is installed"},
		{"cni.installed", "one that is not known, and works", edits(noPlugin), report.Pass, "all the same"},
		{"cni.scheduled", "there", edits(noNetwork()), report.Pass, "it is there"},
		{"cni.scheduled", "kept off for another plugin", edits(podIs(vpcCNI, elsewhere)), report.Pass, "network is up"},
		{"cni.scheduled", "not made", edits(noNetwork(), podIs(vpcCNI, elsewhere)), report.Fail, "DaemonSet aws-node has made no pod"},
		{"cni.scheduled", "no room", edits(noNetwork(), podIs(vpcCNI, func(p *snapshot.Pod) {
			p.Phase, p.Reason, p.Containers = "Pending", "Unschedulable: too many pods", nil
		})), report.Fail, "cannot be placed"},
		{"cni.pod", "runs", nil, report.Pass, "it runs"},
		{"cni.pod", "crashes", edits(podIs(vpcCNI, waits("CrashLoopBackOff", "boom"))), report.Fail, "aws-node does not run on the node: CrashLoopBackOff"},
		{"cni.pod", "cannot be pulled", edits(podIs(vpcCNI, waits("ImagePullBackOff", "403"))), report.Fail, "cannot pull the image of aws-node"},
		{"cni.pod", "between crashes", edits(podIs(vpcCNI, waits("", "boom"))), report.Fail, "keeps restarting"},
		{"cni.kube-proxy", "runs", nil, report.Pass, "it runs"},
		{"cni.kube-proxy", "not made, and Ready", edits(podIs(kubeProxy, elsewhere)), report.Warn, "DaemonSet kube-proxy has made no pod"},
		{"cni.kube-proxy", "not installed", edits(noNetwork(), runs(func(s *snapshot.System) { s.DaemonSets = s.DaemonSets[:1] })), report.Fail, "kube-proxy is not installed"},
		{"cni.kube-proxy", "not made", edits(noNetwork(), podIs(kubeProxy, elsewhere)), report.Fail, "DaemonSet kube-proxy has made no pod"},
		{"cni.kube-proxy", "crashes", edits(podIs(kubeProxy, waits("CrashLoopBackOff", "boom"))), report.Fail, "kube-proxy does not run"},
		{"cni.webhook", "none", nil, report.Pass, "none was in the way"},
		{"cni.webhook", "keeps pods away", edits(short, event(time.Minute)), report.Fail, "webhook a.policy keeps pods of aws-node"},
		{"cni.webhook", "did for a moment", edits(event(time.Minute)), report.Warn, "webhook a.policy"},
		{"cni.webhook", "long ago", edits(short, event(3*time.Hour)), report.Pass, "none was"},
		{"cni.addresses", "many", nil, report.Pass, "200 addresses"},
		{"cni.addresses", "none", edits(noNetwork(), subnet("subnet-0privatea", func(s *snapshot.Subnet) { s.FreeAddresses = 0 })), report.Fail, "no free address for pods"},
		{"cni.addresses", "few", edits(subnet("subnet-0privatea", func(s *snapshot.Subnet) { s.FreeAddresses = 5 })), report.Warn, "nearly full"},
		{"cni.kube-proxy-version", "fits", nil, report.Pass, "kube-proxy 1.34"},
		{"cni.kube-proxy-version", "from long ago", edits(runs(func(s *snapshot.System) { s.DaemonSets[1].Image = "r.example:443/eks/kube-proxy:v1.30.0-eksbuild.3" })), report.Warn, "more than 3 versions away"},
		{"kube.version-skew", "fits", nil, report.Pass, "kubelet 1.34"},
		{"kube.version-skew", "newer", edits(kubelet("v1.35.0")), report.Warn, "is newer"},
		{"kube.version-skew", "too old", edits(kubelet("v1.30.9"), runs(func(s *snapshot.System) { s.DaemonSets[1].Image = "r.example/eks/kube-proxy:v1.32.0-eksbuild.1" })), report.Warn, "more than 3 versions older"},
		{"kube.serving-certificate", "approved", nil, report.Pass, "nothing waits"},
		{"kube.serving-certificate", "waits", edits(csr("Pending", time.Hour)), report.Warn, "waits for approval"},
		{"kube.serving-certificate", "refused", edits(csr("Denied", time.Hour)), report.Warn, "was refused"},
	}
}

// TestWhatFollowsIsFolded: a cause of this family stands first, and what
// follows from it is blocked by it.
func TestWhatFollowsIsFolded(t *testing.T) {
	const a = "i-0000000000000000a"
	for name, test := range map[string]struct {
		edits []snapshottest.Edit
		cause string
		folds []string
	}{
		"black hole":      {[]snapshottest.Edit{machine(unregistered), natRoute(func(r *snapshot.Route) { r.State = "blackhole" })}, "net.blackhole", []string{"node.absent"}},
		"closed group":    {[]snapshottest.Edit{machine(unregistered), machine(func(n *snapshot.Node) { n.Cloud.SecurityGroupIDs = []string{snapshottest.ExtraSG} })}, "net.groups-control-plane", []string{"node.absent"}},
		"no CNI":          {[]snapshottest.Edit{noNetwork(), runs(func(s *snapshot.System) { s.DaemonSets = nil })}, "cni.installed", []string{"node.network", "node.ready"}},
		"crashing CNI":    {[]snapshottest.Edit{noNetwork(), podIs(vpcCNI, waits("CrashLoopBackOff", "boom"))}, "cni.pod", []string{"node.network", "node.ready"}},
		"stopped kubelet": {[]snapshottest.Edit{says("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")}, "node.heartbeat", []string{"node.ready"}},
	} {
		t.Run(name, func(t *testing.T) {
			report := Run(snapshottest.Healthy(test.edits...), Standing())
			if report.Findings[0].Check != test.cause {
				t.Errorf("first is %s: %s", report.Findings[0].Check, report.Findings[0].Summary)
			}
			blocked := map[string]string{}
			for _, finding := range report.Findings {
				if finding.BlockedBy != "" && finding.Subjects[0] == a {
					blocked[finding.Check] = finding.BlockedBy
				}
			}
			for _, id := range test.folds {
				if blocked[id] != test.cause {
					t.Errorf("%s is blocked by %q", id, blocked[id])
				}
			}
		})
	}
}
