package roads

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// group is the node group of all tests here.
const group = "workers"

// machines are the instance ids of the group's nodes, once it is made.
var machines []string

// settle adds the group, the first time, and returns its machines.
func settle(t *testing.T) []string {
	t.Helper()
	if machines != nil {
		return machines
	}
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", group, "--desired", "2", "--yes")
	out, err := client(t).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
		{Name: aws.String("instance-state-name"), Values: []string{"running"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, reservation := range out.Reservations {
		for _, instance := range reservation.Instances {
			machines = append(machines, aws.ToString(instance.InstanceId))
		}
	}
	if len(machines) != 2 {
		t.Fatalf("%d machines run, want 2", len(machines))
	}
	return machines
}

func client(t *testing.T) *ec2.Client {
	t.Helper()
	return ec2.NewFromConfig(sandbox.AWS(t))
}

// noSSM closes the road that would be gone before SSH.
func noSSM(t *testing.T) {
	t.Helper()
	sandbox.Driver(t, "fault", "inject", "deny", "ssm:DescribeInstanceInformation")
	t.Cleanup(func() { sandbox.Driver(t, "fault", "clear") })
}

// doctor asks one machine itself and returns what it said, and the result.
func doctor(t *testing.T, id string, flags ...string) (*snapshot.Host, harness.Result) {
	t.Helper()
	bundle := filepath.Join(t.TempDir(), "bundle.json")
	args := append([]string{"kubectl", "eksnodes", "doctor", id, "--agent", "always", "--bundle", bundle}, flags...)
	result := sandbox.Exec(t, args...)
	data, err := os.ReadFile(bundle)
	if err != nil {
		return nil, result
	}
	var document struct {
		Snapshot snapshot.Snapshot `json:"snapshot"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	for i := range document.Snapshot.Nodes {
		if document.Snapshot.Nodes[i].InstanceID == id {
			return document.Snapshot.Nodes[i].Host, result
		}
	}
	t.Fatalf("%s is not in the bundle", id)
	return nil, result
}

// open lists the rules that let anybody reach port 22.
func open(t *testing.T) []string {
	t.Helper()
	out, err := client(t).DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{})
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, rule := range out.SecurityGroupRules {
		if !aws.ToBool(rule.IsEgress) && aws.ToInt32(rule.FromPort) == 22 {
			rules = append(rules, aws.ToString(rule.SecurityGroupRuleId)+" "+aws.ToString(rule.CidrIpv4))
		}
	}
	return rules
}

// left lists what runs of the agent have left on a machine.
func left(t *testing.T, id string) []string {
	t.Helper()
	return strings.Fields(sandbox.Driver(t, "node", id, "--", "sh", "-c",
		"ls -d /run/eksnodes-agent.* /var/lib/eksnodes-agent.* /root/eksnodes-agent.* /var/tmp/eksnodes-agent.* /tmp/eksnodes-agent.* /dev/shm/eksnodes-agent.* 2>/dev/null || true"))
}
