package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// runScript receives the agent on a node and runs it; see its own head.
//
//go:embed run.sh
var runScript string

// What run.sh ends with when the agent has not run.
const (
	codeDamaged = 74
	codeNoPlace = 75
)

// runLimit is after how many seconds a node itself ends what was started on
// it, whatever has become of the connection.
const runLimit = 60

// agentDirectory is how the directories begin that an agent is run from.
const agentDirectory = product.PluginName + "-agent"

// Road is SSH as a road.
func (s *SSH) Road() Road { return Road{Name: RoadSSH, Fetch: s.fetch} }

// fetch logs in, sends the agent that fits the machine and brings its report;
// where no agent can be sent, it has the collector print what it can.
func (s *SSH) fetch(ctx context.Context, m *Machine) (Cargo, error) {
	client, err := s.login(ctx, m)
	if err != nil {
		return Cargo{}, err
	}
	defer func() { _ = client.Close() }()
	host, err := client.probe(ctx)
	if err != nil {
		return Cargo{}, err
	}
	binary, err := s.Binaries.For(host.machine)
	if err == nil {
		var cargo Cargo
		cargo, err = client.runAgent(ctx, host, binary, s.Args)
		if !errors.Is(err, errNoPlace) {
			return cargo, err
		}
	}
	why := err
	cargo, err := client.collect(ctx, host)
	if err != nil {
		return Cargo{}, fmt.Errorf("%w; and the collector failed: %w", why, err)
	}
	cargo.Notes = append(cargo.Notes, "the agent was not run ("+why.Error()+"); the collector was")
	return cargo, nil
}

// machineHost is what a login found.
type machineHost struct {
	machine string // uname -m
	become  string // prefix of commands that need root: sudo, or nothing
}

// probe asks what is at the other end, and whether one may become root there.
func (c *client) probe(ctx context.Context) (machineHost, error) {
	out, errOut, code, err := c.run(ctx, "uname -sm && id -u && { [ \"$(id -u)\" = 0 ] || sudo -n true; }", nil)
	if err != nil {
		return machineHost{}, err
	}
	lines := strings.Fields(string(out))
	switch {
	case len(lines) < 3 && code == 0, len(lines) > 0 && lines[0] != "Linux":
		return machineHost{}, fmt.Errorf("%s has no shell for commands of ours: it answers %q", c.user, clip(redact.Line(string(out)), 80))
	case len(lines) < 3:
		return machineHost{}, fmt.Errorf("%s cannot run commands there: %s", c.user, lastLine(errOut))
	case code != 0:
		return machineHost{}, fmt.Errorf("%s may not become root: %s", c.user, lastLine(errOut))
	}
	host := machineHost{machine: lines[1], become: "sudo -n "}
	if lines[2] == "0" {
		host.become = ""
	}
	return host, nil
}

func clip(text string, limit int) string { return text[:min(len(text), limit)] }

// errNoPlace says that a machine has no place that an agent can run from.
var errNoPlace = errors.New("no place to run the agent from")

// runAgent sends the agent and runs it. Nothing of it stays.
func (c *client) runAgent(ctx context.Context, host machineHost, binary Binary, args []string) (Cargo, error) {
	marker := rand.Text()
	words := append([]string{"sh", agentDirectory, binary.SHA256, fmt.Sprint(binary.Size/1024 + 1024), marker}, args...)
	out, errOut, code, err := c.run(ctx, host.script(runScript, words), bytes.NewReader(binary.Packed))
	cargo := Cargo{Notes: notes(errOut)}
	if err != nil {
		return cargo, err
	}
	body, agentCode, complete := between(out, marker)
	switch {
	case complete && len(bytes.TrimSpace(body)) > 0:
		cargo.Document = body
		return cargo, nil
	case complete:
		return cargo, fmt.Errorf("the agent ended with %d and reported nothing: %s", agentCode, lastLine(errOut))
	case code == codeNoPlace:
		return cargo, fmt.Errorf("%w: %s", errNoPlace, lastLine(errOut))
	case code == codeDamaged:
		return cargo, errors.New(lastLine(errOut))
	case body == nil && code != 0:
		return cargo, fmt.Errorf("the agent could not be started (exit code %d): %s", code, lastLine(errOut))
	}
	return cargo, errNotWhole
}

// collect runs the collector, as root.
func (c *client) collect(ctx context.Context, host machineHost) (Cargo, error) {
	out, errOut, code, err := c.run(ctx, host.script(Collector(), []string{"sh"}), nil)
	if err != nil {
		return Cargo{}, err
	}
	files, err := ParseCollected(out)
	if err != nil && code != 0 {
		err = fmt.Errorf("%w (exit code %d: %s)", err, code, lastLine(errOut))
	}
	return Cargo{Files: files}, err
}

// script is the command that runs a script as root with arguments: the first
// is its name. The node ends it by itself when its time is over.
func (h machineHost) script(text string, words []string) string {
	command := fmt.Sprintf("%stimeout -k 5 %d /bin/sh -c %s", h.become, runLimit, Quote(text))
	for _, word := range words {
		command += " " + Quote(word)
	}
	return command
}

// Quote makes one word of a text for a POSIX shell.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// notes are the lines of stderr that are for the user.
func notes(errOut []byte) []string {
	var found []string
	for line := range strings.Lines(string(errOut)) {
		if note, ok := strings.CutPrefix(line, "note: "); ok {
			found = append(found, redact.Line(note))
		}
	}
	return found
}

// run runs one command. What it says is bounded; it is over when the context
// is, whatever the other end does. Code is -1 when the machine gave none.
func (c *client) run(ctx context.Context, command string, stdin io.Reader) (out, errOut []byte, code int, err error) {
	session, err := c.NewSession()
	if err != nil {
		return nil, nil, -1, fmt.Errorf("SSH: %w", err)
	}
	defer func() { _ = session.Close() }()
	stdout := &capture{limit: maxOutput, strict: true, full: func() { go func() { _ = session.Close() }() }}
	stderr := &capture{limit: maxStderr}
	session.Stdin, session.Stdout, session.Stderr = stdin, stdout, stderr
	done := make(chan error, 1)
	go func() { done <- session.Run(command) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		_ = c.Client.Close()
		return nil, nil, -1, ctx.Err()
	}
	var exit *ssh.ExitError
	switch {
	case stdout.overflown():
		return nil, nil, -1, errTooMuch
	case errors.As(err, &exit):
		return stdout.Bytes(), stderr.Bytes(), exit.ExitStatus(), nil
	case err != nil && ctx.Err() != nil:
		return nil, nil, -1, ctx.Err()
	case err != nil && !errors.Is(err, io.EOF): // that: it ended well without having read all of its input
		return nil, nil, -1, fmt.Errorf("SSH: %w", err)
	}
	return stdout.Bytes(), stderr.Bytes(), 0, nil
}
