package kube

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// read gathers from the server; only gaps of sections asked for are kept.
func read(t *testing.T, server *apiServer, sections ...snapshot.Section) (snapshot.Snapshot, []snapshot.Gap) {
	t.Helper()
	conn := &Connection{Client: server.client(t)}
	snap := gather.Run(t.Context(), snapshot.Snapshot{}, conn.Sources(sections...), nil)
	var gaps []snapshot.Gap
	for _, gap := range snap.Gaps {
		if gap.Reason != snapshot.GapNotAsked {
			gaps = append(gaps, gap)
		}
	}
	return snap, gaps
}

func healthy(t *testing.T) *apiServer {
	t.Helper()
	server := newAPIServer(t, testNode("a", "i-a", corev1.ConditionTrue), testNode("b", "", corev1.ConditionTrue))
	daemon := appsv1.DaemonSet{}
	daemon.Spec.Template.Spec.InitContainers = []corev1.Container{{Name: "aws-vpc-cni-init", Image: "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni-init:v1.20.4-eksbuild.1"}}
	daemon.Spec.Template.Spec.Containers = []corev1.Container{{
		Name: "aws-node", Image: "602401143452.dkr.ecr.us-west-2.amazonaws.com:443/amazon-k8s-cni:v1.20.4-eksbuild.1@sha256:0",
		Env: []corev1.EnvVar{{Name: "ENABLE_PREFIX_DELEGATION", Value: "true"}, {Name: "SECRET", Value: "s"}},
	}}
	server.other = map[string]any{
		"/version": map[string]string{"gitVersion": "v1.34.4"},
		"/api/v1/namespaces/kube-system/configmaps/aws-auth": corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"}, Data: map[string]string{"mapRoles": "[]"},
		},
		"/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node": daemon,
		"/api/v1/namespaces/kube-system/serviceaccounts/aws-node":  corev1.ServiceAccount{},
	}
	for _, path := range systemPaths() {
		server.other[path] = map[string]any{"items": []any{}}
	}
	server.other[eniConfigPath] = map[string]any{"items": []any{map[string]any{
		"metadata": map[string]any{"name": "us-west-2a"}, "spec": map[string]any{"subnet": "subnet-a", "securityGroups": []any{"sg-a"}},
	}}}
	return server
}

func TestSources(t *testing.T) {
	snap, gaps := read(t, healthy(t))
	if len(gaps) > 0 {
		t.Fatalf("gaps %+v", gaps)
	}
	onNode := true
	if diff := cmp.Diff(snapshot.Kube{ServerVersion: "v1.34.4", CNIPolicyOnNode: &onNode, CNIVersion: "v1.20.4-eksbuild.1", CNIInitVersion: "v1.20.4-eksbuild.1",
		CNISettings: map[string]string{"ENABLE_PREFIX_DELEGATION": "true"}, ENIConfigs: []snapshot.ENIConfig{{Name: "us-west-2a", SubnetID: "subnet-a", SecurityGroupIDs: []string{"sg-a"}}},
	}, snap.Kube); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&snapshot.AwsAuth{Data: map[string]string{"mapRoles": "[]"}, ResourceVersion: "7"}, snap.Access.AwsAuth); diff != "" {
		t.Error(diff)
	}
	if len(snap.Nodes) != 2 || snap.Nodes[0].InstanceID != "i-a" || snap.Nodes[1].InstanceID != "" || snap.Nodes[1].Kube.Name != "b" {
		t.Errorf("nodes %+v", snap.Nodes)
	}
}

// A cluster without the VPC CNI does not know ENIConfigs, and has none.
func TestNoENIConfigs(t *testing.T) {
	server := healthy(t)
	delete(server.other, eniConfigPath)
	if snap, gaps := read(t, server, snapshot.SectionENIConfigs); len(gaps) > 0 || len(snap.Kube.ENIConfigs) > 0 {
		t.Errorf("gaps %+v, %+v", gaps, snap.Kube)
	}
}

// What a node has to offer, and which annotations say how it is set up.
func TestConvertNodeOffers(t *testing.T) {
	node := testNode("a", "i-a", corev1.ConditionTrue)
	node.Annotations = map[string]string{"k8s.amazonaws.com/eniConfig": "a", "mine": "secret"}
	node.Status.NodeInfo.ContainerRuntimeVersion = "containerd://2.1.4"
	node.Status.Allocatable = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("29"), corev1.ResourceCPU: resource.MustParse("2"), "nvidia.com/gpu": resource.MustParse("1")}
	got := ConvertNode(&node)
	if diff := cmp.Diff(map[string]string{"k8s.amazonaws.com/eniConfig": "a"}, got.Annotations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int64{"pods": 29, "nvidia.com/gpu": 1}, got.Allocatable); diff != "" || got.Runtime != "containerd://2.1.4" {
		t.Error(diff, got.Runtime)
	}
}

// How a pod comes by credentials is in its environment.
func TestConvertPodCredentials(t *testing.T) {
	pod := corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Env: []corev1.EnvVar{{Name: envRoleARN, Value: "arn:x"}}}, {Env: []corev1.EnvVar{{Name: envPodIdentity, Value: "http://169.254.170.23"}}}}}}
	if got := ConvertPod(&pod); got.RoleARN != "arn:x" || !got.PodIdentity {
		t.Errorf("got %+v", got)
	}
	if got := ConvertPod(&corev1.Pod{}); got.RoleARN != "" || got.PodIdentity {
		t.Errorf("got %+v", got)
	}
}

func TestRoleOfTheCNI(t *testing.T) {
	const account = "/api/v1/namespaces/kube-system/serviceaccounts/aws-node"
	server := healthy(t)
	server.other[account] = corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{roleAnnotation: "arn:aws:iam::111122223333:role/cni"}}}
	if snap, _ := read(t, server, snapshot.SectionCNI); snap.Kube.CNIPolicyOnNode == nil || *snap.Kube.CNIPolicyOnNode {
		t.Error("a CNI with a role of its own leans on the node's")
	}
	delete(server.other, account)
	if _, gaps := read(t, server, snapshot.SectionCNI); len(gaps) != 1 || gaps[0].Reason != snapshot.GapAbsent {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestAbsenceIsAFact(t *testing.T) {
	snap, gaps := read(t, newAPIServer(t), snapshot.SectionAwsAuth, snapshot.SectionCNI, snapshot.SectionNodes)
	if len(gaps) > 0 || snap.Access.AwsAuth != nil || snap.Kube.CNIPolicyOnNode == nil || *snap.Kube.CNIPolicyOnNode {
		t.Errorf("gaps %+v, kube %+v", gaps, snap.Kube)
	}
}

func TestDenialIsAGap(t *testing.T) {
	server := healthy(t)
	server.setFail(403)
	_, gaps := read(t, server)
	if len(gaps) != 6+6 {
		t.Fatalf("gaps %+v", gaps)
	}
	for _, gap := range gaps {
		if gap.Reason != snapshot.GapDenied || gap.Fix == "" {
			t.Errorf("gap %+v", gap)
		}
	}
}

func TestServerThatIsGoneIsAGap(t *testing.T) {
	server := healthy(t)
	server.Close()
	_, gaps := read(t, server, snapshot.SectionNodes)
	if len(gaps) != 1 || gaps[0].Reason != snapshot.GapUnreachable {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestNodesComeInPages(t *testing.T) {
	var nodes []corev1.Node
	for i := range 2*nodePage + 1 {
		nodes = append(nodes, testNode(fmt.Sprint("n", i), fmt.Sprint("i-", i), corev1.ConditionTrue))
	}
	server := newAPIServer(t, nodes...)
	snap, _ := read(t, server, snapshot.SectionNodes)
	if len(snap.Nodes) != len(nodes) || server.lists != 3 {
		t.Errorf("%d nodes in %d lists", len(snap.Nodes), server.lists)
	}
}

func TestConvertNode(t *testing.T) {
	added := metav1.Unix(3000, 0)
	in := testNode("a", "i-a", corev1.ConditionTrue)
	in.CreationTimestamp = metav1.Unix(1000, 0)
	in.Labels = map[string]string{"team": "x"}
	in.Spec.Unschedulable = true
	in.Spec.Taints = []corev1.Taint{{Key: "k", Value: "v", Effect: corev1.TaintEffectNoSchedule, TimeAdded: &added}}
	in.Status.NodeInfo = corev1.NodeSystemInfo{KubeletVersion: "v1.34.2", OSImage: "Amazon Linux 2023"}
	in.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.0.0.1"}, {Type: corev1.NodeHostName, Address: "a"}}
	want := snapshot.KubeNode{
		Name: "a", ProviderID: "aws:///us-west-2a/i-a", CreatedAt: in.CreationTimestamp.Time, KubeletVersion: "v1.34.2", OSImage: "Amazon Linux 2023",
		Unschedulable: true, Labels: map[string]string{"team": "x"}, InternalIPs: []string{"10.0.0.1"},
		Taints:     []snapshot.Taint{{Key: "k", Value: "v", Effect: "NoSchedule", Since: added.Time}},
		Conditions: []snapshot.Condition{{Type: "Ready", Status: "True"}},
	}
	if diff := cmp.Diff(want, ConvertNode(&in)); diff != "" {
		t.Error(diff)
	}
}
