package cloud

import (
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestConsoleLogsReadsBootProgramsAndTheBeacon(t *testing.T) {
	console := &snapshot.Console{Text: `[   12.3] nodeadm-config[1500]: {"level":"warn","msg":"Falling back to cached config..."}
-----BEGIN EKSNODES BEACON v1-----
# kubelet: activating
|E0101 "Unable to register node with API server" err="Unauthorized" node="a"
|"Container runtime network not ready" message:Network plugin returns error: cni plugin not initialized
-----END EKSNODES BEACON v1-----
`}
	node := snapshot.Node{Logs: ConsoleLogs(console)}
	for sig, where := range map[string]string{"kubelet-401": "kubelet", "nodeadm-cached-config": "console"} {
		if seen := node.Saw(sig); seen == nil || seen.Where != where || seen.Count != 1 {
			t.Errorf("%s: %+v, want once in %s", sig, seen, where)
		}
	}
	if seen := node.Saw("cni-uninitialized"); seen != nil {
		t.Errorf("noise is reported: %+v", seen)
	}
	if got := ConsoleLogs(nil); got != nil {
		t.Errorf("no console: %v", got)
	}
}
