//go:build linux

package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/token"
)

// Token makes the machine's token for the cluster, "" for the kubelet's.
func (m *Machine) Token(ctx context.Context, cluster string) (token.Secret, snapshot.TokenClaims, error) {
	known := m.ReadOnly(ctx, snapshot.ProbeIMDS, snapshot.ProbeKubeconfig, snapshot.ProbeProxy)
	region, err := regionOf(&known)
	if err != nil {
		return token.Secret{}, snapshot.TokenClaims{}, m.why(&known, err)
	}
	if cluster = cmp.Or(cluster, clusterOf(&known)); cluster == "" {
		return token.Secret{}, snapshot.TokenClaims{}, errors.New("the kubelet's kubeconfig names no cluster: name it with --cluster")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	made, err := token.Make(ctx, m.awsConfig(region, &known), cluster)
	if err != nil {
		return token.Secret{}, snapshot.TokenClaims{}, errors.New(redact.Line(err.Error()))
	}
	claims, err := token.Describe(made)
	claims.Cluster = cluster
	return made, claims, err
}

// why adds what instance metadata answered to an error that follows from it.
func (m *Machine) why(known *snapshot.Host, err error) error {
	if known.IMDS != nil && known.IMDS.Failure != nil {
		return fmt.Errorf("%w (instance metadata: %s)", err, known.IMDS.Failure.Detail)
	}
	return err
}

// Verification is what a token is verified for; what is empty is the
// kubelet's and the machine's.
type Verification struct{ Cluster, Region string }

// Verify verifies a token that somebody made. It asks instance metadata only
// for what is not given.
func (m *Machine) Verify(ctx context.Context, secret token.Secret, want Verification) (token.Verdict, error) {
	probes := []snapshot.Probe{snapshot.ProbeProxy}
	if want.Region == "" {
		probes = append(probes, snapshot.ProbeIMDS)
	}
	known := m.ReadOnly(ctx, append(probes, snapshot.ProbeKubeconfig)...)
	if want.Cluster = cmp.Or(want.Cluster, clusterOf(&known)); want.Cluster == "" {
		return token.Verdict{}, errors.New("the kubelet's kubeconfig names no cluster: name it with --cluster")
	}
	if want.Region == "" {
		region, err := regionOf(&known)
		if err != nil {
			return token.Verdict{}, fmt.Errorf("%w: name it with --region", m.why(&known, err))
		}
		want.Region = region
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return token.Verify(ctx, secret, token.Want{
		Cluster: want.Cluster, Partition: partitionOf(want.Region), Region: want.Region, Client: m.client(&known, 8*time.Second),
	}), nil
}
