package groupconfig

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChanges(t *testing.T) {
	have, want := New("a").Spec, New("a").Spec
	have.Labels, want.Labels = map[string]string{"team": "a", "tier": "x"}, map[string]string{"team": "b"}
	have.Taints = []string{"k=v:NoSchedule"}
	size := 100
	want.VolumeSize = &size
	have.AMI, want.AMI = "ami-1", "ami-1"
	want.KubeletConfig = map[string]any{"maxPods": 5.0}
	have.NodeConfig = "password"
	want.PreBootstrap = []string{"export TOKEN=s3cret"}
	got, err := Changes(&have, &want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Change{
		{Name: "volumeSize", Want: "100"},
		{Name: "labels", Have: "team=a, tier=x", Want: "team=b"},
		{Name: "taints", Have: "k=v:NoSchedule"},
		{Name: "preBootstrap", Want: "19 bytes, sha256 87ae7548…"},
		{Name: "kubeletConfig", Want: `{"maxPods":5}`},
		{Name: "nodeConfig", Have: "8 bytes, sha256 5e884898…"},
	}, got); diff != "" {
		t.Error(diff)
	}
	if same, err := Changes(&have, &have); len(same) != 0 || err != nil {
		t.Errorf("%v, %v of the same", same, err)
	}
}
