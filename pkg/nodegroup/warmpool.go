package nodegroup

import (
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// WarmPool is what is asked for of machines that are kept ready beside a
// group; the zero value asks for none.
type WarmPool struct {
	Size  int    // machines kept at least
	State string // stopped or running; "" means stopped
	// Max bounds the machines of group and pool together, and has the pool
	// filled up to it; 0: the pool has Size machines whatever the group has.
	Max int
}

// The states of a pool's machines.
const (
	poolStopped = "stopped"
	poolRunning = "running"
)

// Asked reports whether there is to be a pool.
func (p WarmPool) Asked() bool { return p.Size > 0 || p.Max > 0 }

// Words say what there will be in the pool.
func (p WarmPool) Words() string {
	state := poolStopped
	if p.State == poolRunning {
		state = poolRunning
	}
	if p.Max > p.Size {
		return fmt.Sprintf("at least %d, %s, and so many that there are %d with the group's", p.Size, state, p.Max)
	}
	return fmt.Sprintf("%d, %s", p.Size, state)
}

// validateWarmPool refuses what AWS refuses and what would not work.
func validateWarmPool(r *Request) error {
	pool := r.WarmPool
	switch {
	case pool.State == "hibernated":
		return usagef("--warm-pool-state hibernated: it needs an encrypted root volume that the memory fits into, and a kubelet that wakes up does not notice that it has slept: use stopped or running")
	case pool.State != "" && pool.State != poolStopped && pool.State != poolRunning:
		return usagef("--warm-pool-state %q: use stopped or running", pool.State)
	case pool.Size < 0:
		return usagef("--warm-pool %d: a pool cannot have fewer than 0 machines", pool.Size)
	case pool.Max < 0:
		return usagef("--warm-pool-max %d: there cannot be fewer than 0 machines", pool.Max)
	case pool.Max > 0 && pool.Max < pool.Size:
		return usagef("--warm-pool-max %d is less than --warm-pool %d: it counts the group's machines too", pool.Max, pool.Size)
	case !pool.Asked() && pool.State != "":
		return usagef("--warm-pool-state goes with --warm-pool")
	case pool.Asked() && r.Mixed.Spot:
		return usagef("--warm-pool: Auto Scaling keeps no Spot instances in warm pools: %s", docWarmPools)
	case pool.Asked() && len(r.Mixed.Types) > 0:
		return usagef("--warm-pool: Auto Scaling gives no warm pool to a group of several instance types: %s", docWarmPools)
	}
	return nil
}

const docWarmPools = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html"

func stackPool(r *Request) *stack.WarmPool {
	if !r.WarmPool.Asked() {
		return nil
	}
	return &stack.WarmPool{Min: r.WarmPool.Size, Prepared: max(r.WarmPool.Max, r.WarmPool.Size), Running: r.WarmPool.State == poolRunning}
}

// poolNotes say what people would not expect of a pool.
func poolNotes(r *Request) []string {
	pool := r.WarmPool
	if !pool.Asked() {
		return nil
	}
	notes := []string{"machines of the warm pool join when the group takes them into service, and are not waited for"}
	if pool.State == poolRunning {
		return notes
	}
	for _, hook := range r.LifecycleHooks {
		if hook.Launching {
			return notes
		}
	}
	if len(r.Boot.Before)+len(r.Boot.UserData) > 0 && r.Family != FamilyBottlerocket {
		notes = append(notes, "Auto Scaling stops a machine of the pool as soon as it runs: commands that this cuts off run again, from their beginning, when it is started; "+
			"a launching --lifecycle-hook gives them time before")
	}
	return notes
}

// PoolWords say what there is in a group's pool, "" when it has none.
func PoolWords(pool *snapshot.WarmPool) string {
	if pool == nil {
		return ""
	}
	text := fmt.Sprintf("%d %s (at least %d", pool.Size, pool.State, pool.Min)
	if pool.Prepared > pool.Min {
		text += fmt.Sprintf(", %d with the group's", pool.Prepared)
	}
	text += ")"
	if pool.Status != "" {
		text += ", " + pool.Status
	}
	return text
}

func machinesOf(n int) string {
	if n == 1 {
		return "1 machine"
	}
	return fmt.Sprintf("%d machines", n)
}
