package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/backend"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/calllog"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/eks"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/faults"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/keys"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/ssm"
)

// Front is the AWS side of one sandbox. Its methods are safe for concurrent use.
type Front struct {
	cfg    Config
	log    *slog.Logger
	moto   *backend.Client
	keys   keys.Store
	eks    *eks.Service
	ssm    *ssm.Service
	faults faults.Engine
	calls  *calllog.Log
	offset atomic.Int64 // of the clock, in nanoseconds
	// tunnels maps local addresses of the proxy's connections to the addresses
	// of those who asked for them.
	tunnels sync.Map
}

// New makes a front, with the EKS state that a former one left in StateDir.
func New(cfg Config) (*Front, error) {
	if cfg.Moto == nil || cfg.Account == "" || cfg.Region == "" || cfg.Partition == "" {
		return nil, errors.New("new front: account, region, partition and moto's URL are required")
	}
	f := &Front{cfg: cfg, log: cfg.Log, moto: backend.New(cfg.Moto, cfg.Account, cfg.Region)}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if f.calls, err = calllog.Open(cfg.StateDir); err != nil {
		return nil, fmt.Errorf("new front: %w", err)
	}
	state := ""
	if cfg.StateDir != "" {
		state = filepath.Join(cfg.StateDir, "eks.json")
	}
	f.eks, err = eks.New(eks.Config{
		Account: cfg.Account, Region: cfg.Region, Partition: cfg.Partition, StateFile: state,
		Principals: f.moto, Changed: cfg.Hooks.AccessChanged, Now: f.now,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("new front: %w", err), f.calls.Close())
	}
	f.ssm = ssm.New(ssm.Config{
		Account: cfg.Account, Instances: f.moto, Run: cfg.Hooks.RunCommand, Online: cfg.Hooks.CommandTarget, Now: f.now,
	})
	return f, nil
}

// Close ends running commands and closes the call log.
func (f *Front) Close() error {
	f.ssm.Close()
	return f.calls.Close()
}

// now is the front's clock: the machine's, moved by the control API's /clock.
func (f *Front) now() time.Time { return time.Now().Add(time.Duration(f.offset.Load())).UTC() }

// AddAccessKey makes a key's signatures verifiable.
func (f *Front) AddAccessKey(k AccessKey) { f.keys.Put(k) }

// AddCluster seeds a cluster and tells AccessChanged its access entries.
func (f *Front) AddCluster(ctx context.Context, c Cluster) error { return f.eks.AddCluster(ctx, c) }

// Access returns what a cluster's authenticator has to honour now.
func (f *Front) Access(clusterName string) (Access, bool) { return f.eks.Access(clusterName) }

// sessionLife is how long credentials of the instance metadata service live:
// "about six hours", EC2 User Guide, "Retrieve security credentials".
const sessionLife = 6 * time.Hour

// RoleSession opens a session of a role in the name of the EC2 service, as the
// instance metadata service does; sessionName is the instance id.
func (f *Front) RoleSession(ctx context.Context, roleARN, sessionName string) (Credentials, error) {
	_, found, err := f.moto.PrincipalID(ctx, roleARN)
	if err != nil {
		return Credentials{}, fmt.Errorf("role session: %w", err)
	}
	if !found {
		return Credentials{}, fmt.Errorf("role session: no role %s", roleARN)
	}
	trusted, err := f.moto.TrustsEC2(ctx, roleARN)
	if err != nil {
		return Credentials{}, fmt.Errorf("role session: %w", err)
	}
	if !trusted {
		return Credentials{}, fmt.Errorf("role session: EC2 may not assume %s", roleARN)
	}
	s, err := f.moto.AssumeRole(ctx, roleARN, sessionName, sessionLife)
	if err != nil {
		return Credentials{}, fmt.Errorf("role session: %w", err)
	}
	f.keys.Put(keys.Key{
		ID: s.AccessKeyID, Secret: s.SecretAccessKey, SessionToken: s.SessionToken, Expiration: s.Expiration,
		ARN: s.ARN, UserID: s.UserID, Account: f.cfg.Account,
	})
	return Credentials{
		AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken, Expiration: s.Expiration,
	}, nil
}

// Handler serves every AWS host, over TLS or not.
func (f *Front) Handler() http.Handler { return http.HandlerFunc(f.serveAWS) }
