package cli

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestProcessAlive: a run is told from one that has ended, also when nobody
// has waited for it, from a later process of its number, and from one on
// another machine.
func TestProcessAlive(t *testing.T) {
	if alive, known := processAlive(thisProcess()); !alive || !known {
		t.Errorf("this process: alive %v, known %v", alive, known)
	}
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	name := processName(cmd.Process.Pid)
	if alive, known := processAlive(name); !alive || !known {
		t.Errorf("a child that runs: alive %v, known %v", alive, known)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for { // it ends, and stays as long as nobody waits for it
		if alive, known := processAlive(name); !alive && known {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a child that has ended counts as alive")
		}
	}
	if _, err := os.Stat("/proc/" + strings.Split(name, "/")[1]); err != nil {
		t.Errorf("it was waited for: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if alive, known := processAlive("elsewhere/1/1"); alive || known {
		t.Errorf("another machine's: alive %v, known %v", alive, known)
	}
}
