package cli

import (
	"context"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
)

// awsAuthPort edits aws-auth of the connected cluster.
type awsAuthPort struct{ writer *kube.AwsAuthWriter }

func newAwsAuthPort(conn *kube.Connection, cluster string) awsAuthPort {
	return awsAuthPort{&kube.AwsAuthWriter{
		ConfigMaps: conn.Client.ConfigMaps(kube.AwsAuthNamespace), Cluster: cluster,
	}}
}

func (p awsAuthPort) AddNodeRole(ctx context.Context, roleARN string) (nodegroup.MapChange, error) {
	result, err := p.writer.AddRole(ctx, authmap.NodeEntry(roleARN))
	return mapChange(result), err
}

func (p awsAuthPort) RemoveNodeRole(ctx context.Context, roleARN string) (nodegroup.MapChange, error) {
	result, err := p.writer.RemoveRole(ctx, authmap.NodeEntry(roleARN))
	return mapChange(result), err
}

func (p awsAuthPort) SettleRole(ctx context.Context, want authmap.Entry, instead string) (nodegroup.MapChange, error) {
	result, err := p.writer.SettleRole(ctx, want, instead)
	return mapChange(result), err
}

func mapChange(result kube.AwsAuthResult) nodegroup.MapChange {
	if result.Action == "" { // the edit failed
		return nodegroup.MapChange{}
	}
	return nodegroup.MapChange{
		Changed: result.Changed(), Action: string(result.Action), Diff: result.Diff(), Backup: result.Backup, Notes: result.Notes,
	}
}
