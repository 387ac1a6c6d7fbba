package release

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sandboxName tells this sandbox from others on the machine.
const sandboxName = "release"

// kubectl is the folder with the sandbox's kubectl, a real one; the sandbox is
// up until the tests end.
var kubectl string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		defer func() {
			if out, err := sandbox("down").CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "sandbox down: %v\n%s", err, out)
			}
		}()
		if out, err := sandbox("up").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "sandbox up: %v\n%s", err, out)
			return 1
		}
		out, err := sandbox("exec", "--", "sh", "-c", `readlink -f "$(command -v kubectl)"`).Output()
		if err != nil {
			fmt.Fprintln(os.Stderr, "find the sandbox's kubectl:", err)
			return 1
		}
		kubectl = filepath.Dir(strings.TrimSpace(string(out)))
		return m.Run()
	}())
}

// sandbox is a command of the sandbox's driver.
func sandbox(command string, args ...string) *exec.Cmd {
	return exec.Command(os.Getenv("EKSNODES_SANDBOX"), append([]string{command, "--name", sandboxName}, args...)...)
}

// seat is somebody who has kubectl, Krew and nothing else.
type seat struct {
	t    *testing.T
	root string // KREW_ROOT
	env  []string
}

// sit gives a new seat. The variables come besides those that all have.
func sit(t *testing.T, env ...string) *seat {
	t.Helper()
	home := t.TempDir()
	tools := filepath.Join(home, "tools")
	if err := os.Mkdir(tools, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"kubectl":      filepath.Join(kubectl, "kubectl"),
		"kubectl-krew": filepath.Join(folder(t, "EKSNODES_KREW"), "krew"),
	} {
		if err := os.Symlink(path, filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join(home, "krew")
	return &seat{t: t, root: root, env: append([]string{
		"HOME=" + home, "KREW_ROOT=" + root,
		"PATH=" + filepath.Join(root, "bin") + ":" + tools + ":/usr/local/bin:/usr/bin:/bin",
		"KUBECONFIG=" + filepath.Join(home, "none"), "AWS_EC2_METADATA_DISABLED=true",
	}, env...)}
}

// run runs a command and returns its output and exit code.
func (s *seat) run(name string, args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	cmd := exec.Command("/usr/bin/env", append([]string{name}, args...)...)
	cmd.Env = s.env
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	s.t.Logf("$ %s %s\n%s%s[exit %d]", name, strings.Join(args, " "), out.String(), errOut.String(), cmd.ProcessState.ExitCode())
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed and returns its stdout.
func (s *seat) must(name string, args ...string) string {
	s.t.Helper()
	stdout, stderr, code := s.run(name, args...)
	if code != 0 {
		s.t.Fatalf("%s %s: exit %d\n%s", name, strings.Join(args, " "), code, stderr)
	}
	return stdout
}
