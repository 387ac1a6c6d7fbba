package nodegroup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestEveryInstanceIsAsFarAsItIs(t *testing.T) {
	running := snapshot.Instance{State: "running", Zone: "us-west-2a"}
	kubeNode := func(name, id, ready string) snapshot.KubeNode {
		node := snapshot.KubeNode{Name: name, ProviderID: "aws:///us-west-2a/" + id}
		if ready != "" {
			node.Conditions = []snapshot.Condition{{Type: "Ready", Status: ready, Reason: "KubeletNotReady", Message: "cni plugin not initialized"}}
		}
		return node
	}
	held := kubeNode("held", "i-held", "True")
	held.Taints = []snapshot.Taint{{Key: "dedicated", Effect: "NoSchedule"}, {Key: snapshot.TaintNotReady, Effect: "NoExecute"}}
	tainted := kubeNode("tainted", "i-tainted", "True") // by its owner: that keeps nobody waiting
	tainted.Taints = held.Taints[:1]
	instances := map[string]snapshot.Instance{
		"i-held": running, "i-tainted": running,
		"i-pending": {State: "pending"}, "i-running": running, "i-new": running, "i-notready": running, "i-ready": running,
		"i-gone": {State: "terminated", StateReason: "Server.SpotInstanceTermination"},
	}
	nodes := []snapshot.KubeNode{
		kubeNode("new", "i-new", ""), kubeNode("notready", "i-notready", "False"), kubeNode("ready", "i-ready", "True"),
		kubeNode("i-running", "i-elsewhere", "True"), // the name is no proof, the providerID is
		kubeNode("gone", "i-gone", "True"), held, tainted,
	}
	got := observe([]string{"i-unknown", "i-pending", "i-running", "i-new", "i-notready", "i-ready", "i-gone", "i-held", "i-tainted"}, instances, nodes)
	want := []Member{
		{"i-gone", "", StageGone, "gone", "", "terminated Server.SpotInstanceTermination", false},
		{"i-held", "us-west-2a", StageRegistered, "registered", "held", "the control plane has not taken the taint node.kubernetes.io/not-ready off yet", false},
		{"i-new", "us-west-2a", StageRegistered, "registered", "new", "the kubelet has not reported its condition yet", false},
		{"i-notready", "us-west-2a", StageRegistered, "registered", "notready", "KubeletNotReady: cni plugin not initialized", false},
		{"i-pending", "", StageRequested, "requested", "", "EC2 has not started it yet", false},
		{"i-ready", "us-west-2a", StageReady, "Ready", "ready", "", false},
		{"i-running", "us-west-2a", StageRunning, "running", "", "no Node object has its providerID yet", false},
		{"i-tainted", "us-west-2a", StageReady, "Ready", "tainted", "", false},
		{"i-unknown", "", StageRequested, "requested", "", "EC2 has not started it yet", false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if got, want := tally(got, 10), "2 of 10 Ready, 3 registered, 1 running, 2 requested, 2 not launched"; got != want {
		t.Errorf("tally is %q, want %q", got, want)
	}
}

func TestALaunchThatFailedIsSeen(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	activity := func(id, status string, minute int) snapshot.Activity {
		return snapshot.Activity{ID: id, Status: status, Description: "Launching a new EC2 instance", StartedAt: at.Add(time.Duration(minute) * time.Minute)}
	}
	terminating := snapshot.Activity{ID: "t", Status: "Failed", Description: "Terminating EC2 instance: i-1"}
	tests := map[string]struct {
		activities []snapshot.Activity // newest first
		known      map[string]bool
		want       string
	}{
		"none":                          {nil, nil, ""},
		"under way":                     {[]snapshot.Activity{activity("1", "InProgress", 0)}, nil, ""},
		"failed":                        {[]snapshot.Activity{activity("1", "Failed", 0)}, nil, "1"},
		"failed, tried again":           {[]snapshot.Activity{activity("2", "InProgress", 1), activity("1", "Failed", 0)}, nil, "1"},
		"failed, then went well":        {[]snapshot.Activity{activity("2", "Successful", 1), activity("1", "Failed", 0)}, nil, ""},
		"failed beside one that went":   {[]snapshot.Activity{activity("2", "Successful", 0), activity("1", "Failed", 0)}, nil, "1"},
		"failed before a rerun":         {[]snapshot.Activity{activity("1", "Failed", 0)}, map[string]bool{"1": true}, ""},
		"failed again after a rerun":    {[]snapshot.Activity{activity("2", "Failed", 1), activity("1", "Failed", 0)}, map[string]bool{"1": true}, "2"},
		"a termination is not a launch": {[]snapshot.Activity{terminating}, nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if failed := failedLaunch(test.activities, test.known); failed != nil {
				got = failed.ID
			}
			if got != test.want {
				t.Errorf("failed launch is %q, want %q", got, test.want)
			}
		})
	}
}
