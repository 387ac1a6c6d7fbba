package node

import (
	"bytes"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseHierarchies(t *testing.T) {
	tests := map[string]struct {
		mountinfo string
		want      []hierarchy
	}{
		"hybrid": {
			`24 1 0:22 / / rw - ext4 /dev/vda rw
30 25 0:26 / /sys/fs/cgroup rw,relatime shared:4 - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/lib/agent,name=systemd
33 30 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
34 30 0:30 / /mnt/cgroup rw,relatime - cgroup cgroup rw,pids
`,
			[]hierarchy{
				{dir: "cpu,cpuacct", fstype: "cgroup", options: "cpu,cpuacct"},
				{dir: "systemd", fstype: "cgroup", options: "none,name=systemd"},
				{dir: "unified", fstype: "cgroup2"},
			},
		},
		"version 2 only": {
			"30 25 0:26 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
			[]hierarchy{{fstype: "cgroup2"}},
		},
		"broken lines": {"nonsense\n30 25 - cgroup\n - \n", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseHierarchies(strings.NewReader(tt.mountinfo))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(hierarchy{})); diff != "" {
				t.Errorf("hierarchies (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParseHierarchies(f *testing.F) {
	f.Add("31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := parseHierarchies(strings.NewReader(text))
		for _, h := range found {
			if err == nil && h.fstype != "cgroup" && h.fstype != "cgroup2" {
				t.Errorf("hierarchy of type %q", h.fstype)
			}
		}
	})
}

func TestEndingOf(t *testing.T) {
	for status, want := range map[syscall.WaitStatus]Ending{
		syscall.WaitStatus(syscall.SIGHUP):  Rebooted,
		syscall.WaitStatus(syscall.SIGINT):  PoweredOff,
		syscall.WaitStatus(syscall.SIGKILL): Killed,
		syscall.WaitStatus(syscall.SIGSEGV): Failed,
		syscall.WaitStatus(1 << 8):          Failed, // exit status 1
	} {
		if got := endingOf(status); got != want {
			t.Errorf("endingOf(%#x) = %v, want %v", status, got, want)
		}
	}
}

// The same image gives the same bytes, which is what keeps its digest stable.
func TestContainerImageIsStable(t *testing.T) {
	image := containerImage{tag: "localhost/test:1", entrypoint: []string{"/bin/sh"}, files: []imageFile{
		{name: "bin/busybox", content: []byte("program")}, {name: "bin/sh", target: "busybox"},
	}}
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := image.write(b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two writings differ")
	}
	for _, want := range []string{`"RepoTags":["localhost/test:1"]`, `"Entrypoint":["/bin/sh"]`, "layer.tar"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("archive lacks %s", want)
		}
	}
}
