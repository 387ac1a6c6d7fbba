package clitest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func (p *Play) iam(operation string, form url.Values) answer {
	if operation == "ListInstanceProfiles" {
		asked, _ := strconv.Atoi(form.Get("MaxItems"))
		from, to, next := p.page(len(p.snap.Profiles), form.Get("Marker"), asked)
		return wrapped(operation, "%s", members("InstanceProfiles", p.snap.Profiles[from:to], func(profile snapshot.InstanceProfile) string {
			return txt("Arn", profile.ARN) + txt("InstanceProfileName", profile.Name) + members("Roles", profile.RoleARNs, func(arn string) string {
				return roleOf(p.snap.Role(arn))
			})
		})+yes("IsTruncated", next != "")+txt("Marker", next))
	}
	role := p.role(form.Get("RoleName"))
	if role == nil {
		return refuse("iam", http.StatusNotFound, "NoSuchEntity", "no such role")
	}
	whole := yes("IsTruncated", false)
	switch operation {
	case "GetRole":
		return wrapped(operation, "%s", el("Role", roleOf(role)))
	case "ListAttachedRolePolicies":
		return wrapped(operation, "%s", members("AttachedPolicies", role.AttachedPolicies, func(arn string) string { return txt("PolicyArn", arn) })+whole)
	case "ListRolePolicies":
		return wrapped(operation, "%s", members("PolicyNames", role.Policies.Inline, func(policy snapshot.Policy) string { return itself(policy.Name) })+whole)
	case "GetRolePolicy":
		for _, policy := range role.Policies.Inline {
			if policy.Name == form.Get("PolicyName") {
				return wrapped(operation, "%s", txt("RoleName", role.Name)+txt("PolicyName", policy.Name)+txt("PolicyDocument", url.QueryEscape(policy.Document)))
			}
		}
	}
	return unknown("iam", operation)
}

// role is one of the nodes' roles, or the cluster's own.
func (p *Play) role(name string) *snapshot.Role {
	for i := range p.snap.Roles {
		if p.snap.Roles[i].Name == name {
			return &p.snap.Roles[i]
		}
	}
	if p.snap.ClusterRole != nil && p.snap.ClusterRole.Name == name {
		return p.snap.ClusterRole
	}
	return nil
}

func roleOf(r *snapshot.Role) string {
	if r == nil {
		return ""
	}
	return txt("Arn", r.ARN) + txt("RoleName", r.Name) + txt("RoleId", r.UniqueID) + at("CreateDate", r.CreatedAt) +
		txt("AssumeRolePolicyDocument", url.QueryEscape(r.TrustPolicy))
}

func (p *Play) autoscaling(operation string, form url.Values) answer {
	switch operation {
	case "DescribeAutoScalingGroups":
		asked, _ := strconv.Atoi(form.Get("MaxRecords"))
		from, to, next := p.page(len(p.snap.Groups), form.Get("NextToken"), asked)
		return wrapped(operation, "%s", members("AutoScalingGroups", p.snap.Groups[from:to], groupXML)+txt("NextToken", next))
	case "DescribeScalingActivities":
		for i := range p.snap.Groups {
			if group := &p.snap.Groups[i]; group.ASGName == form.Get("AutoScalingGroupName") {
				return wrapped(operation, "%s", members("Activities", group.Activities, activityXML))
			}
		}
		return wrapped(operation, "<Activities></Activities>")
	}
	return unknown("autoscaling", operation)
}

func groupXML(g snapshot.Group) string {
	keys := make([]string, 0, len(g.Tags))
	for key := range g.Tags {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	subnets := ""
	for i, id := range g.Subnets {
		if i > 0 {
			subnets += ","
		}
		subnets += id
	}
	return txt("AutoScalingGroupName", g.ASGName) + txt("AutoScalingGroupARN", g.ASGARN) + num("MinSize", g.Min) + num("MaxSize", g.Max) +
		num("DesiredCapacity", g.Desired) + at("CreatedTime", g.CreatedAt) + txt("VPCZoneIdentifier", subnets) + members("AvailabilityZones", g.Zones, itself) +
		txt("HealthCheckType", g.HealthCheck) + num("HealthCheckGracePeriod", int(g.HealthGrace.Seconds())) +
		el("LaunchTemplate", txt("LaunchTemplateId", g.Launch.TemplateID), txt("LaunchTemplateName", g.Launch.TemplateName), txt("Version", g.Launch.TemplateVersion)) +
		members("SuspendedProcesses", g.Suspended, func(name string) string { return txt("ProcessName", name) }) +
		members("Tags", keys, func(key string) string {
			_, propagate := g.InstanceTags[key]
			return txt("Key", key) + txt("Value", g.Tags[key]) + yes("PropagateAtLaunch", propagate)
		}) +
		warmPoolXML(g.WarmPool) + members("Instances", g.Members, func(m snapshot.Member) string {
		return txt("InstanceId", m.InstanceID) + txt("LifecycleState", m.Lifecycle) + txt("HealthStatus", m.Health)
	})
}

func warmPoolXML(pool *snapshot.WarmPool) string {
	if pool == nil {
		return ""
	}
	return num("WarmPoolSize", pool.Size) + el("WarmPoolConfiguration", num("MinSize", pool.Min), txt("PoolState", strings.ToUpper(pool.State[:1])+pool.State[1:]))
}

func activityXML(a snapshot.Activity) string {
	return txt("ActivityId", a.ID) + txt("Description", a.Description) + txt("Cause", a.Cause) + txt("StatusCode", a.Status) + txt("StatusMessage", a.Message) +
		at("StartTime", a.StartedAt) + at("EndTime", a.EndedAt)
}
