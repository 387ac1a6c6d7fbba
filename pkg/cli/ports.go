package cli

import (
	"context"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// awsPort makes a cloud client meet what package nodegroup asks of AWS.
type awsPort struct{ client *cloud.Client }

func (p awsPort) Stack(ctx context.Context, nameOrID string) (*snapshot.Stack, error) {
	return p.client.DescribeStack(ctx, nameOrID)
}

func (p awsPort) StackEvents(ctx context.Context, nameOrID, after string) ([]nodegroup.StackEvent, error) {
	events, err := p.client.StackEvents(ctx, nameOrID, after)
	if err != nil {
		return nil, err
	}
	out := make([]nodegroup.StackEvent, 0, len(events))
	for _, event := range events {
		out = append(out, nodegroup.StackEvent{
			ID: event.ID, Time: event.At, Resource: event.LogicalID, ResourceType: event.Type,
			PhysicalID: event.PhysicalID, Status: event.Status, Reason: event.Reason, Token: event.Token,
		})
	}
	return out, nil
}

func (p awsPort) CreateStack(ctx context.Context, stack nodegroup.NewStack) (string, error) {
	return p.client.CreateStack(ctx, cloud.StackInput{
		Name: stack.Name, TemplateBody: stack.TemplateBody, TemplateURL: stack.TemplateURL,
		Parameters: stack.Parameters, Tags: stack.Tags, Capabilities: stack.Capabilities,
		Token: stack.Token, OnFailure: stack.OnFailure, RoleARN: stack.RoleARN,
	})
}

func (p awsPort) DeleteStack(ctx context.Context, id, serviceRoleARN string) error {
	return p.client.DeleteStack(ctx, id, serviceRoleARN, "")
}

func (p awsPort) Group(ctx context.Context, name string) (*snapshot.Group, error) {
	group, _, err := p.client.DescribeGroup(ctx, name)
	return group, err
}

func (p awsPort) Activities(ctx context.Context, name string) ([]snapshot.Activity, error) {
	return p.client.ScalingActivities(ctx, name)
}

func (p awsPort) Instances(ctx context.Context, ids []string) (map[string]snapshot.Instance, error) {
	return p.client.DescribeInstances(ctx, ids...)
}

func (p awsPort) SuspendProcesses(ctx context.Context, group string, processes []string) error {
	return p.client.SuspendProcesses(ctx, group, processes...)
}

func (p awsPort) ResumeProcesses(ctx context.Context, group string, processes []string) error {
	return p.client.ResumeProcesses(ctx, group, processes...)
}

func (p awsPort) AccessEntry(ctx context.Context, cluster, principalARN string) (*snapshot.AccessEntry, error) {
	return p.client.DescribeAccessEntry(ctx, cluster, principalARN)
}

// CreateAccessEntry takes an entry that somebody else made in between for
// ours: the caller looked a moment ago, and looks again when nodes do not join.
func (p awsPort) CreateAccessEntry(ctx context.Context, cluster, principalARN, kind string, tags map[string]string) error {
	err := p.client.CreateAccessEntry(ctx, cluster, cloud.EntryInput{Principal: principalARN, Type: kind, Tags: tags})
	if cloud.IsKind(err, cloud.Exists) {
		return nil
	}
	return err
}

func (p awsPort) DeleteAccessEntry(ctx context.Context, cluster, principalARN string) error {
	return p.client.DeleteAccessEntry(ctx, cluster, principalARN)
}

// ImportKeyPair takes a key pair of that name for the one to import: the
// name holds a digest of the key.
func (p awsPort) ImportKeyPair(ctx context.Context, name, publicKey string, tags map[string]string) error {
	err := p.client.ImportKeyPair(ctx, name, []byte(publicKey), tags)
	if cloud.IsKind(err, cloud.Exists) {
		return nil
	}
	return err
}

// UpdateStack takes a stack that is so already for what was asked.
func (p awsPort) UpdateStack(ctx context.Context, update nodegroup.StackUpdate) (bool, error) {
	err := p.client.UpdateStack(ctx, cloud.StackChange{
		Name: update.StackID, TemplateBody: update.TemplateBody, Tags: update.Tags,
		Parameters: update.Parameters, Keep: update.Keep, Capabilities: update.Capabilities,
		Token: update.Token, RoleARN: update.RoleARN,
	})
	if cloud.IsKind(err, cloud.Unchanged) {
		return false, nil
	}
	return err == nil, err
}

func (p awsPort) SetSize(ctx context.Context, group string, sizes nodegroup.Bounds) error {
	return p.client.SetGroupSize(ctx, group, sizes.Min, sizes.Desired, sizes.Max)
}

func (p awsPort) TemplateVersions(ctx context.Context, templateID string, oldest, newest int) ([]snapshot.TemplateVersion, error) {
	return p.client.TemplateVersions(ctx, templateID, oldest, newest)
}

func (p awsPort) TagGroup(ctx context.Context, group, key, value string) error {
	return p.client.TagGroup(ctx, group, key, value)
}

func (p awsPort) UntagGroup(ctx context.Context, group, key string) error {
	return p.client.UntagGroup(ctx, group, key)
}

func (p awsPort) EndMember(ctx context.Context, instanceID string, smaller bool) error {
	return p.client.EndMember(ctx, instanceID, smaller)
}

// Protect marks first: what is marked is released by the next run at the
// latest.
func (p awsPort) Protect(ctx context.Context, group string, instances []string, tag string) error {
	if err := p.client.TagResources(ctx, map[string]string{tag: "true"}, instances...); err != nil {
		return err
	}
	return p.client.SetProtection(ctx, group, true, instances...)
}

// Release looks which instances are still in the group: Auto Scaling refuses
// all for one that is not.
func (p awsPort) Release(ctx context.Context, group string, instances []string, tag string) error {
	found, _, err := p.client.DescribeGroup(ctx, group)
	if err != nil || found == nil {
		return err
	}
	there := slices.DeleteFunc(slices.Clone(instances), func(id string) bool { return !slices.Contains(found.InstanceIDs, id) })
	if len(there) == 0 {
		return nil
	}
	if err := p.client.SetProtection(ctx, group, false, there...); err != nil {
		return err
	}
	return p.client.UntagResources(ctx, tag, there...)
}

func (p awsPort) Blockers(ctx context.Context, groupID string) (nodegroup.Blocking, error) {
	blocking := nodegroup.Blocking{GroupID: groupID}
	var err error
	if blocking.Interfaces, err = p.client.InterfacesIn(ctx, groupID); err != nil {
		return blocking, err
	}
	blocking.Rules, err = p.client.RulesNaming(ctx, groupID)
	return blocking, err
}

func (p awsPort) Unblock(ctx context.Context, blocking nodegroup.Blocking) error {
	for _, leaked := range blocking.Leaked() {
		if err := p.client.DeleteInterface(ctx, leaked.ID); err != nil {
			return err
		}
	}
	for _, rule := range blocking.Rules {
		if err := p.client.RevokeRule(ctx, rule); err != nil {
			return err
		}
	}
	return nil
}
