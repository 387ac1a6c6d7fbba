package product_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

const module = "github.com/" + product.Owner + "/" + product.Binary

// imported is a package with what it imports itself and through others.
type imported struct {
	path   string
	direct []string
	all    []string
}

// list asks the go tool about packages.
func list(t *testing.T, patterns ...string) []imported {
	t.Helper()
	args := append([]string{"list", "-f", `{{.ImportPath}}|{{join .Imports " "}}|{{join .Deps " "}}`}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []imported
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		packages = append(packages, imported{
			path: strings.TrimPrefix(fields[0], module+"/"), direct: strings.Fields(fields[1]), all: strings.Fields(fields[2]),
		})
	}
	return packages
}

// within reports whether a package is one of the roots or below one.
func within(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return path == root || strings.HasPrefix(path, root+"/") })
}

// TestPurePackagesDoNoIO: facts, rules, plans and texts can be judged and
// tested without a machine, a network or a clock that ticks.
func TestPurePackagesDoNoIO(t *testing.T) {
	pure := []string{"pkg/snapshot", "pkg/check", "pkg/report", "pkg/redact", "pkg/signature", "pkg/print", "pkg/product", "pkg/authmap", "pkg/access", "pkg/userdata", "pkg/stack", "pkg/groupconfig", "pkg/nodegroup", "pkg/host/hostfile", "pkg/hostreport", "pkg/yamlsize"}
	patterns := make([]string, 0, len(pure))
	for _, path := range pure {
		patterns = append(patterns, "./"+path)
	}
	packages := list(t, patterns...)
	if len(packages) != len(pure) {
		t.Fatalf("%d packages listed, %d named", len(packages), len(pure))
	}
	for _, p := range packages {
		for _, dep := range p.direct {
			if within(dep, "os", "net", "syscall", "os/exec", "io/ioutil", "path/filepath", "golang.org/x/sys") && !within(dep, "net/url", "net/netip", "net/mail", "net/textproto") {
				t.Errorf("%s imports %s", p.path, dep)
			}
		}
		for _, dep := range p.all {
			if within(dep, "net/http", "os/exec", "k8s.io/client-go", "github.com/aws/aws-sdk-go-v2") {
				t.Errorf("%s depends on %s", p.path, dep)
			}
			if own, ok := strings.CutPrefix(dep, module+"/"); ok && !within(own, pure...) {
				t.Errorf("%s depends on %s", p.path, own)
			}
		}
	}
}

// TestFactsAndVerdictsStandAlone: what is saved and mailed depends on nothing
// that could change its form.
func TestFactsAndVerdictsStandAlone(t *testing.T) {
	for _, p := range list(t, "./pkg/snapshot", "./pkg/report") {
		for _, dep := range p.all {
			if strings.Contains(strings.Split(dep, "/")[0], ".") && dep != module+"/pkg/product" {
				t.Errorf("%s depends on %s", p.path, dep)
			}
		}
	}
}

// TestSDKsStayAtTheEdge: AWS and Kubernetes are spoken to in one package each.
func TestSDKsStayAtTheEdge(t *testing.T) {
	edges := map[string][]string{
		"github.com/aws/aws-sdk-go-v2": {"pkg/cloud", "pkg/host", "pkg/token"}, // a node asks for its own identity
		"github.com/aws/smithy-go":     {"pkg/cloud", "pkg/host"},
		"github.com/godbus/dbus":       {"pkg/host"},
		"k8s.io/client-go":             {"pkg/kube"},
	}
	for _, p := range list(t, "./pkg/...", "./cmd/...") {
		for _, dep := range p.direct {
			for sdk, allowed := range edges {
				if within(dep, sdk) && !within(p.path, allowed...) {
					t.Errorf("%s imports %s: only %s may", p.path, dep, strings.Join(allowed, ", "))
				}
			}
		}
	}
}

// TestBinariesStaySmall: genericclioptions, resource and drain bring in
// kustomize, which turns the linker's pruning of methods off and multiplies
// the plugin's size; the clientset brings in every kind of Kubernetes.
func TestBinariesStaySmall(t *testing.T) {
	for _, p := range list(t, "./cmd/...") {
		for _, dep := range p.all {
			if within(dep, "k8s.io/cli-runtime/pkg/genericclioptions", "k8s.io/cli-runtime/pkg/resource", "k8s.io/client-go/kubernetes", "k8s.io/kubectl", "k8s.io/kubernetes", "sigs.k8s.io/kustomize") {
				t.Errorf("%s depends on %s", p.path, dep)
			}
		}
	}
}

// TestAgentIsNotThePlugin: what runs on a node carries neither a client of the
// cluster's API nor the plugin.
func TestAgentIsNotThePlugin(t *testing.T) {
	for _, p := range list(t, "./cmd/node-agent") {
		for _, dep := range p.all {
			own := strings.TrimPrefix(dep, module+"/")
			if within(dep, "google.golang.org/grpc", "k8s.io/cri-api", "github.com/coreos/go-systemd", "github.com/aws/aws-sdk-go-v2/service/ec2") {
				t.Errorf("node-agent carries %s: see docs/decisions", dep)
			}
			if within(dep, "k8s.io/client-go") && !within(dep, "k8s.io/client-go/pkg/apis/clientauthentication") || within(own, "pkg/cli", "pkg/agent", "pkg/kube", "pkg/cloud") {
				t.Errorf("node-agent depends on %s", dep)
			}
		}
	}
}

// TestNobodyIsCalledUtil keeps packages named for what they hold.
func TestNobodyIsCalledUtil(t *testing.T) {
	for _, p := range list(t, "./pkg/...", "./cmd/...") {
		if name := p.path[strings.LastIndexByte(p.path, '/')+1:]; slices.Contains([]string{"util", "utils", "common", "types", "helpers", "misc"}, name) {
			t.Errorf("%s says nothing by its name", p.path)
		}
	}
}
