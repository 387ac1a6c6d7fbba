package cli

import (
	"context"
	"errors"

	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
)

// awsAuthPort edits the ConfigMap of the connected cluster.
type awsAuthPort struct {
	conn    *kube.Connection
	cluster string
}

func (p awsAuthPort) AddNodeRole(context.Context, string) (nodegroup.MapChange, error) {
	return nodegroup.MapChange{}, errors.New("this build cannot edit aws-auth")
}

func (p awsAuthPort) RemoveNodeRole(context.Context, string) (nodegroup.MapChange, error) {
	return nodegroup.MapChange{}, errors.New("this build cannot edit aws-auth")
}
