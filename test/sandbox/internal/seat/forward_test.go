package seat

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// TestForwardSendsASignalOnce: a signal that also ends the context reaches the
// command once; a context that ends by itself ends the command by SIGTERM.
func TestForwardSendsASignalOnce(t *testing.T) {
	const once = `trap 'echo one; trap - INT TERM; kill $sleeper; wait; exec sleep 2' INT; sleep 30 & sleeper=$!; echo ready; wait`
	for name, test := range map[string]struct {
		script string
		signal bool
		want   int
	}{
		"a signal":  {once, true, 0},
		"no signal": {"echo ready; exec sleep 30", false, 128 + int(unix.SIGTERM)},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "sh", "-c", test.script)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := out.Read(make([]byte, len("ready\n"))); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			signals, stop := make(chan os.Signal, 1), make(chan struct{})
			defer close(stop)
			go forward(ctx, signals, cmd.Process, stop)
			cancel()
			if test.signal {
				signals <- unix.SIGINT
			}
			code, err := exitCode(cmd.Wait())
			if err != nil || code != test.want {
				t.Errorf("ended with %d (%v), want %d", code, err, test.want)
			}
		})
	}
}
