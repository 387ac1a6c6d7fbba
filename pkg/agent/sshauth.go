package agent

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// KeyPusher hands a machine a key that opens one user's door for a minute:
// EC2 Instance Connect.
type KeyPusher interface {
	PushSSHKey(ctx context.Context, instanceID, zone, user, publicKey string) error
}

// maxSigners bounds how many keys of an SSH agent are shown: sshd lets nobody
// try more than six.
const maxSigners = 5

// Login is who logs in, and by which keys.
type Login struct {
	// User to log in as; "" for the one that the machine's image has.
	User string
	// KeyFile holds a private key; with it, no other key is tried.
	KeyFile string
	// AgentSocket is where the user's SSH agent listens; "" for none.
	AgentSocket string
	// Pusher is asked when there is no key, or none that fits; nil: nobody.
	Pusher KeyPusher
}

// credential is one try to log in.
type credential struct {
	what    string // "the key FILE"
	signers func() ([]ssh.Signer, error)
	close   func()
}

// try makes a credential when it comes to it.
type try func(ctx context.Context, m *Machine, user string) (credential, error)

// credentials are the tries in their order.
func (l *Login) credentials() ([]try, error) {
	if l.KeyFile != "" {
		signer, err := readKeyFile(l.KeyFile)
		if err != nil {
			return nil, err
		}
		return []try{
			func(context.Context, *Machine, string) (credential, error) {
				return credential{what: "the key " + l.KeyFile, signers: one(signer), close: func() {}}, nil
			},
		}, nil
	}
	var tries []try
	if l.AgentSocket != "" {
		tries = append(tries, l.fromAgent)
	}
	if l.Pusher != nil {
		tries = append(tries, l.pushed)
	}
	if len(tries) == 0 {
		return nil, errors.New("no key to log in with: give --ssh-key, or start an ssh-agent")
	}
	return tries, nil
}

func one(signer ssh.Signer) func() ([]ssh.Signer, error) {
	return func() ([]ssh.Signer, error) { return []ssh.Signer{signer}, nil }
}

// fromAgent shows the keys of the user's SSH agent.
func (l *Login) fromAgent(ctx context.Context, _ *Machine, _ string) (credential, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", l.AgentSocket)
	if err != nil {
		return credential{}, fmt.Errorf("ask the ssh-agent: %w", err)
	}
	signers := func() ([]ssh.Signer, error) {
		all, err := agent.NewClient(conn).Signers()
		return all[:min(len(all), maxSigners)], err
	}
	return credential{what: "the ssh-agent's keys", signers: signers, close: func() { _ = conn.Close() }}, nil
}

// pushed makes a key for this one login. It never touches a disk.
func (l *Login) pushed(ctx context.Context, m *Machine, user string) (credential, error) {
	signer, line, _, err := newKey()
	if err != nil {
		return credential{}, err
	}
	if err := l.Pusher.PushSSHKey(ctx, m.InstanceID, m.Zone, user, line); err != nil {
		return credential{}, fmt.Errorf("push a key by EC2 Instance Connect: %w", err)
	}
	return credential{what: "a key pushed by EC2 Instance Connect", signers: one(signer), close: func() {}}, nil
}

// NewLoginKey makes a key pair for one login: the private half as a file of
// OpenSSH's, the public one as a line of authorized_keys.
func NewLoginKey() (file []byte, line string, err error) {
	_, line, file, err = newKey()
	return file, line, err
}

// newKey makes a key pair: to sign with, as a line of authorized_keys, and as
// a file of the private half.
func newKey() (signer ssh.Signer, line string, file []byte, err error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", nil, fmt.Errorf("make a key: %w", err)
	}
	if signer, err = ssh.NewSignerFromKey(private); err != nil {
		return nil, "", nil, fmt.Errorf("make a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return nil, "", nil, fmt.Errorf("make a key: %w", err)
	}
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))), pem.EncodeToMemory(block), nil
}

// readKeyFile reads a private key that has no passphrase.
func readKeyFile(path string) (ssh.Signer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the SSH key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, fmt.Errorf("the SSH key %s has a passphrase: ssh-add %s, and leave --ssh-key out", path, path)
	case err != nil:
		return nil, fmt.Errorf("read the SSH key %s: %w", path, err)
	}
	return signer, nil
}
