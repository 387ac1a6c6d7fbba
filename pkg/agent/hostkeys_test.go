package agent

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/crypto/ssh"
)

// none are the agents of a plugin that was built without.
func none() Binaries { return Binaries{files: fstest.MapFS{}} }

// compiled is a real program that reports, for where a script will not do.
func compiled(t *testing.T) Binaries {
	t.Helper()
	_, text, _ := strings.Cut(healthy, "echo '")
	text = strings.ReplaceAll(strings.TrimSuffix(text, "'\n"), `'"$1"'`, "memory")
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(`"+text+"`) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "agent"), source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return Embedded(filepath.Join(dir, "agent"))
}

// TestHostKeys: who vouches for a key, and what happens when nobody does.
func TestHostKeys(t *testing.T) {
	server := newServer(t)
	other := newSigner(t)
	file := func(t *testing.T, key ssh.PublicKey) string {
		path := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(path, []byte(KnownHostsLine(instanceID, key)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	yes := func(context.Context, string) error { return nil }
	no := func(context.Context, string) error { return errors.New("no") }
	for name, c := range map[string]struct {
		files   []ssh.PublicKey
		console string
		ask     func(context.Context, string) error
		refused string // "" when it is let through
	}{
		"known_hosts":                     {files: []ssh.PublicKey{server.key.PublicKey()}},
		"console":                         {console: consoleOf(server.key.PublicKey())},
		"console of two boots":            {console: strings.Repeat(consoleOf(server.key.PublicKey()), 2)},
		"console with fingerprints only":  {console: printsOf(server.key.PublicKey())},
		"user":                            {ask: yes},
		"known_hosts says otherwise":      {files: []ssh.PublicKey{other.PublicKey()}, console: consoleOf(server.key.PublicKey()), ask: yes, refused: "is not that of"},
		"console says otherwise":          {console: consoleOf(other.PublicKey()), ask: yes, refused: "its console has SHA256:"},
		"fingerprints say otherwise":      {console: printsOf(other.PublicKey()), ask: yes, refused: "its console has SHA256:"},
		"console contradicts itself":      {console: consoleOf(server.key.PublicKey()) + consoleOf(other.PublicKey()), refused: "different lists"},
		"a list that does not end":        {console: strings.TrimSuffix(consoleOf(server.key.PublicKey()), keysEnd+"\nlogin:\n"), refused: "cannot be verified"},
		"nobody knows, nobody to ask":     {refused: "cannot be verified: no known_hosts file has it"},
		"nobody knows, the user declines": {ask: no, refused: "cannot be verified"},
	} {
		t.Run(name, func(t *testing.T) {
			keys := &HostKeys{Ask: c.ask, Remember: filepath.Join(t.TempDir(), "deep", "known_hosts")}
			for _, key := range c.files {
				keys.Files = append(keys.Files, file(t, key))
			}
			road := roadTo(server, program(t, healthy))
			road.HostKeys = keys
			m := Machine{InstanceID: instanceID, PrivateIP: "127.0.0.1", Console: c.console}
			got, err := road.Reach(t.Context(), &m)
			if c.refused != "" {
				var refused *HostKeyError
				if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("error is %v, want %q", err, c.refused)
				}
				if result := bring(t, road.Road(), m); result.Whole() {
					t.Error("the machine was asked all the same")
				}
				return
			}
			if err != nil || got.Host != "127.0.0.1" || ssh.FingerprintSHA256(got.Key) != ssh.FingerprintSHA256(server.key.PublicKey()) {
				t.Fatalf("key %v, error %v", got, err)
			}
			// The next time nobody else needs to vouch for it.
			m.Console, keys.Ask = "", nil
			if _, err := road.Reach(t.Context(), &m); err != nil {
				t.Errorf("not remembered: %v", err)
			}
		})
	}
}

func printsOf(key ssh.PublicKey) string {
	return printsBegin + "\n256 " + ssh.FingerprintSHA256(key) + " root@node (ED25519)\n" + printsEnd + "\n"
}

func FuzzConsoleHostKeys(f *testing.F) {
	f.Add(printsBegin + "\n256 SHA256:abc root@node (ED25519)\n" + printsEnd + "\n")
	f.Add(keysBegin + "\nssh-ed25519 AAAA root\n" + keysEnd)
	f.Fuzz(func(t *testing.T, console string) {
		keys, err := ConsoleHostKeys(console)
		if err != nil {
			return
		}
		for _, key := range keys {
			if key.Type == "" || !strings.HasPrefix(key.Fingerprint, "SHA256:") {
				t.Errorf("key %+v", key)
			}
		}
	})
}
