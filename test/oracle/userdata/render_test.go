package userdata_test

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// full uses every field that AL2023 knows.
func full() userdata.Config {
	return userdata.Config{
		Cluster: userdata.Cluster{
			Name: "demo", Endpoint: "https://x.gr7.us-east-1.eks.amazonaws.com", CIDR: "10.100.0.0/16",
			CA: base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")),
		},
		Labels:            map[string]string{"team": "web", "a": "1", "b": ""},
		Taints:            []userdata.Taint{{Key: "dedicated", Value: "web", Effect: "NoSchedule"}, {Key: "spot", Effect: "PreferNoSchedule"}},
		MaxPods:           58,
		MaxPodsExpression: "max_pods + 10",
		KubeletConfig:     map[string]any{"evictionHard": map[string]any{"memory.available": "5%"}, "maxPods": 7},
		KubeletFlags:      []string{"--v=4"},
		ContainerdConfig:  "[metrics]\naddress = '127.0.0.1:1338'\n",
		LocalStorage:      "RAID0",
		FeatureGates:      map[string]bool{"FastImagePull": true},
		PreBootstrap:      []string{"echo before"},
		PostBootstrap:     []string{"echo after"},
		BeaconDelay:       userdata.DefaultBeaconDelay,
	}
}

// TestNodeadmReadsAllThatIsRendered: nodeadm ignores fields that it does not
// know, so whatever does not come back in its dump was written in vain.
func TestNodeadmReadsAllThatIsRendered(t *testing.T) {
	n := newNodeadm(t)
	document, err := userdata.AL2023(full())
	if err != nil {
		t.Fatal(err)
	}
	if got := n.check(t, document); !got.Reads || got.Missing != "" {
		t.Fatalf("%+v", got)
	}
	_, part, found := strings.Cut(string(document), "\nContent-Type: application/node.eks.aws\n\n")
	part, _, closed := strings.Cut(part, "\n--")
	if !found || !closed {
		t.Fatalf("no NodeConfig in\n%s", document)
	}
	var wrote, read any
	if err := yaml.Unmarshal([]byte(part), &wrote); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(n.dump(t, document), &read); err != nil {
		t.Fatal(err)
	}
	if lost := missingFrom(read, wrote, ""); len(lost) > 0 {
		t.Errorf("nodeadm did not read %s", strings.Join(lost, ", "))
	}
}

// missingFrom names what is in want and not in have.
func missingFrom(have, want any, path string) []string {
	fields, isMap := want.(map[string]any)
	if !isMap {
		if reflect.DeepEqual(have, want) {
			return nil
		}
		return []string{path}
	}
	var lost []string
	of, _ := have.(map[string]any)
	for key, value := range fields {
		lost = append(lost, missingFrom(of[key], value, path+"."+key)...)
	}
	return lost
}

// TestOurClusterWins: whatever the user's own NodeConfig says of the cluster,
// the machine joins the one that is meant.
func TestOurClusterWins(t *testing.T) {
	n := newNodeadm(t)
	config := full()
	config.User = [][]byte{[]byte("apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster: {name: other, cidr: 10.0.0.0/8, apiServerEndpoint: https://other}\n" +
		"  kubelet:\n    flags: [--node-labels=mine=1]\n    config: {maxPods: 3, podsPerCore: 2}\n")}
	document, err := userdata.AL2023(config)
	if err != nil {
		t.Fatal(err)
	}
	checkVerdict(t, document, n.check(t, document))
	dumped := n.dump(t, document)
	var got struct {
		Spec struct {
			Cluster userdata.Cluster
			Kubelet struct {
				Config map[string]any
				Flags  []string
			}
		}
	}
	if err := json.Unmarshal(dumped, &got); err != nil {
		t.Fatal(err)
	}
	kubelet := got.Spec.Kubelet
	if got.Spec.Cluster.Name != "demo" || got.Spec.Cluster.CIDR != "10.100.0.0/16" || kubelet.Config["maxPods"] != 58.0 || kubelet.Config["podsPerCore"] != 2.0 ||
		!reflect.DeepEqual(kubelet.Flags, []string{"--node-labels=mine=1", "--v=4", "--node-labels=a=1,b=,team=web"}) {
		t.Errorf("%s", dumped)
	}
}
