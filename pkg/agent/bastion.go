package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Bastion is a machine through which others are reached. One connection
// serves all of them.
type Bastion struct {
	User    string
	Address string // host:port
	Login   Login
	// KnownHosts are the files that hold its key: nothing else vouches for a
	// machine that is not one of ours.
	KnownHosts []string

	once   sync.Once
	client *ssh.Client
	err    error
}

// ParseBastion reads [USER@]HOST[:PORT].
func ParseBastion(text, defaultUser string) (*Bastion, error) {
	user, host, found := strings.Cut(text, "@")
	if !found {
		user, host = defaultUser, text
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "22")
	}
	if name, _, err := net.SplitHostPort(host); err != nil || name == "" || user == "" {
		return nil, fmt.Errorf("bastion %q: use [USER@]HOST[:PORT]", text)
	}
	return &Bastion{User: user, Address: host}, nil
}

// dialer connects to the bastion, the first time, and returns how to reach
// what lies behind it. The connection outlives the first machine's deadline,
// so it is not bound to its context; Close ends it.
func (b *Bastion) dialer(ctx context.Context, dial Dial) (Dial, error) {
	b.once.Do(func() { b.client, b.err = b.connect(ctx, dial) })
	if b.err != nil {
		return nil, fmt.Errorf("bastion %s: %w", b.Address, b.err)
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := b.client.DialContext(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("through the bastion: %w", err)
		}
		return conn, nil
	}, nil
}

// Close ends the connection to the bastion, if there is one.
func (b *Bastion) Close() error {
	if b == nil || b.client == nil {
		return nil
	}
	return b.client.Close()
}

func (b *Bastion) connect(ctx context.Context, dial Dial) (*ssh.Client, error) {
	files := slices.DeleteFunc(slices.Clone(b.KnownHosts), func(file string) bool { _, err := os.Stat(file); return err != nil })
	if len(files) == 0 {
		return nil, errors.New("its host key is not known: ssh to it once, and add its key to known_hosts")
	}
	verify, err := knownhosts.New(files...)
	if err != nil {
		return nil, fmt.Errorf("read known hosts: %w", err)
	}
	tries, err := b.Login.credentials()
	if err != nil {
		return nil, err
	}
	var refused []string
	for _, try := range tries {
		credential, err := try(ctx, &Machine{}, b.User)
		if err != nil {
			refused = append(refused, err.Error())
			continue
		}
		client, err := b.handshake(ctx, dial, credential, verify, files)
		credential.close()
		if err == nil {
			return client, nil
		}
		if !isAuth(err) {
			return nil, err
		}
		refused = append(refused, credential.what+" did not let "+b.User+" in")
	}
	return nil, errors.New(strings.Join(refused, "; "))
}

func (b *Bastion) handshake(ctx context.Context, dial Dial, by credential, verify ssh.HostKeyCallback, files []string) (*ssh.Client, error) {
	limited, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dial(limited, "tcp", b.Address)
	if err != nil {
		return nil, dialError(b.Address, err)
	}
	check := &keyCheck{}
	name, _, _ := net.SplitHostPort(b.Address)
	for _, file := range files {
		keys, err := knownKeys(file, name)
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		for _, key := range keys {
			check.add(key.Type(), "")
		}
	}
	client, err := newClient(ctx, conn, b.Address, &ssh.ClientConfig{
		User: b.User, Auth: []ssh.AuthMethod{ssh.PublicKeysCallback(by.signers)}, HostKeyCallback: verify, HostKeyAlgorithms: check.algos,
	})
	if err != nil {
		return nil, err
	}
	client.stop() // from here on, others use it too
	return client.Client, nil
}
