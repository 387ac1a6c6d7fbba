package agent

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// HostKeys decides whether a host key is a machine's. A key counts when a
// known_hosts file has it under the machine's instance id, which no other
// machine ever gets; else when the machine's console shows it, which AWS vouches
// for; else when the user says so. A key that contradicts one of the first two
// is refused, and nobody is asked.
type HostKeys struct {
	// Files are known_hosts files, read only; those that are not there do
	// not count.
	Files []string
	// Remember is a known_hosts file of our own, which is read too and which
	// verified keys are added to; "" for none.
	Remember string
	// Console reads a machine's console when Machine.Console is empty; nil
	// when nobody can.
	Console func(ctx context.Context, machine *Machine) (string, error)
	// Ask puts a question to the user; an error is a no. Nil: there is
	// nobody to ask.
	Ask func(ctx context.Context, question string) error

	mu sync.Mutex // one question at a time, one writer of the file
}

// HostKeyError says that a machine showed a key that is not to be trusted.
type HostKeyError struct {
	InstanceID string
	Got        string // fingerprint
	Want       []string
	Source     string // of Want: a file's name, or the console; "" when nothing is known
	Reason     string // with Source "": why nobody could vouch
}

// Error says what differs, and what that may mean.
func (e *HostKeyError) Error() string {
	if e.Source == "" {
		return fmt.Sprintf("the host key %s of %s cannot be verified: %s", e.Got, e.InstanceID, e.Reason)
	}
	return fmt.Sprintf("the host key %s is not that of %s: %s has %s; something else answers at its address, or somebody listens in between",
		e.Got, e.InstanceID, e.Source, strings.Join(e.Want, ", "))
}

// keyCheck is what a machine's key is compared with.
type keyCheck struct {
	keys   *HostKeys
	ctx    context.Context //nolint:containedctx // the handshake's callback has no context of its own
	m      *Machine
	want   []string // fingerprints; empty: nobody has vouched
	source string
	reason string
	algos  []string
	seen   ssh.PublicKey // the key that was accepted
	known  bool          // a file has it already
}

// of prepares the check of one machine's key. Its error is that a
// known_hosts file cannot be read.
func (h *HostKeys) of(ctx context.Context, m *Machine) (*keyCheck, error) {
	c := &keyCheck{keys: h, ctx: ctx, m: m}
	for _, file := range append(slices.Clone(h.Files), h.Remember) {
		known, err := knownKeys(file, m.InstanceID)
		if err != nil {
			return nil, err
		}
		for _, key := range known {
			c.add(key.Type(), ssh.FingerprintSHA256(key))
			c.source, c.known = file, true
		}
	}
	if c.known {
		return c, nil
	}
	console, unread := h.console(ctx, m)
	if unread != "" {
		c.reason = unread
		return c, nil
	}
	shown, err := ConsoleHostKeys(console)
	switch {
	case err != nil:
		c.reason = err.Error()
	case len(shown) == 0:
		c.reason = "no known_hosts file has it under the instance id, and the console does not show it"
	default:
		c.source = "its console"
		for _, key := range shown {
			c.add(key.Type, key.Fingerprint)
		}
	}
	return c, nil
}

// console is what the machine's console shows, or why that is not known.
func (h *HostKeys) console(ctx context.Context, m *Machine) (text, unread string) {
	if m.Console != "" || h.Console == nil {
		return m.Console, ""
	}
	text, err := h.Console(ctx, m)
	if err != nil {
		return "", "its console could not be read: " + err.Error()
	}
	return text, ""
}

func (c *keyCheck) add(keyType, fingerprint string) {
	c.want = append(c.want, fingerprint)
	algos := []string{keyType}
	if keyType == ssh.KeyAlgoRSA {
		algos = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	for _, algo := range algos {
		if !slices.Contains(c.algos, algo) {
			c.algos = append(c.algos, algo)
		}
	}
}

// algorithms are those to negotiate, so that the machine shows a key of a
// kind that is known; nil for any.
func (c *keyCheck) algorithms() []string { return c.algos }

// callback compares the key that the machine shows.
func (c *keyCheck) callback(_ string, _ net.Addr, key ssh.PublicKey) error {
	got := ssh.FingerprintSHA256(key)
	if slices.Contains(c.want, got) {
		c.seen = key
		return c.remember(key)
	}
	refused := &HostKeyError{InstanceID: c.m.InstanceID, Got: got, Want: c.want, Source: c.source, Reason: c.reason}
	if len(c.want) > 0 || c.keys.Ask == nil {
		return refused
	}
	c.keys.mu.Lock()
	err := c.keys.Ask(c.ctx, fmt.Sprintf("%s shows the %s key %s, and %s: is it its key", c.m.InstanceID, key.Type(), got, c.reason))
	c.keys.mu.Unlock()
	if err != nil {
		return refused
	}
	c.seen = key
	return c.remember(key)
}

// remember keeps a verified key for the next time, when the console may have
// moved on.
func (c *keyCheck) remember(key ssh.PublicKey) error {
	if c.known || c.keys.Remember == "" {
		return nil
	}
	c.keys.mu.Lock()
	defer c.keys.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(c.keys.Remember), 0o700); err != nil {
		return fmt.Errorf("remember the host key: %w", err)
	}
	file, err := os.OpenFile(c.keys.Remember, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("remember the host key: %w", err)
	}
	_, err = file.WriteString(KnownHostsLine(c.m.InstanceID, key) + "\n")
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("remember the host key: %w", err)
	}
	return nil
}

// KnownHostsLine is a key as known_hosts files have it.
func KnownHostsLine(name string, key ssh.PublicKey) string {
	return name + " " + key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal())
}

// knownKeys are the keys that a known_hosts file has for a name.
func knownKeys(file, name string) ([]ssh.PublicKey, error) {
	if file == "" {
		return nil, nil
	}
	if _, err := os.Stat(file); err != nil {
		return nil, nil //nolint:nilerr // a file that is not there, or not ours to read, vouches for nobody
	}
	lookup, err := knownhosts.New(file)
	if err != nil {
		return nil, fmt.Errorf("read known hosts: %w", err)
	}
	// Asked about a key that nobody has, the file names those that it has.
	var found *knownhosts.KeyError
	if err := lookup(net.JoinHostPort(name, "22"), &net.TCPAddr{}, noKey{}); !errors.As(err, &found) {
		return nil, nil
	}
	keys := make([]ssh.PublicKey, 0, len(found.Want))
	for _, known := range found.Want {
		keys = append(keys, known.Key)
	}
	return keys, nil
}

// noKey is a public key that equals no other.
type noKey struct{}

// Type is that of no key.
func (noKey) Type() string { return "none" }

// Marshal is that of no key.
func (noKey) Marshal() []byte { return []byte("none") }

// Verify verifies nothing.
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
