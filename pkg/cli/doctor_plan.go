package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// imagine puts a group that is only planned in the place of all groups: one
// that starts machines from the launch template that was asked about, in the
// cluster's subnets.
func (c *doctorCommand) imagine(ctx context.Context, snap *snapshot.Snapshot) error {
	if c.flags.template == "" {
		return nil
	}
	if err := missing(snap, snapshot.SectionCluster); err != nil {
		return err
	}
	id, version, _ := strings.Cut(c.flags.template, ":")
	launch, err := c.session.aws.DescribeLaunchTemplate(ctx, id, version)
	if err != nil {
		return err
	}
	if launch == nil {
		return fmt.Errorf("launch template %s has no version %s", id, version)
	}
	snap.Nodes = nil
	snap.Groups = []snapshot.Group{{
		Name: c.flags.template, Cluster: snap.Cluster.Name, Proposed: true, Desired: 1, Max: 2,
		Subnets: snap.Cluster.SubnetIDs, InstanceTags: map[string]string{}, Launch: *launch,
	}}
	return nil
}

// onlyPlans makes plans of the groups: what they would start next is judged,
// not what stands. A group whose template could not be read stays as it is, so
// that this is said.
func onlyPlans(snap *snapshot.Snapshot) {
	snap.Nodes = nil
	snap.Groups = slices.Clone(snap.Groups)
	for i := range snap.Groups {
		group := &snap.Groups[i]
		if _, unknown := snap.Gap(snapshot.SectionLaunch, group.Name); unknown {
			continue
		}
		group.Proposed, group.InstanceIDs, group.Activities = true, nil, nil
	}
}
