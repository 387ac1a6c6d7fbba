package supervise

import (
	"context"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/controlplane"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/eks"
)

// clusterAdmin is the access policy that makes an entry an administrator's.
const clusterAdmin = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

// userEntries is the access that the cluster's creator begins with. In mode
// CONFIG_MAP that is hidden in the authenticator's own configuration.
func userEntries(mode, userARN string) []eks.SeedEntry {
	if mode == controlplane.ModeConfigMap {
		return nil
	}
	return []eks.SeedEntry{{PrincipalARN: userARN, Type: "STANDARD", PolicyARNs: []string{clusterAdmin}}}
}

func (w *world) hooks() front.Hooks { return front.Hooks{AccessChanged: w.accessChanged} }

func (w *world) startInstances(context.Context, chan<- error) error { return nil }
