package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// dialTimeout is how long one address may take to answer.
const dialTimeout = 10 * time.Second

// Dial opens a connection: net.Dialer's DialContext, or one through a bastion.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// SSH is the road through a machine's sshd.
type SSH struct {
	Login    Login
	HostKeys *HostKeys
	Bastion  *Bastion // nil: the machine is reached directly
	Binaries Binaries
	// Args are the agent's, after its name.
	Args []string
	// Dial connects to what is reached directly; nil for the network's own.
	Dial Dial
	// Port of sshd; 0 for 22.
	Port int
}

// unreachableError says that nothing answered at any of a machine's addresses.
type unreachableError struct{ errs []error }

// Error names every address and what became of it.
func (e *unreachableError) Error() string {
	var parts []string
	for _, err := range e.errs {
		parts = append(parts, err.Error())
	}
	return strings.Join(parts, "; ")
}

// connect opens a TCP connection to the machine's sshd.
func (s *SSH) connect(ctx context.Context, m *Machine) (net.Conn, error) {
	dial := s.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	if s.Bastion != nil {
		through, err := s.Bastion.dialer(ctx, dial)
		if err != nil {
			return nil, err
		}
		dial = through
	}
	port := s.Port
	if port == 0 {
		port = 22
	}
	var failed unreachableError
	for _, host := range m.addresses(s.Bastion != nil) {
		if host == "" {
			continue
		}
		address := net.JoinHostPort(host, fmt.Sprint(port))
		limited, cancel := context.WithTimeout(ctx, dialTimeout)
		conn, err := dial(limited, "tcp", address)
		cancel()
		if err == nil {
			return conn, nil
		}
		failed.errs = append(failed.errs, dialError(address, err))
	}
	if len(failed.errs) == 0 {
		return nil, errors.New("it has no address")
	}
	return nil, &failed
}

// dialError says what a failed connection tells of the way.
func dialError(address string, err error) error {
	var network net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s refuses: no sshd listens there: %w", address, err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("%s does not answer: its security group, or the way there, lets nothing through: %w", address, err)
	}
	return fmt.Errorf("reach %s: %w", address, err)
}

// client is a login on a machine.
type client struct {
	*ssh.Client
	user string
	stop func() bool
}

// Close ends the login.
func (c *client) Close() error {
	c.stop()
	return c.Client.Close()
}

// login connects, verifies the host key and logs in, with one credential
// after the other. The connection ends with the context.
func (s *SSH) login(ctx context.Context, m *Machine) (*client, error) {
	user := s.Login.User
	if user == "" {
		user = m.LoginUser()
	}
	tries, err := s.Login.credentials()
	if err != nil {
		return nil, err
	}
	var refused []string
	for _, try := range tries {
		client, what, err := s.handshake(ctx, m, user, try)
		switch {
		case err == nil:
			return client, nil
		case what == "": // before it came to logging in
			return nil, err
		case isAuth(err):
			refused = append(refused, what+" did not let "+user+" in")
		default:
			refused = append(refused, err.Error())
		}
	}
	return nil, errors.New(strings.Join(refused, "; "))
}

// isAuth tells a refused login from a broken connection: the library has no
// type for it.
func isAuth(err error) bool { return strings.Contains(err.Error(), "unable to authenticate") }

// handshake makes one connection and logs in with one credential, which is
// made only when somebody answers. What names it; "" when it never came to it.
func (s *SSH) handshake(ctx context.Context, m *Machine, user string, try try) (logged *client, what string, err error) {
	check, err := s.HostKeys.of(ctx, m)
	if err != nil {
		return nil, "", err
	}
	conn, err := s.connect(ctx, m)
	if err != nil {
		return nil, "", err
	}
	by, err := try(ctx, m, user)
	if err != nil {
		return nil, "no key", errors.Join(err, conn.Close())
	}
	defer by.close()
	logged, err = newClient(ctx, conn, m.InstanceID, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeysCallback(by.signers)},
		HostKeyCallback: check.callback, HostKeyAlgorithms: check.algorithms(),
	})
	if err != nil && !isAuth(err) {
		return nil, "", err
	}
	return logged, by.what, err
}

// newClient does the handshake on a connection that ends with the context.
func newClient(ctx context.Context, conn net.Conn, name string, config *ssh.ClientConfig) (*client, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	inner, channels, requests, err := ssh.NewClientConn(conn, name, config)
	if err != nil {
		stop()
		_ = conn.Close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("the SSH handshake did not end: %w", ctx.Err())
		}
		return nil, fmt.Errorf("SSH: %w", err)
	}
	return &client{Client: ssh.NewClient(inner, channels, requests), user: config.User, stop: stop}, nil
}

// Reached is where a machine's sshd was found, and the key that it showed.
type Reached struct {
	Host string // IP address
	Key  ssh.PublicKey
}

// Reach connects far enough to see the machine's host key, and returns it when
// it is verified. Nobody is logged in.
func (s *SSH) Reach(ctx context.Context, m *Machine) (Reached, error) {
	check, err := s.HostKeys.of(ctx, m)
	if err != nil {
		return Reached{}, err
	}
	conn, err := s.connect(ctx, m)
	if err != nil {
		return Reached{}, err
	}
	host := m.PrivateIP
	if s.Bastion == nil {
		if host, _, err = net.SplitHostPort(conn.RemoteAddr().String()); err != nil {
			return Reached{}, errors.Join(err, conn.Close())
		}
	}
	client, err := newClient(ctx, conn, m.InstanceID, &ssh.ClientConfig{
		User: "none", Auth: []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) { return nil, nil })},
		HostKeyCallback: check.callback, HostKeyAlgorithms: check.algorithms(),
	})
	if err == nil { // a machine that lets anybody in has shown its key too
		_ = client.Close()
	}
	if check.seen == nil {
		if err == nil {
			err = errors.New("SSH: the machine showed no key")
		}
		return Reached{}, err
	}
	return Reached{Host: host, Key: check.seen}, nil
}
