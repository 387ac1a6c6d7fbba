package kube

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// collected are files in memory.
type collected map[string]string

func (c collected) ReadFile(name string) ([]byte, error) {
	text, have := c[name]
	if !have {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func readOffline(t *testing.T, files collected, sections ...snapshot.Section) snapshot.Snapshot {
	t.Helper()
	conn, err := Offline(files)
	if err != nil {
		t.Fatal(err)
	}
	return gather.Run(t.Context(), snapshot.Snapshot{}, conn.Sources(sections...), nil)
}

// TestOfflineForms: kubectl prints lists of kind List, and two forms of the
// version.
func TestOfflineForms(t *testing.T) {
	for name, files := range map[string]collected{
		"kubectl version": {"kube/version.json": `{"clientVersion": {"gitVersion": "v1.30.0"}, "serverVersion": {"gitVersion": "v1.34.4-eks-1"}}`},
		"raw":             {"kube/version.json": `{"gitVersion": "v1.34.4-eks-1"}`},
	} {
		if snap := readOffline(t, files, snapshot.SectionKubeVersion); snap.Kube.ServerVersion != "v1.34.4-eks-1" {
			t.Errorf("%s: %+v", name, snap.Gaps)
		}
	}
	snap := readOffline(t, collected{"kube/nodes.json": `{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "spec": {"providerID": "aws:///us-west-2a/i-1"}}]}`}, snapshot.SectionNodes)
	if len(snap.Nodes) != 1 || snap.Nodes[0].InstanceID != "i-1" || snap.Nodes[0].Kube.Name != "a" {
		t.Errorf("%+v", snap.Nodes)
	}
	for _, name := range []string{"kube/configmap-aws-auth.yaml", "kube/configmap-aws-auth.json"} {
		snap := readOffline(t, collected{name: `{"apiVersion": "v1", "kind": "ConfigMap", "data": {"mapRoles": "[]"}}`}, snapshot.SectionAwsAuth)
		if snap.Access.AwsAuth == nil || snap.Access.AwsAuth.Data["mapRoles"] != "[]" {
			t.Errorf("%s: %+v", name, snap.Access.AwsAuth)
		}
	}
}

func TestOfflineGaps(t *testing.T) {
	for name, c := range map[string]struct {
		files   collected
		section snapshot.Section
		reason  snapshot.GapReason
		detail  string
		fix     string
	}{
		"no list":      {collected{}, snapshot.SectionNodes, snapshot.GapNoFile, "list nodes: the evidence has no kube/nodes.json", "kubectl get nodes -o json > kube/nodes.json"},
		"no ConfigMap": {collected{}, snapshot.SectionAwsAuth, snapshot.GapNoFile, "the evidence has no kube/configmap-aws-auth.yaml", "kubectl -n kube-system get configmap aws-auth -o yaml > kube/configmap-aws-auth.yaml"},
		"not YAML":     {collected{"kube/configmap-aws-auth.yaml": "data:\n  a: [\n"}, snapshot.SectionAwsAuth, snapshot.GapInvalid, "kube/configmap-aws-auth.yaml:", ""},
		"empty file":   {collected{"kube/configmap-aws-auth.yaml": ""}, snapshot.SectionAwsAuth, snapshot.GapInvalid, "kube/configmap-aws-auth.yaml: holds no object", ""},
		"cut off":      {collected{"kube/nodes.json": "{\n\"items\": ["}, snapshot.SectionNodes, snapshot.GapInvalid, "kube/nodes.json:2: unexpected end of JSON input", ""},
		"client only":  {collected{"kube/version.json": `{"clientVersion": {}}`}, snapshot.SectionKubeVersion, snapshot.GapInvalid, "says nothing of the server", ""},
	} {
		snap := readOffline(t, c.files, c.section)
		gap, _ := snap.Gap(c.section, "")
		if gap.Reason != c.reason || !strings.Contains(gap.Detail, c.detail) || gap.Fix != c.fix || strings.Contains(gap.Detail, "https://") {
			t.Errorf("%s: %+v", name, gap)
		}
	}
}

// TestOfflineCNI: that aws-node is in no list means that there is none; the
// role of its service account is read off its pods.
func TestOfflineCNI(t *testing.T) {
	daemonsets := `{"items": [{"metadata": {"namespace": "kube-system", "name": "aws-node"}, "spec": {"template": {"spec": {"containers": [{"name": "aws-node", "image": "x/amazon-k8s-cni:v1.20.4"}]}}}}]}`
	pods := func(env string) string {
		return `{"items": [{"metadata": {"namespace": "kube-system", "name": "aws-node-x"}, "spec": {"serviceAccountName": "aws-node", "containers": [{"name": "aws-node", "env": [` + env + `]}]}}]}`
	}
	for name, c := range map[string]struct {
		files  collected
		onNode bool
	}{
		"another CNI":        {collected{"kube/daemonsets.json": `{"items": []}`}, false},
		"role of its own":    {collected{"kube/daemonsets.json": daemonsets, "kube/pods.json": pods(`{"name": "AWS_ROLE_ARN", "value": "arn:x"}`)}, false},
		"on the node":        {collected{"kube/daemonsets.json": daemonsets, "kube/pods.json": pods(``)}, true},
		"accounts collected": {collected{"kube/daemonsets.json": daemonsets, "kube/serviceaccounts.json": `{"items": [{"metadata": {"namespace": "kube-system", "name": "aws-node", "annotations": {"eks.amazonaws.com/role-arn": "arn:x"}}}]}`}, false},
	} {
		snap := readOffline(t, c.files, snapshot.SectionCNI)
		if snap.Kube.CNIPolicyOnNode == nil || *snap.Kube.CNIPolicyOnNode != c.onNode {
			t.Errorf("%s: %v, %+v", name, snap.Kube.CNIPolicyOnNode, snap.Gaps[0])
		}
	}
}

func TestSelected(t *testing.T) {
	event := map[string]any{"type": "Warning", "involvedObject": map[string]any{"kind": "Node"}}
	for fields, want := range map[string]bool{"": true, "type=Warning": true, "involvedObject.kind=Node,type=Warning": true, "involvedObject.kind=Pod": false, "type.x=y": false} {
		if got := selected(event, fields); got != want {
			t.Errorf("%q: %v", fields, got)
		}
	}
}
