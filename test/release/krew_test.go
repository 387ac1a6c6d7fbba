package release

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// serve plays GitHub's releases on the loopback: /TAG/ARCHIVE.
func serve(t *testing.T) (base string) {
	t.Helper()
	files := http.FileServer(http.Dir(dist(t)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		r.URL.Path = "/" + file
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// TestValidate runs the validator of krew-index's own CI, which downloads and
// installs every platform: here from the loopback, the released manifest is
// looked at only.
func TestValidate(t *testing.T) {
	s := sit(t)
	validator := filepath.Join(folder(t, "EKSNODES_KREW"), "validate-krew-manifest")
	s.must(validator, "-skip-install", "-manifest", write(t, t.TempDir(), render(t, "v0.1.0", releases)))
	_, stderr, code := s.run(validator, "-manifest", write(t, t.TempDir(), render(t, "v0.1.0", serve(t))))
	if code != 0 || !strings.Contains(stderr, "all 6 spec.platforms installed fine") {
		t.Errorf("exit %d", code)
	}
	wrong := bytes.Replace(render(t, "v0.1.0", releases), []byte("os: darwin"), []byte("os: linux"), 1)
	if _, _, code := s.run(validator, "-skip-install", "-manifest", write(t, t.TempDir(), wrong)); code == 0 {
		t.Error("two platforms for linux/amd64 are valid: the validator sees nothing")
	}
}

// TestShortDescription holds the manifest to the limit of krew-index's reviewers.
func TestShortDescription(t *testing.T) {
	for line := range strings.Lines(string(render(t, "v0.1.0", releases))) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "shortDescription:"); ok {
			if n := len(strings.TrimSpace(text)); n == 0 || n > 50 {
				t.Errorf("the short description has %d characters, at most 50 are allowed", n)
			}
			return
		}
	}
	t.Error("there is no short description")
}

// TestPlatforms installs each platform's archive from its file.
func TestPlatforms(t *testing.T) {
	manifest := write(t, t.TempDir(), render(t, "v0.1.0", releases))
	for _, archive := range plugins() {
		t.Run(archive.os+"-"+archive.arch, func(t *testing.T) {
			s := sit(t, "KREW_OS="+archive.os, "KREW_ARCH="+archive.arch)
			path := filepath.Join(dist(t), archive.name)
			s.must("kubectl", "krew", "install", "--manifest", manifest, "--archive", path)
			installed := read(t, filepath.Join(s.root, "bin", archive.binary()))
			if !bytes.Equal(installed, open(t, path)[archive.binary()].content) {
				t.Error("what is linked is not the archive's program")
			}
			read(t, filepath.Join(s.root, "store", "eksnodes", "v0.1.0", "LICENSE"))
		})
	}
}

// TestWrongArchive: another platform's archive has another hash and is refused.
func TestWrongArchive(t *testing.T) {
	s := sit(t)
	manifest := write(t, t.TempDir(), render(t, "v0.1.0", releases))
	_, stderr, code := s.run("kubectl", "krew", "install", "--manifest", manifest, "--archive", filepath.Join(dist(t), plugins()[1].name))
	if code == 0 || !strings.Contains(stderr, "checksum does not match") {
		t.Errorf("exit %d", code)
	}
}

// TestRoundTrip is a user's way: install from an index, use, upgrade, uninstall.
func TestRoundTrip(t *testing.T) {
	base, index := serve(t), newIndex(t)
	index.publish(render(t, "v0.1.0", base), "eksnodes v0.1.0")
	s := sit(t, "KREW_DEFAULT_INDEX_URI="+index.dir)

	s.must("kubectl", "krew", "update")
	if found := s.must("kubectl", "krew", "search", "eksnodes"); !strings.Contains(found, "why one does not join") {
		t.Errorf("search does not show the short description:\n%s", found)
	}
	s.must("kubectl", "krew", "install", "eksnodes")
	s.requireVersion("v0.1.0")
	s.requireDryRun()

	index.publish(render(t, "v0.2.0", base), "eksnodes v0.2.0")
	s.must("kubectl", "krew", "update")
	s.must("kubectl", "krew", "upgrade", "eksnodes")
	s.requireVersion("v0.2.0")
	if _, err := os.Stat(filepath.Join(s.root, "store", "eksnodes", "v0.1.0")); !os.IsNotExist(err) {
		t.Errorf("the old version is left: %v", err)
	}

	s.must("kubectl", "krew", "uninstall", "eksnodes")
	if _, stderr, code := s.run("kubectl", "eksnodes", "version"); code == 0 {
		t.Errorf("the plugin still runs after uninstall:\n%s", stderr)
	}
	if left, err := filepath.Glob(filepath.Join(s.root, "*", "*eksnodes*")); err != nil || len(left) > 0 {
		t.Errorf("left after uninstall: %v, %v", left, err)
	}
}

// requireVersion checks which version Krew has linked and which commit the
// program that kubectl runs was built from.
func (s *seat) requireVersion(krew string) {
	s.t.Helper()
	link, err := os.Readlink(filepath.Join(s.root, "bin", "kubectl-eksnodes"))
	if want := filepath.Join(s.root, "store", "eksnodes", krew, "kubectl-eksnodes"); err != nil || link != want {
		s.t.Errorf("krew linked %s (%v), want %s", link, err, want)
	}
	var version struct{ Commit, Platform string }
	if err := json.Unmarshal([]byte(s.must("kubectl", "eksnodes", "version", "-o", "json")), &version); err != nil {
		s.t.Fatal(err)
	}
	if want := folder(s.t, "EKSNODES_RELEASE_COMMIT"); version.Commit != want || version.Platform != "linux/amd64" {
		s.t.Errorf("the plugin says %+v, built was %s", version, want)
	}
}

// requireDryRun has the installed plugin plan a node group on the sandbox.
func (s *seat) requireDryRun() {
	s.t.Helper()
	out, err := sandbox("exec", "--path", filepath.Join(s.root, "bin"), "--", "kubectl", "eksnodes", "add", "workers", "--dry-run").CombinedOutput()
	s.t.Logf("%s", out)
	if err != nil || !bytes.Contains(out, []byte("node group workers for cluster demo")) || !bytes.Contains(out, []byte("checks:")) {
		s.t.Errorf("add --dry-run on the sandbox: %v", err)
	}
}

// index is a git repository as krew-index is one.
type index struct {
	t   *testing.T
	dir string
}

func newIndex(t *testing.T) *index {
	t.Helper()
	i := &index{t, t.TempDir()}
	i.git("init", "-q", "-b", "master")
	return i
}

func (i *index) publish(manifest []byte, message string) {
	i.t.Helper()
	write(i.t, filepath.Join(i.dir, "plugins"), manifest)
	i.git("add", "-A")
	i.git("-c", "user.name=index", "-c", "user.email=index@example.com", "commit", "-qm", message)
}

func (i *index) git(args ...string) {
	i.t.Helper()
	if out, err := exec.Command("git", append([]string{"-C", i.dir}, args...)...).CombinedOutput(); err != nil {
		i.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}
