package cloud

import (
	"context"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// stacks reads the stacks asked for; one that does not exist is left out.
func (r reader) stacks(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	var stacks []snapshot.Stack
	for _, name := range r.req.StackNames {
		stack, err := r.DescribeStack(ctx, name)
		if err != nil {
			return nil, err
		}
		if stack != nil {
			stacks = append(stacks, *stack)
		}
	}
	return func(snap *snapshot.Snapshot) { snap.Stacks = stacks }, nil
}
