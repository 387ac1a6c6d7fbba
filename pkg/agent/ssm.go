package agent

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/evidence"
)

// CommandRunner runs a shell script on a machine by SSM Run Command and
// returns what it printed: at most 24,000 characters.
type CommandRunner interface {
	RunCommand(ctx context.Context, instanceID, script string, timeout time.Duration) (stdout, stderr string, err error)
	// Online says which of the machines can be sent commands.
	Online(ctx context.Context, instanceIDs []string) (map[string]bool, error)
}

// SSM is the road through AWS Systems Manager. Script and output stay in its
// history, so neither holds anything secret.
type SSM struct {
	Runner CommandRunner
	// AgentURL is where a machine may fetch the agent, and AgentSHA256 the
	// program's sha256; both "" for nowhere.
	AgentURL, AgentSHA256 string
	// Machines are all that may be asked: one call says which are online.
	Machines []string
}

// commandTimeout is how long a script may run on a machine.
const commandTimeout = 60 * time.Second

// Road is SSM as a road.
func (s SSM) Road() Road {
	var once sync.Once
	var online map[string]bool
	var err error
	return Road{Name: RoadSSM, Fetch: func(ctx context.Context, m *Machine) (Cargo, error) {
		once.Do(func() { online, err = s.Runner.Online(ctx, s.Machines) })
		switch {
		case err != nil:
			return Cargo{}, err
		case !online[m.InstanceID]:
			return Cargo{}, errors.New("its SSM agent is not online")
		}
		return s.fetch(ctx, m)
	}}
}

func (s SSM) fetch(ctx context.Context, m *Machine) (Cargo, error) {
	out, errOut, err := s.Runner.RunCommand(ctx, m.InstanceID, s.script(), commandTimeout)
	if err != nil {
		return Cargo{}, err
	}
	cargo := Cargo{Notes: notes([]byte(errOut))}
	if cargo.Document, err = printedReport([]byte(out)); err == nil {
		return cargo, nil
	}
	if !errors.Is(err, errNotPrinted) {
		return cargo, err
	}
	cargo.Files, err = ParseCollected([]byte(out))
	if errors.Is(err, evidence.ErrNotCollected) {
		err = fmt.Errorf("the command said nothing of use: %s", lastLine([]byte(out+"\n"+errOut)))
	}
	return cargo, err
}

// sha256Hex is what a sha256 looks like.
var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Validate checks the address of the agent.
func (s SSM) Validate() error {
	switch address, err := url.Parse(s.AgentURL); {
	case s.AgentURL == "" && s.AgentSHA256 == "":
		return nil
	case err != nil || address.Scheme != "https" || address.Host == "" || address.User != nil:
		return fmt.Errorf("agent URL %q: use https://HOST/PATH, without a password: it stays in SSM's history", s.AgentURL)
	case address.RawQuery != "":
		return errors.New("agent URL: a query may hold a signature, and would stay in SSM's history: use an address without one")
	case !sha256Hex.MatchString(s.AgentSHA256):
		return fmt.Errorf("agent sha256 %q: use 64 hex digits, as sha256sum prints them", s.AgentSHA256)
	}
	return nil
}

// places are where an agent may be installed: directories of root's.
const places = "/usr/local/bin/node-agent /usr/bin/node-agent /opt/bin/node-agent"

// script runs the agent that is there, else one that it fetches, else the
// collector.
func (s SSM) script() string {
	var out strings.Builder
	out.WriteString("report() {\n" +
		"  out=$(timeout 45 \"$1\" report --compact 2>/dev/null </dev/null | gzip -9c | base64) && [ ${#out} -gt 60 ] || return 1\n" +
		"  printf 'node-agent v1\\n%s\\nnode-agent end\\n' \"$out\"\n}\n")
	fmt.Fprintf(&out, "for program in %s; do\n  [ -x $program ] && report $program && exit 0\ndone\n", places)
	if s.AgentURL != "" {
		fmt.Fprintf(&out, "dir=$(umask 077 && mktemp -d /run/%s.$$.XXXXXXXX) && trap 'rm -rf \"$dir\"' EXIT && trap 'exit 129' HUP INT TERM &&\n"+
			"  curl -fsSL --proto =https --max-time 30 --max-filesize %d -o \"$dir/node-agent\" %s &&\n"+
			"  printf '%%s  %%s\\n' %s \"$dir/node-agent\" | sha256sum -c --quiet - && chmod 700 \"$dir/node-agent\" && report \"$dir/node-agent\" && exit 0\n"+
			"echo 'note: the agent could not be fetched and run from --agent-url; the collector was' >&2\n",
			agentDirectory, maxProgram, Quote(s.AgentURL), Quote(s.AgentSHA256))
	}
	out.WriteString(Collector())
	return out.String()
}

// errNotPrinted says that no agent's report stands in an output.
var errNotPrinted = errors.New("no report of an agent")

// printedReport takes the agent's report out of a script's output.
func printedReport(out []byte) ([]byte, error) {
	_, rest, found := bytes.Cut(out, []byte("node-agent v1\n"))
	if !found {
		return nil, errNotPrinted
	}
	packed, _, found := bytes.Cut(rest, []byte("\nnode-agent end"))
	if !found {
		return nil, errNotWhole
	}
	raw, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(packed), nil)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotWhole, err)
	}
	document, err := gunzip(raw, maxOutput)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotWhole, err)
	}
	return document, nil
}
