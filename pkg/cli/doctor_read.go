package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxConsoles bounds how many serial consoles of a group are read: they are
// one call each, and machines of a group that fail tend to fail alike.
const maxConsoles = 10

// fargateLabel marks nodes that are no machines of ours to judge.
const fargateLabel = "eks.amazonaws.com/compute-type"

// firstSections are read with a flat number of calls and say what else there
// is to read; groupSections need to know the groups, all others their roles,
// images and types.
func firstSections() []snapshot.Section {
	return []snapshot.Section{snapshot.SectionCluster, snapshot.SectionGroups, snapshot.SectionInstances, snapshot.SectionRoles}
}

func groupSections() []snapshot.Section {
	return []snapshot.Section{snapshot.SectionLaunch, snapshot.SectionActivities, snapshot.SectionConsole, snapshot.SectionUserData}
}

// read gathers in three rounds: what there is, what the chosen groups and
// machines are made of, and what those parts are.
func (c *doctorCommand) read(ctx context.Context) (*snapshot.Snapshot, error) {
	c.app.screen.say("reading cluster %s in %s ...", c.session.cluster, c.session.aws.Region())
	reading := c.app.screen.watchReading()
	defer reading.stop()
	c.session.timeout, c.session.progress = c.flags.timeout, reading.report
	needs := check.Needs(c.checks)
	snap := c.session.read(ctx, c.session.base, cloud.Request{Sections: firstSections(), AllProfiles: true}, kubeSections(needs)...)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	all := snap.Nodes
	if err := c.choose(&snap); err != nil {
		return nil, err
	}
	snap.Nodes = append(slices.Clip(snap.Nodes), namesakes(all, snap.Nodes)...)
	if err := c.imagine(ctx, &snap); err != nil {
		return nil, err
	}
	request := groupRequest(&snap, needs)
	snap = c.session.read(ctx, snap, request)
	notAsked(&snap, request.ConsoleOf, request.Sections)
	snap = c.session.read(ctx, snap, partsRequest(&snap, needs))
	for i := range snap.Groups {
		group := &snap.Groups[i]
		group.Launch.RoleARN = nodegroup.RoleOf(&snap, group)
	}
	if c.flags.wouldJoin {
		onlyPlans(&snap)
	}
	return &snap, ctx.Err()
}

// kubeSections are those of the cluster's own API, the nodes always.
func kubeSections(needs []snapshot.Section) []snapshot.Section {
	all := slices.DeleteFunc(slices.Clone(needs), func(s snapshot.Section) bool { return !strings.HasPrefix(string(s), "kube/") })
	if !slices.Contains(all, snapshot.SectionNodes) {
		all = append(all, snapshot.SectionNodes)
	}
	return all
}

// groupRequest asks for what there is one of for each group or machine.
func groupRequest(snap *snapshot.Snapshot, needs []snapshot.Section) cloud.Request {
	ids := silent(snap)
	req := cloud.Request{Sections: intersect(needs, groupSections()), ConsoleOf: ids, UserDataOf: ids}
	for i := range snap.Groups {
		req.Groups = append(req.Groups, snap.Groups[i].Name)
	}
	if len(req.Groups) == 0 {
		req.Sections = intersect(req.Sections, []snapshot.Section{snapshot.SectionConsole, snapshot.SectionUserData})
	}
	return req
}

// silent are the machines that run and have not registered, some of each
// group. What they say can only be read on their consoles.
func silent(snap *snapshot.Snapshot) []string {
	var ids []string
	of := map[string]int{}
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		if node.Cloud == nil || node.Cloud.State != "running" || node.Kube != nil && node.Kube.Ready() || of[node.Group] == maxConsoles {
			continue
		}
		of[node.Group]++
		ids = append(ids, node.InstanceID)
	}
	return ids
}

// notAsked says of the machines that were not looked into that nobody asked
// what they say: a rule about that does not apply to them.
func notAsked(snap *snapshot.Snapshot, asked []string, read []snapshot.Section) {
	for _, section := range intersect([]snapshot.Section{snapshot.SectionConsole, snapshot.SectionUserData}, read) {
		for i := range snap.Nodes {
			if id := snap.Nodes[i].InstanceID; !slices.Contains(asked, id) {
				snap.Gaps = append(snap.Gaps, snapshot.Gap{Section: section, Subject: id, Reason: snapshot.GapNotAsked, Detail: "other machines were asked"})
			}
		}
	}
}

// partsRequest asks for the parts that groups and machines are made of.
func partsRequest(snap *snapshot.Snapshot, needs []snapshot.Section) cloud.Request {
	req := cloud.Request{ListEntries: true, AllSecurityGroups: true, StackFailures: true}
	for _, section := range needs {
		if !strings.HasPrefix(string(section), "kube/") && section != snapshot.SectionRoles &&
			!slices.Contains(firstSections(), section) && !slices.Contains(groupSections(), section) {
			req.Sections = append(req.Sections, section)
		}
	}
	for i := range snap.Groups {
		launch := &snap.Groups[i].Launch
		req.InstanceTypes = append(req.InstanceTypes, launch.InstanceTypes...)
		req.ImageIDs = append(req.ImageIDs, launch.ImageID)
		req.KeyNames = append(req.KeyNames, launch.KeyName)
		if stack := snap.Groups[i].Stack; stack != nil {
			req.StackNames = append(req.StackNames, stack.Name)
		}
		if role := nodegroup.RoleOf(snap, &snap.Groups[i]); role != "" {
			req.Principals = append(req.Principals, role)
			req.RoleNames = append(req.RoleNames, lastPart(role)...)
		}
	}
	for i := range snap.Nodes {
		if machine := snap.Nodes[i].Cloud; machine != nil {
			req.InstanceTypes = append(req.InstanceTypes, machine.Type)
			req.ImageIDs = append(req.ImageIDs, machine.ImageID)
		}
	}
	for _, list := range []*[]string{&req.InstanceTypes, &req.ImageIDs, &req.KeyNames, &req.Principals, &req.RoleNames, &req.StackNames} {
		*list = distinct(*list)
	}
	if len(req.RoleNames) > 0 && slices.Contains(needs, snapshot.SectionRoles) {
		req.Sections = append(req.Sections, snapshot.SectionRoles)
	}
	for section, wanted := range map[snapshot.Section][]string{
		snapshot.SectionImages: req.ImageIDs, snapshot.SectionKeyPairs: req.KeyNames, snapshot.SectionInstanceTypes: req.InstanceTypes,
		snapshot.SectionOfferings: req.InstanceTypes,
	} {
		if len(wanted) == 0 {
			req.Sections = slices.DeleteFunc(req.Sections, func(s snapshot.Section) bool { return s == section })
		}
	}
	return req
}

func intersect(a, b []snapshot.Section) []snapshot.Section {
	return slices.DeleteFunc(slices.Clone(a), func(s snapshot.Section) bool { return !slices.Contains(b, s) })
}

// distinct sorts and drops what is empty or there twice.
func distinct(list []string) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" })
	slices.Sort(list)
	return slices.Compact(list)
}

// choose leaves only what the user asked about in the snapshot: the named
// groups, instances and nodes, or all self-managed groups.
func (c *doctorCommand) choose(snap *snapshot.Snapshot) error {
	if id := c.flags.compare; id != "" {
		i := slices.IndexFunc(snap.Nodes, func(n snapshot.Node) bool { return n.InstanceID == id && n.Cloud != nil })
		if i < 0 {
			return fmt.Errorf("no instance of cluster %s is %q, to compare with", snap.Target.ClusterName, id)
		}
		other := snap.Nodes[i]
		c.other = &other
	}
	if len(c.subjects) == 0 {
		snap.Nodes = slices.DeleteFunc(slices.Clone(snap.Nodes), func(n snapshot.Node) bool {
			return !c.flags.allNodes && !ours(snap, &n)
		})
		return nil
	}
	groups, machines := map[string]bool{}, map[int]bool{}
	for _, name := range c.subjects {
		if err := pick(snap, name, groups, machines); err != nil {
			return err
		}
	}
	var nodes []snapshot.Node
	for i := range snap.Nodes {
		if node := &snap.Nodes[i]; machines[i] || groups[node.Group] {
			nodes = append(nodes, *node)
		}
	}
	for i := range machines { // the group of a named machine is judged with it
		groups[snap.Nodes[i].Group] = true
	}
	snap.Nodes = nodes
	snap.Groups = slices.DeleteFunc(slices.Clone(snap.Groups), func(g snapshot.Group) bool { return !groups[g.Name] })
	return nil
}

// ours reports whether a machine is one of a self-managed group, or may be:
// a node that could not be matched with any instance.
func ours(snap *snapshot.Snapshot, n *snapshot.Node) bool {
	if _, missing := snap.Gap(snapshot.SectionGroups, ""); missing {
		return true
	}
	return n.Group != "" || n.InstanceID == "" && n.Kube != nil && n.Kube.Labels[fargateLabel] == ""
}

// pick finds what a name on the command line means.
func pick(snap *snapshot.Snapshot, name string, groups map[string]bool, machines map[int]bool) error {
	found := false
	for i := range snap.Groups {
		if group := &snap.Groups[i]; group.Name == name || group.ASGName == name {
			groups[group.Name], found = true, true
		}
	}
	for i := range snap.Nodes {
		if node := &snap.Nodes[i]; node.InstanceID == name || node.Kube != nil && node.Kube.Name == name {
			machines[i], found = true, true
		}
	}
	if found {
		return nil
	}
	if err := missing(snap, snapshot.SectionGroups, snapshot.SectionNodes); err != nil {
		return fmt.Errorf("find %q: %w", name, err)
	}
	return fmt.Errorf("no node group, instance or node of cluster %s is named %q", snap.Target.ClusterName, name)
}
