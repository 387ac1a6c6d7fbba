package instances

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/secgroup"
)

// refreshGroups puts the security groups of all instances into force where they
// have changed.
func (w *Watcher) refreshGroups(ctx context.Context) error {
	machines := w.all()
	if len(machines) == 0 {
		return nil
	}
	groups := map[string]types.SecurityGroup{}
	pages := ec2.NewDescribeSecurityGroupsPaginator(w.config.EC2, &ec2.DescribeSecurityGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("describe security groups: %w", err)
		}
		for _, g := range page.SecurityGroups {
			groups[aws.ToString(g.GroupId)] = g
		}
	}
	members := membersOf(machines, w.config.Members)
	for _, m := range machines {
		if err := m.applyGroups(ctx, groups, members); err != nil {
			return err
		}
	}
	return nil
}

// membersOf finds the addresses of all interfaces by group.
func membersOf(machines []*machine, others secgroup.Members) secgroup.Members {
	members := secgroup.Members{}
	for group, addresses := range others {
		members[group] = slices.Clone(addresses)
	}
	for _, m := range machines {
		i := m.current()
		address, err := netip.ParseAddr(i.PrivateIP)
		if err != nil {
			continue
		}
		for _, g := range i.Groups {
			members[g.ID] = append(members[g.ID], address)
		}
	}
	return members
}

// applyGroups keeps the instance's ruleset for its next start and, when it has
// changed and the instance is on the network, puts it into force.
func (m *machine) applyGroups(ctx context.Context, groups map[string]types.SecurityGroup, members secgroup.Members) error {
	i := m.current()
	var own []types.SecurityGroup
	for _, g := range i.Groups {
		own = append(own, groups[g.ID])
	}
	resolver, err := netip.ParseAddr(layout.VPCResolver)
	if err != nil {
		return fmt.Errorf("read resolver's address: %w", err)
	}
	ruleset := secgroup.Ruleset(secgroup.Resolve(own, members), resolver)
	m.mu.Lock()
	changed, attached := m.ruleset != ruleset, m.attached
	m.ruleset = ruleset
	m.mu.Unlock()
	if !changed || !attached {
		return nil
	}
	if err := secgroup.Apply(ctx, i.ID, ruleset); err != nil {
		m.mu.Lock()
		m.ruleset = "" // try again
		m.mu.Unlock()
		return err
	}
	return nil
}
