// Package seat puts commands where a sandbox's user sits: in the network namespace
// "laptop", with the user's kubeconfig and AWS keys and with nothing of the machine's
// environment. It also enters nodes.
package seat

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

//go:embed aws.sh
var awsScript string

// AWS is the program "aws" of the seat: the AWS CLI, run by the python of its
// virtual environment, but for `aws eks get-token`.
func AWS(python string) string { return strings.ReplaceAll(awsScript, "@PYTHON@", python) }

// Profile is what commands at the seat are given. The supervisor writes it when
// it knows the secrets.
type Profile struct {
	Home       string
	Path       string // folder before the system's in the search path
	ResolvConf string // file to mount over /etc/resolv.conf
	AWSCA      string // PEM file
	Kubeconfig string

	AccessKeyID, SecretAccessKey string
}

func profilePath(s layout.Sandbox) string { return s.Path("seat.json") }

// Write stores the profile in the sandbox's state.
func (p Profile) Write(s layout.Sandbox) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("write seat: %w", err)
	}
	if err := os.WriteFile(profilePath(s), text, 0o600); err != nil {
		return fmt.Errorf("write seat: %w", err)
	}
	return nil
}

// Load reads the profile of a running sandbox.
func Load(s layout.Sandbox) (Profile, error) {
	text, err := os.ReadFile(profilePath(s))
	if err != nil {
		return Profile{}, fmt.Errorf("sandbox %s is not ready: %w", s.Name, err)
	}
	var p Profile
	if err := json.Unmarshal(text, &p); err != nil {
		return Profile{}, fmt.Errorf("read seat: %w", err)
	}
	return p, nil
}

// PathEnv names a folder that comes first in the seat's search path: programs
// under test are found there.
const PathEnv = "EKSNODES_SANDBOX_PATH"

// Environ is the whole environment of a command at the seat. Of the caller's own only
// what describes the terminal is kept.
func (p Profile) Environ(getenv func(string) string) []string {
	path := p.Path
	if first := getenv(PathEnv); first != "" {
		path = first + ":" + path
	}
	env := []string{
		"PATH=" + path + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + p.Home,
		"USER=root",
		"KUBECONFIG=" + p.Kubeconfig,
		"AWS_ACCESS_KEY_ID=" + p.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + p.SecretAccessKey,
		"AWS_REGION=" + layout.Region,
		"AWS_DEFAULT_REGION=" + layout.Region,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=",
		// Go's crypto/x509 and OpenSSL read the one, AWS's SDKs and CLI the other.
		"SSL_CERT_FILE=" + p.AWSCA,
		"AWS_CA_BUNDLE=" + p.AWSCA,
	}
	for _, name := range []string{"TERM", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES", "LANG"} {
		if v := getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
