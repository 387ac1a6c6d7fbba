package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/daemon"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// What `agent install` applies is the file that kubectl apply takes, with
// another image where one is named; and the file has the product's own names.
func TestAgentManifest(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("..", "..", "deploy", "node-agent.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	same, err := agentManifest("")
	if err != nil || same != string(file) {
		t.Errorf("it is another: %v", err)
	}
	other, err := agentManifest("registry.example.com/team/node-agent@sha256:0123")
	if err != nil {
		t.Fatal(err)
	}
	before, after := strings.Split(same, "\n"), strings.Split(other, "\n")
	var changed []string
	for i := range before {
		if before[i] != after[i] {
			changed = append(changed, strings.TrimSpace(before[i]), strings.TrimSpace(after[i]))
		}
	}
	if len(before) != len(after) || len(changed) != 2 || !strings.HasPrefix(changed[0], "image: "+product.ImageRepository+":v") || changed[1] != "image: registry.example.com/team/node-agent@sha256:0123" {
		t.Errorf("changed is %q", changed)
	}
	for _, image := range []string{"a b", "x\nprivileged: true", "-x", `"x"`} {
		if _, err := agentManifest(image); err == nil {
			t.Errorf("%q is taken", image)
		}
	}
	if !strings.Contains(same, "and no other\n    expression: >-\n      object.status.?conditions.orValue([]).filter(c, c.type != \""+daemon.ConditionType+"\")") {
		t.Error("the policy is about another condition")
	}
	if !strings.Contains(same, `["serve", "--root", "/host"]`) || !strings.Contains(same, "port: "+daemon.DefaultListen[strings.LastIndexByte(daemon.DefaultListen, ':')+1:]+"\n") {
		t.Error("the kubelet asks another port for health")
	}
}
