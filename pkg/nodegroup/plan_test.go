package nodegroup

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

var update = flag.Bool("update", false, "write the golden files anew")

// request is what `add blue` with no flags asks for.
func request(edits ...func(*Request)) *Request {
	req := &Request{
		Name: "blue", InstanceType: snapshottest.Type, Family: FamilyAL2023,
		Volume:  Volume{SizeGiB: 80, Type: "gp3", Encrypted: true},
		Boot:    Boot{BeaconDelay: 4 * time.Minute},
		Stack:   StackOptions{OnFailure: "ROLLBACK"},
		Timeout: 15 * time.Minute,
	}
	for _, edit := range edits {
		edit(req)
	}
	return req
}

func mustPlan(t *testing.T, snap *snapshot.Snapshot, req *Request) *Plan {
	t.Helper()
	plan, err := Make(snap, req, Source{}, "v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestPlansAreAsTheyWere(t *testing.T) {
	configMap := func(s *snapshot.Snapshot) { s.Cluster.AuthMode = snapshot.AuthConfigMap }
	tests := map[string]struct {
		snap *snapshot.Snapshot
		req  *Request
	}{
		"defaults": {snapshottest.Healthy(), request()},
		"aws-auth": {snapshottest.Healthy(configMap), request()},
		"existing-role": {snapshottest.Healthy(), request(func(r *Request) {
			r.Identity.Role = "workers-role"
			r.Kubelet.Labels = map[string]string{"team": "a"}
			r.Kubelet.Taints = []userdata.Taint{{Key: "team", Value: "a", Effect: "NoSchedule"}}
			r.Subnets.Placement = PlacePublic
			r.AutoscalerTags = true
		})},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan := mustPlan(t, test.snap, test.req)
			plan.Stack.TemplateBody, plan.Stack.Token = "(pinned by package stack)", "(a digest of all this)"
			plan.UserData, plan.Proposed.Launch.UserData = "(pinned by package userdata)", ""
			got, err := json.MarshalIndent(struct {
				*Plan
				Proposed snapshot.Group
			}{plan, plan.Proposed}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", string(got)+"\n")
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestTheSameRequestIsTheSameStackRequest(t *testing.T) {
	first, second := mustPlan(t, snapshottest.Healthy(), request()), mustPlan(t, snapshottest.Healthy(), request())
	if first.Stack.Token != second.Stack.Token {
		t.Error("the same plan has two tokens: an answer lost on the way would make two stacks")
	}
	other := mustPlan(t, snapshottest.Healthy(), request(func(r *Request) { r.Kubelet.Labels = map[string]string{"a": "b"} }))
	if first.Stack.Token == other.Stack.Token {
		t.Error("another plan has the same token: CloudFormation would take it for a repetition")
	}
	rolledBack := withStack(first, "ROLLBACK_COMPLETE")
	again := mustPlan(t, snapshottest.Healthy(rolledBack), request())
	if first.Stack.Token == again.Stack.Token {
		t.Error("the plan after a deletion has the token of the one before: CloudFormation would take it for a repetition")
	}
}

// withStack puts the stack of a plan into a snapshot.
func withStack(plan *Plan, status string) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		s.Stacks = append(s.Stacks, snapshot.Stack{
			Name: plan.Stack.Name, ID: "arn:aws:cloudformation:us-west-2:111122223333:stack/" + plan.Stack.Name + "/1",
			Status: status, Parameters: plan.Stack.Parameters, Tags: plan.Stack.Tags,
			Outputs: map[string]string{outputRole: snapshottest.RoleARN, outputGroup: "asg"},
		})
	}
}

func TestARerunDiffersOnlyInWhatWasAskedFor(t *testing.T) {
	first := mustPlan(t, snapshottest.Healthy(), request())
	newerImage := func(s *snapshot.Snapshot) { s.Catalog.Images[0].ID = "ami-0newer00000000000" }
	ownCNIRole := func(s *snapshot.Snapshot) { no := false; s.Kube.CNIPolicyOnNode = &no }
	lessSubnets := func(s *snapshot.Snapshot) { s.Cluster.SubnetIDs = s.Cluster.SubnetIDs[:3] }
	tests := map[string]struct {
		edit snapshottest.Edit
		ask  func(*Request)
		want []string
	}{
		"nothing":              {nil, nil, nil},
		"a newer AMI is out":   {newerImage, nil, nil},
		"the CNI got a role":   {ownCNIRole, nil, nil},
		"the cluster's subnet": {lessSubnets, nil, nil},
		"another AMI is asked": {nil, func(r *Request) { r.ImageID = "ami-0other00000000000" }, []string{"--ami"}},
		"more nodes":           {nil, func(r *Request) { n := 7; r.Size.Desired = &n }, []string{"--desired", "--max"}},
		"another type":         {nil, func(r *Request) { r.InstanceType = "m7i.xlarge" }, []string{"--instance-type"}},
		"a label":              {nil, func(r *Request) { r.Kubelet.Labels = map[string]string{"a": "b"} }, []string{"labels, taints, boot, volume or network options"}},
		"a hop limit":          {nil, func(r *Request) { r.Network.HopLimit = 1 }, []string{"labels, taints, boot, volume or network options"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			edits := []snapshottest.Edit{withStack(first, "CREATE_COMPLETE")}
			if test.edit != nil {
				edits = append(edits, test.edit)
			}
			req := request()
			if test.ask != nil {
				test.ask(req)
			}
			var got []string
			for _, difference := range mustPlan(t, snapshottest.Healthy(edits...), req).Differences {
				got = append(got, difference.Setting)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAMapThatDoesNotParseStopsThePlan(t *testing.T) {
	snap := snapshottest.Healthy(func(s *snapshot.Snapshot) {
		s.Cluster.AuthMode = snapshot.AuthConfigMap
		s.Access.AwsAuth.Data["mapRoles"] = "- rolearn: [\n"
	})
	_, err := Make(snap, request(), Source{}, "v1.0.0")
	if broken := new(authmap.ParseError); !errors.As(err, &broken) {
		t.Fatalf("error is %v, want one that points at the map's line", err)
	}
}

func TestAForeignTemplateTakesOnlyWhatItDeclares(t *testing.T) {
	source := Source{Name: "theirs.yaml", Body: "Resources: {}"}
	for _, key := range []string{"ClusterName", "NodeImageId", "Subnets", "NodeVolumeSize", "NodeVolumeType", "KeyName"} {
		source.Summary.Parameters = append(source.Summary.Parameters, stack.Declared{Key: key, Type: "String", Default: new(string)})
	}
	plan, err := Make(snapshottest.Healthy(), request(), source, "v1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"ClusterName": "demo", "NodeImageId": snapshottest.Image, "Subnets": "subnet-0privatea,subnet-0privateb",
		"NodeVolumeSize": "80", "NodeVolumeType": "gp3",
	}
	if diff := cmp.Diff(want, plan.Stack.Parameters); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	_, err = Make(snapshottest.Healthy(), request(func(r *Request) { r.Kubelet.Labels = map[string]string{"a": "b"} }), source, "v1.0.0")
	if err == nil || !strings.Contains(err.Error(), "node labels") {
		t.Errorf("error is %v, want it to name the labels that the template cannot express", err)
	}
}

func TestStackNames(t *testing.T) {
	if name, err := StackName("my_cluster", "blue"); err != nil || name != "eksnodes-my-cluster-blue" {
		t.Errorf("got %q, %v", name, err)
	}
	if _, err := StackName(strings.Repeat("c", 100), strings.Repeat("g", 30)); err == nil {
		t.Error("a name that CloudFormation refuses is allowed")
	}
}
