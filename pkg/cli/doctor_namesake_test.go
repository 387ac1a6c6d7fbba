package cli

import (
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestNamesakes(t *testing.T) {
	object := func(id, name, ip string) snapshot.Node {
		return snapshot.Node{InstanceID: id, Kube: &snapshot.KubeNode{Name: name, InternalIPs: []string{ip}}}
	}
	waiting := snapshot.Node{InstanceID: "i-new", Cloud: &snapshot.Instance{PrivateDNSName: "ip-10-0-0-1", PrivateIP: "10.0.0.1"}}
	joined := object("i-joined", "ip-10-0-0-2", "10.0.0.2")
	joined.Cloud = &snapshot.Instance{PrivateDNSName: "ip-10-0-0-2", PrivateIP: "10.0.0.2"}
	all := []snapshot.Node{waiting, joined, object("i-old", "ip-10-0-0-1", "10.9.9.9"), object("", "other-name", "10.0.0.1"), object("i-else", "ip-10-0-0-3", "10.0.0.3"), object("i-older", "ip-10-0-0-2", "10.0.0.2")}
	got := namesakes(all, []snapshot.Node{waiting, joined})
	if len(got) != 2 || got[0].InstanceID != "i-old" || got[1].Kube.Name != "other-name" {
		t.Errorf("got %+v", got)
	}
}
