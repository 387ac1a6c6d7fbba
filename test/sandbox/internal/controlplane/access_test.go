package controlplane

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/parts"
)

func TestBackends(t *testing.T) {
	tests := []struct {
		mode, want string
	}{
		{ModeConfigMap, "MountedFile EKSConfigMap"},
		{ModeAPIAndConfigMap, "DynamicFile EKSConfigMap"}, // an entry wins over a line of aws-auth
		{ModeAPI, "DynamicFile"},
	}
	for _, tt := range tests {
		got, err := backends(tt.mode)
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, %v, want %s", tt.mode, got, err, tt.want)
		}
	}
	if err := ValidMode("api"); err == nil {
		t.Error("mode api is none, and was taken")
	}
}

func TestDynamicFile(t *testing.T) {
	got := newDynamicFile([]Entry{
		{ARN: "arn:aws:iam::111122223333:role/NodeRole", ID: "AROA1", Username: "system:node:{{EC2PrivateDNSName}}", Groups: []string{"system:nodes"}},
		{ARN: "arn:aws:iam::111122223333:user/alice", ID: "AIDA1", Username: "alice", Policies: []string{policyPrefix + "AmazonEKSClusterAdminPolicy"}},
	}, time.Unix(1700000000, 0))
	want := dynamicFile{
		LastUpdated: "1700000000", Version: "1",
		Roles: []mapping{{RoleARN: "arn:aws:iam::111122223333:role/NodeRole", UserID: "AROA1", Username: "system:node:{{EC2PrivateDNSName}}", Groups: []string{"system:nodes"}}},
		Users: []mapping{{UserARN: "arn:aws:iam::111122223333:user/alice", UserID: "AIDA1", Username: "alice", Groups: []string{"eks-access-policy:AmazonEKSClusterAdminPolicy"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSetAccessKeepsTheFile is about the authenticator's watch: it holds the file
// itself, and loses a second when another one is put in its place.
func TestSetAccessKeepsTheFile(t *testing.T) {
	s, err := layout.New("t", t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	p := &Plane{Sandbox: s}
	if err := os.MkdirAll(p.path("authenticator"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := p.SetAccess(Access{Mode: ModeAPI, Entries: []Entry{{ARN: "arn:aws:iam::1:role/r", ID: "AROA1"}}}); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(p.accessFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SetAccess(Access{Mode: ModeConfigMap}); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(p.accessFile())
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was replaced, %v", err)
	}
	text, err := os.ReadFile(p.backendModeFile())
	if err != nil {
		t.Fatal(err)
	}
	var mode backendModeFile
	if err := json.Unmarshal(text, &mode); err != nil || mode.BackendMode != "MountedFile EKSConfigMap" {
		t.Errorf("%s, %v", text, err)
	}
	if err := p.SetAccess(Access{Mode: "NONE"}); err == nil {
		t.Error("an unknown mode gave no error")
	}
}

func TestBindings(t *testing.T) {
	subjects := map[string]string{}
	for _, b := range bindings() {
		for _, s := range b.Subjects {
			subjects[s.Name] = b.RoleRef.Name
		}
	}
	for group, role := range map[string]string{
		PolicyGroup("arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"): "cluster-admin",
		PolicyGroup("arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"):         "view",
		"system:nodes": "eks:node-bootstrapper",
	} {
		if subjects[group] != role {
			t.Errorf("group %s is bound to %q, want %q", group, subjects[group], role)
		}
	}
}

// TestNoSecretOnCommandLines: every process of the machine can read command lines.
func TestNoSecretOnCommandLines(t *testing.T) {
	s, err := layout.New("t", "/state", "/cache")
	if err != nil {
		t.Fatal(err)
	}
	p := &Plane{Sandbox: s, AWSKey: AWSKey{ID: "AKIA1", Secret: "very-secret"}}
	for _, spec := range []func() parts.Spec{p.etcd, p.apiServer, p.controllerManager, p.scheduler, p.authenticator} {
		made := spec()
		if strings.Contains(strings.Join(made.Args, " "), "very-secret") {
			t.Errorf("%s has a secret on its command line", made.Name)
		}
		if made.Netns != layout.NetControlPlane {
			t.Errorf("%s runs in namespace %q", made.Name, made.Netns)
		}
		for _, arg := range made.Args {
			if file, ok := strings.CutPrefix(arg, "--kubeconfig="); ok && !filepath.IsAbs(file) {
				t.Errorf("%s: %s is relative", made.Name, arg)
			}
		}
	}
}
