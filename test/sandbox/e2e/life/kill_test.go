package life

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// kill ends the plugin that runs a command on a group by SIGKILL: the plugin
// itself, not the driver that brought it to the user's seat, and not the
// kubectl drain that it may have started, which goes on by itself for as long
// as its time-out says.
func kill(t *testing.T, command, group string) {
	t.Helper()
	want := command + "\x00" + group + "\x00"
	harness.Eventually(t, 10*time.Second, func() error {
		killed := 0
		entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			return err
		}
		for _, path := range entries {
			text, err := os.ReadFile(path)
			if err != nil || !ours(text) || !bytes.Contains(text, []byte("kubectl-eksnodes\x00"+want)) {
				continue
			}
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				return err
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				return err
			}
			killed++
		}
		if killed != 1 {
			return fmt.Errorf("%d processes of %s %s were killed", killed, command, group)
		}
		return nil
	})
}

// ours reports whether a command line is of this repository's plugin: other
// sandboxes may run beside.
func ours(cmdline []byte) bool {
	dir, err := os.Getwd()
	if err != nil {
		return false
	}
	root := filepath.Clean(filepath.Join(dir, "..", "..", "..", ".."))
	return strings.HasPrefix(string(cmdline), filepath.Join(root, "bin")+"/")
}
