package front

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/keys"
)

// Front is the AWS side of one sandbox. Its methods are safe for concurrent use.
type Front struct {
	cfg  Config
	keys keys.Store
}

// New makes a front, loading the EKS state that a former one left in StateDir.
func New(cfg Config) (*Front, error) {
	if cfg.Moto == nil || cfg.Account == "" || cfg.Region == "" || cfg.Partition == "" {
		return nil, errors.New("front: account, region, partition and moto URL are required")
	}
	return &Front{cfg: cfg}, nil
}

// AddAccessKey makes a key's signatures verifiable.
func (f *Front) AddAccessKey(k AccessKey) { f.keys.Put(k) }

var errPending = errors.New("front: not written yet")

// Handler serves every AWS host.
func (f *Front) Handler() http.Handler { return http.NotFoundHandler() }

// Control serves the control API: /faults, /calls and /clock.
func (f *Front) Control() http.Handler { return http.NotFoundHandler() }

// Proxy is an HTTPS proxy (CONNECT) that sends tunnels for AWS hosts to
// tlsAddr and refuses all others.
func (f *Front) Proxy(tlsAddr string) http.Handler { return http.NotFoundHandler() }

// AddCluster seeds a cluster.
func (f *Front) AddCluster(ctx context.Context, c Cluster) error { return errPending }

// RoleSession assumes a role as the EC2 instance metadata service does.
func (f *Front) RoleSession(ctx context.Context, roleARN, sessionName string) (Credentials, error) {
	return Credentials{}, errPending
}

// TLSConfig serves a leaf certificate of the given authority for any AWS host.
func TLSConfig(ca tls.Certificate) (*tls.Config, error) { return nil, errPending }
