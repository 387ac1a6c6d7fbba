package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"regexp"
)

// maxSocketPath is what fits into sockaddr_un.sun_path, with its final NUL.
const maxSocketPath = 107

var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// Sandbox is one sandbox on this machine: its name and where its files lie.
// Several live side by side under different names.
type Sandbox struct {
	Name  string
	Dir   string // the state directory; all of it is removed by down
	Cache string // built artefacts, shared by all sandboxes and kept
}

// New gives the sandbox's layout below the two base directories.
func New(name, stateBase, cacheBase string) (Sandbox, error) {
	if !validName.MatchString(name) {
		return Sandbox{}, fmt.Errorf("sandbox name %q: want lower-case letters, digits and dashes, at most 32", name)
	}
	s := Sandbox{Name: name, Dir: filepath.Join(stateBase, name), Cache: cacheBase}
	if n := len(s.ControlSocket()); n > maxSocketPath {
		return Sandbox{}, fmt.Errorf("state directory %s is too long for a unix socket (%d of %d bytes): set %s",
			s.Dir, n, maxSocketPath, StateDirEnv)
	}
	return s, nil
}

// CloneHash is what tells the sandboxes of one clone from another's: six
// hexadecimal digits of the repository's folder.
func CloneHash(repository string) string {
	sum := sha256.Sum256([]byte(repository))
	return hex.EncodeToString(sum[:3])
}

// Environment variables that move the base directories and set the default name.
const (
	StateDirEnv = "EKSNODES_SANDBOX_DIR"
	CacheDirEnv = "EKSNODES_SANDBOX_CACHE"
	NameEnv     = "EKSNODES_SANDBOX_NAME"
)

// Bases returns the state and cache base directories for an environment:
// the sandbox's own variables first, then XDG's, then XDG's defaults below HOME.
func Bases(getenv func(string) string) (state, cache string, err error) {
	base := func(own, xdg, fallback string) (string, error) {
		if v := getenv(own); v != "" {
			return filepath.Abs(v)
		}
		if v := getenv(xdg); filepath.IsAbs(v) {
			return filepath.Join(v, "eksnodes-sandbox"), nil
		}
		home := getenv("HOME")
		if home == "" {
			return "", fmt.Errorf("neither HOME nor %s is set", own)
		}
		return filepath.Join(home, fallback, "eksnodes-sandbox"), nil
	}
	if state, err = base(StateDirEnv, "XDG_STATE_HOME", ".local/state"); err != nil {
		return "", "", err
	}
	if cache, err = base(CacheDirEnv, "XDG_CACHE_HOME", ".cache"); err != nil {
		return "", "", err
	}
	return state, cache, nil
}

// Path joins elements to the state directory.
func (s Sandbox) Path(elem ...string) string {
	return filepath.Join(append([]string{s.Dir}, elem...)...)
}

// ControlSocket is the supervisor's control API.
func (s Sandbox) ControlSocket() string { return s.Path("control.sock") }

// Binary is the copy of the sandbox's own program that the supervisor runs from:
// the one of `go run` is gone when that ends.
func (s Sandbox) Binary() string { return s.Path("bin", "sandbox") }

// PIDFile holds the supervisor's process id as the machine sees it, for tools that
// look into the sandbox from outside.
func (s Sandbox) PIDFile() string { return s.Path("supervisor.pid") }

// Bin holds the programs of the user's seat that are no built artefacts.
func (s Sandbox) Bin() string { return s.Path("bin") }

// Log is the log file of one part: supervisor, front, moto, etcd, apiserver and so on.
func (s Sandbox) Log(part string) string { return s.Path("log", part+".log") }

// AuditLog is the API server's audit log, one JSON event a line.
func (s Sandbox) AuditLog() string { return s.Path("log", "audit.jsonl") }

// Front is where the AWS front keeps its state and its log of calls.
func (s Sandbox) Front() string { return s.Path("front") }

// AdminKubeconfig is the certificate-based way in, for the sandbox itself and for
// assertions of tests: it works whatever the authenticator says.
func (s Sandbox) AdminKubeconfig() string { return s.Path("admin.kubeconfig") }

// Home is the user's home directory in the seat.
func (s Sandbox) Home() string { return s.Path("home") }

// UserKubeconfig is the user's kubeconfig, as `aws eks update-kubeconfig` writes it.
func (s Sandbox) UserKubeconfig() string { return filepath.Join(s.Home(), ".kube", "config") }

// PKI holds the keys and certificates: see package pki for the names.
func (s Sandbox) PKI() string { return s.Path("pki") }

// AWSCA is the certificate of the throw-away CA that signs AWS's host names.
func (s Sandbox) AWSCA() string { return filepath.Join(s.PKI(), "aws-ca.crt") }

// Node is the directory of one instance's node: upper layer, console log and so on.
func (s Sandbox) Node(instanceID string) string { return s.Path("nodes", instanceID) }

// Cgroup is the sandbox's cgroup in every hierarchy, relative to its root.
func (s Sandbox) Cgroup() string { return "eksnodes-" + s.Name }

// NodeCgroup is the cgroup of one instance's node, relative to a hierarchy's root.
func (s Sandbox) NodeCgroup(instanceID string) string {
	return filepath.Join(s.Cgroup(), instanceID)
}
