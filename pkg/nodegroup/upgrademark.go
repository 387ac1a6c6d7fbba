package nodegroup

import (
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// TagUpgrade marks an Auto Scaling group whose instances are being replaced.
// Its value says how the group was before, so that whoever takes the upgrade
// up again knows what of the group is surge. It is put on before the group is
// touched and taken off last.
const TagUpgrade = product.TagPrefix + "upgrade"

// rebalance is the process that would end instances without a drain to
// balance zones, and stands still for as long as instances are replaced.
const rebalance = "AZRebalance"

// upgradeMark is how a group was before its instances are replaced.
type upgradeMark struct {
	set          bool
	desired, max int
	rebalanced   bool // AZRebalance ran, and has to run again
}

const markForm = "desired=%d max=%d rebalance=%t"

// String is the tag's value.
func (m upgradeMark) String() string { return fmt.Sprintf(markForm, m.desired, m.max, m.rebalanced) }

// markOf reads the mark of a group, not set when there is none.
func markOf(group *snapshot.Group) (upgradeMark, error) {
	value, marked := group.Tags[TagUpgrade]
	if !marked {
		return upgradeMark{}, nil
	}
	mark := upgradeMark{set: true}
	if _, err := fmt.Sscanf(value, markForm, &mark.desired, &mark.max, &mark.rebalanced); err != nil {
		return upgradeMark{}, fmt.Errorf("tag %s of auto scaling group %s says %q, which no upgrade has written: set the group's sizes right, then remove the tag", TagUpgrade, group.ASGName, value)
	}
	return mark, nil
}

// size is that of the group without what an upgrade has added.
func (m upgradeMark) size(group *snapshot.Group) Bounds {
	if !m.set {
		return Bounds{group.Min, group.Desired, group.Max}
	}
	return Bounds{group.Min, m.desired, m.max}
}
