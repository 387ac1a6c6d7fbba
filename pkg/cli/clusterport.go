package cli

import (
	"context"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
)

// ClusterStatus takes a cluster that does not exist for one without a status.
func (p awsPort) ClusterStatus(ctx context.Context, name string) (string, error) {
	cluster, err := p.client.DescribeCluster(ctx, name)
	switch {
	case cloud.IsKind(err, cloud.Absent):
		return "", nil
	case err != nil:
		return "", err
	}
	return cluster.Status, nil
}

// DeleteCluster takes a cluster that is gone, or going, for what was asked.
func (p awsPort) DeleteCluster(ctx context.Context, name string) error {
	err := p.client.DeleteCluster(ctx, name)
	if cloud.IsKind(err, cloud.Absent) {
		return nil
	}
	return err
}
