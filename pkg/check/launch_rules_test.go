package check

import (
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// failing puts a failed launch, with Auto Scaling's message, after the
// healthy group's last successful one; the group lacks a machine.
func failing(message string) []snapshottest.Edit {
	return []snapshottest.Edit{group(func(g *snapshot.Group) {
		g.Desired = 3
		g.Activities = append([]snapshot.Activity{{
			ID: "2", Description: "Launching a new EC2 instance.  Status Reason: " + message, Status: "Failed", Message: message, StartedAt: snapshottest.Now().Add(-time.Minute),
		}}, g.Activities...)
	})}
}

// launchMessages are what Auto Scaling says, as quoted in its user guide
// ("Troubleshoot issues in Amazon EC2 Auto Scaling") and in public issues.
func launchMessages() map[string]string {
	return map[string]string{
		"launch.no-capacity":      "We currently do not have sufficient m7i.large capacity in the Availability Zone you requested (us-west-2a). Our system will be working on provisioning additional capacity. Launching EC2 instance failed.",
		"launch.vcpu-limit":       "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit of 16 allows for the instance bucket that the specified instance type belongs to. Launching EC2 instance failed.",
		"launch.fleet-quota":      "You've reached your quota for maximum Fleet Requests for this account. Launching EC2 instance failed.",
		"launch.spot":             "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration. Launching EC2 instance failed.",
		"launch.spot-role":        "Could not launch Spot Instances. AuthFailure.ServiceLinkedRoleCreationNotPermitted - The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances.",
		"launch.subnet-full":      "Could not launch On-Demand Instances. InsufficientFreeAddressesInSubnet - There are not enough free addresses in subnet 'subnet-0privatea' to satisfy the requested number of instances.",
		"launch.type-unsupported": "Your requested instance type (m7i.large) is not supported in your requested Availability Zone (us-west-2d). Launching EC2 instance failed.",
		"launch.image-gone":       "The image id '[ami-0aaaaaaaaaaaaaaaa]' does not exist. Launching EC2 instance failed.",
		"launch.architecture":     "The architecture 'x86_64' of the specified instance type does not match the architecture 'arm64' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. Launching EC2 instance failed.",
		"launch.template-gone":    "Could not launch On-Demand Instances. InvalidLaunchTemplateId.NotFound - The specified launch template, with template ID lt-0a, does not exist.",
		"launch.key-pair-gone":    "The key pair 'ops' does not exist. Launching EC2 instance failed.",
		"launch.security-group":   "The security group 'sg-0gone' does not exist in VPC 'vpc-0a'. Launching EC2 instance failed.",
		"launch.kms":              "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: Client.InternalError: Client error on launch",
		"launch.instance-profile": "Invalid IAM Instance Profile name. Launching EC2 instance failed.",
		"launch.pass-role":        "You are not authorized to perform this operation. Encoded authorization failure message: abc. Launching EC2 instance failed.",
		"launch.volume":           "Could not launch On-Demand Instances. InvalidBlockDeviceMapping - Volume of size 8GB is smaller than snapshot 'snap-1', expect size >= 20GB.",
		"launch.interfaces":       "Network interface count 4 exceeds the maximum number of network interfaces supported by the network card. Launching EC2 instance failed.",
		"launch.rule-quota":       "RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been reached. Launching EC2 instance failed.",
	}
}

// takenOut has the group start two machines and take them out again, some time
// later and ten minutes ago, for a reason in Auto Scaling's words.
func takenOut(g *snapshot.Group, after time.Duration, reason string) {
	out := snapshottest.Now().Add(-10 * time.Minute)
	for _, id := range []string{"i-0dead1", "i-0dead2"} {
		g.Activities = append(g.Activities,
			snapshot.Activity{Description: "Launching a new EC2 instance: " + id, Status: "Successful", StartedAt: out.Add(-after)},
			snapshot.Activity{Description: "Terminating EC2 instance: " + id, Status: "Successful", StartedAt: out, Cause: "At 2026-06-01T11:50:00Z an instance was taken out of service in response to " + reason})
	}
}

// withStack has a group's stack read, in a state and with what it could not
// make.
func withStack(status string, failures ...snapshot.StackFailure) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		s.Stacks = []snapshot.Stack{{Name: s.Groups[0].Stack.Name, Status: status, Failures: failures}}
	}
}

func launchRuleRows() []ruleRow {
	var rows []ruleRow
	for _, row := range launchFailures() {
		rows = append(rows,
			ruleRow{row.id, "healthy", nil, report.Pass, "no launch failed"},
			ruleRow{row.id, "said by Auto Scaling", failing(launchMessages()[row.id]), report.Fail, row.summary})
	}
	edits := func(edits ...snapshottest.Edit) []snapshottest.Edit { return edits }
	replaced := group(func(g *snapshot.Group) { takenOut(g, 10*time.Minute, "an ELB system health check failure.") })
	held := group(func(g *snapshot.Group) { g.Members[0].Lifecycle = "Pending:Wait" })
	return append(rows, []ruleRow{
		{"launch.fails", "healthy", nil, report.Pass, "no launch failed"},
		{"launch.fails", "for a reason nobody knows", failing("The flux capacitor is empty. Launching EC2 instance failed."), report.Fail, "flux capacitor"},
		{"launch.at-zero", "wants machines", nil, report.Pass, "2 machines"},
		{"launch.at-zero", "may have none", edits(group(func(g *snapshot.Group) { g.Min, g.Desired, g.Max = 0, 0, 0 })), report.Warn, "wants no machines"},
		{"launch.at-zero", "wants none", edits(group(func(g *snapshot.Group) { g.Min, g.Desired = 0, 0 })), report.Warn, "wants no machines"},
		{"launch.suspended", "none", nil, report.Pass, "no process"},
		{"launch.suspended", "launches, and machines are missing", edits(group(func(g *snapshot.Group) { g.Desired, g.Suspended = 3, []string{"Launch"} })), report.Fail, "launches are suspended: 2 of 3"},
		{"launch.suspended", "another one", edits(group(func(g *snapshot.Group) { g.Suspended = []string{"HealthCheck"} })), report.Warn, "HealthCheck"},
		{"launch.suspended", "for the autoscaler's sake", edits(group(func(g *snapshot.Group) { g.Suspended = []string{"AZRebalance"} })), report.Pass, "processes that start machines run"},
		{"launch.lifecycle-hook", "none waits", nil, report.Pass, "no machine waits"},
		{"launch.lifecycle-hook", "for a day", edits(held), report.Fail, "holds 1 machines back"},
		{"launch.lifecycle-hook", "for a minute", edits(held, machine(func(n *snapshot.Node) { n.Cloud.LaunchedAt = snapshottest.Now().Add(-time.Minute) })), report.Pass, "no machine waits"},
		{"launch.replace-loop", "machines stay", nil, report.Pass, "machines stay"},
		{"launch.replace-loop", "replaced twice", edits(replaced), report.Fail, "replaced 2 machines"},
		{"launch.replace-loop", "scaled in", edits(group(func(g *snapshot.Group) {
			takenOut(g, 10*time.Minute, "a difference between desired and actual capacity, shrinking the capacity from 4 to 2.")
		})), report.Pass, "machines stay"},
		{"launch.replace-loop", "by the cluster autoscaler", edits(group(func(g *snapshot.Group) {
			takenOut(g, 10*time.Minute, "a user request, shrinking the capacity from 4 to 2.")
		})), report.Pass, "machines stay"},
		{"launch.replace-loop", "ended by somebody", edits(group(func(g *snapshot.Group) {
			takenOut(g, 10*time.Minute, "a EC2 health check indicating it has been terminated or stopped.")
		})), report.Pass, "machines stay"},
		{"launch.replace-loop", "after days of service", edits(group(func(g *snapshot.Group) { takenOut(g, 48*time.Hour, "an ELB system health check failure.") })), report.Pass, "machines stay"},
		{"launch.stack", "whole", edits(withStack("UPDATE_COMPLETE")), report.Pass, "UPDATE_COMPLETE"},
		{"launch.stack", "rolled back, as it was before", edits(withStack("UPDATE_ROLLBACK_COMPLETE")), report.Pass, "UPDATE_ROLLBACK_COMPLETE"},
		{"launch.stack", "stuck", edits(withStack("CREATE_FAILED", snapshot.StackFailure{Resource: "NodeGroup", Type: "AWS::AutoScaling::AutoScalingGroup", Reason: "Group did not stabilize."})), report.Warn, "is CREATE_FAILED"},
		{"auth.entry-conflict", "none", edits(withStack("CREATE_COMPLETE")), report.Pass, "no entry was in its way"},
		{"auth.entry-conflict", "there already", edits(withStack("CREATE_FAILED", snapshot.StackFailure{
			Resource: "AccessEntry", Type: "AWS::EKS::AccessEntry", Reason: `Resource handler returned message: "The specified access entry resource is already in use on this cluster."`,
		})), report.Warn, "the role has one already"},
		{"instance.state", "runs", nil, report.Pass, "running"},
		{"instance.state", "stopped", edits(machine(func(n *snapshot.Node) { n.Cloud.State = "stopped" })), report.Fail, "is stopped"},
		{"instance.state", "stopped in a warm pool", edits(warm("stopped")), report.Pass, "stopped in its group's warm pool"},
		{"instance.state", "KMS", edits(machine(func(n *snapshot.Node) {
			n.Cloud.State, n.Cloud.StateReason = "terminated", "Client.InternalError: Client error on launch"
		})), report.Fail, "KMS key"},
		{"instance.status-checks", "ok", nil, report.Pass, "both"},
		{"instance.status-checks", "host", edits(machine(unregistered), machine(func(n *snapshot.Node) { n.Status.System = "impaired" })), report.Fail, "system status check"},
		{"instance.status-checks", "machine", edits(machine(unregistered), machine(func(n *snapshot.Node) { n.Status.Instance = "impaired" })), report.Fail, "instance status check"},
		{"instance.status-checks", "planned", edits(machine(func(n *snapshot.Node) { n.Status.Events = []string{"system-reboot: soon"} })), report.Warn, "system-reboot"},
		{"instance.vpc", "the same", nil, report.Pass, "cluster's VPC"},
		{"instance.vpc", "another", edits(machine(unregistered), machine(func(n *snapshot.Node) { n.Cloud.VPCID = "vpc-0b" })), report.Fail, "the machine is in vpc-0b"},
		{"instance.vpc", "another, and Ready by peering", edits(machine(func(n *snapshot.Node) { n.Cloud.VPCID = "vpc-0b" })), report.Warn, "the machine is in vpc-0b"},
		{"instance.metadata", "on", nil, report.Pass, "is on"},
		{"instance.metadata", "off", edits(machine(unregistered), machine(func(n *snapshot.Node) { n.Cloud.HTTPEndpoint = "disabled" })), report.Fail, "is off"},
		{"instance.cluster-tag", "one", nil, report.Pass, "alone"},
		{"instance.cluster-tag", "none", edits(machine(func(n *snapshot.Node) { n.Cloud.Tags = nil })), report.Warn, "lacks the tag"},
		{"instance.cluster-tag", "two", edits(machine(func(n *snapshot.Node) { n.Cloud.Tags["kubernetes.io/cluster/other"] = "owned" })), report.Warn, "demo, other"},
		{"cluster.health", "no issue", nil, report.Pass, "no issue"},
		{"cluster.health", "an issue", edits(func(s *snapshot.Snapshot) {
			s.Cluster.HealthIssues = []snapshot.HealthIssue{{Code: "KMS_KEY_DISABLED", Message: "the key is disabled"}}
		}), report.Fail, "KMS_KEY_DISABLED"},
		{"cluster.subnets", "exist", nil, report.Pass, "exist"},
		{"cluster.subnets", "one is gone", edits(func(s *snapshot.Snapshot) { s.Cluster.SubnetIDs[0] = "subnet-0gone" }), report.Warn, "subnet-0gone"},
		{"cluster.subnets", "all are gone", edits(func(s *snapshot.Snapshot) { s.Cluster.SubnetIDs = []string{"subnet-0gone"} }), report.Fail, "none"},
	}...)
}

// TestLaunchMessageMeansOneThing: no message is two reasons at once, and none
// is taken for one that nobody knows.
func TestLaunchMessageMeansOneThing(t *testing.T) {
	for id, message := range launchMessages() {
		var means []string
		for _, row := range launchFailures() {
			if _, ok := row.matches(message); ok {
				means = append(means, row.id)
			}
		}
		if len(means) != 1 || means[0] != id {
			t.Errorf("%s: %q means %s", id, message, strings.Join(means, ", "))
		}
		for _, finding := range findings(Run(snapshottest.Healthy(failing(message)...), All()), "launch.fails") {
			if finding.Status != report.Pass {
				t.Errorf("%s: reported as unknown reason too", id)
			}
		}
	}
}

// TestPastFailureIsOver: a launch that succeeded later ends the matter.
func TestPastFailureIsOver(t *testing.T) {
	over := append(failing(launchMessages()["launch.no-capacity"]), group(func(g *snapshot.Group) {
		g.Activities = append(g.Activities, snapshot.Activity{Description: "Launching a new EC2 instance: i-1", Status: "Successful", StartedAt: snapshottest.Now()})
	}))
	for _, finding := range findings(Run(snapshottest.Healthy(over...), All()), "launch.no-capacity") {
		if finding.Status != report.Pass {
			t.Errorf("got %+v", finding)
		}
	}
}
