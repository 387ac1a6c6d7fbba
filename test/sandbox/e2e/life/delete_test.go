package life

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// requireGone checks that nothing of a group is left.
func (w *world) requireGone(name string) {
	w.t.Helper()
	if status, _, _ := w.stack(name); status != "" && status != "DELETE_COMPLETE" {
		w.t.Errorf("stack of %s is %s", name, status)
	}
	list, err := sandbox.Kube(w.t).CoreV1().Nodes().List(w.t.Context(), metav1.ListOptions{LabelSelector: "eksnodes.dev/group=" + name})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, node := range list.Items {
		w.t.Errorf("node %s of %s is left", node.Name, name)
	}
	for _, mapping := range mappings(w.t) {
		if strings.Contains(mapping, stackName(name)+"-") {
			w.t.Errorf("a mapping of %s is left: %s", name, mapping)
		}
	}
}

// mappings are the principals that `auth list` has.
func mappings(t *testing.T) []string {
	t.Helper()
	return strings.Fields(sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "list", "-o", "jsonpath={.items[*].spec.principalARN}"))
}

// TestDelete interrupts a deletion at each of its steps, by SIGINT and by
// SIGKILL, and takes it up again each time.
func TestDelete(t *testing.T) {
	w := look(t)
	remove(t, "gone")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "gone", "--desired", "1", "--yes")
	w.deploy("stuck", 1, 1)
	harness.Eventually(t, 2*time.Minute, func() error { return w.available("stuck") })
	remove := func(args ...string) []string {
		return append([]string{"kubectl", "eksnodes", "delete", "gone", "--yes"}, args...)
	}

	plan := sandbox.MustExec(t, "kubectl", "eksnodes", "delete", "gone", "--dry-run")
	if !strings.Contains(plan, "default/stuck allows NO disruption now") {
		t.Errorf("the plan does not tell of the budget")
	}
	// The drain waits for the budget: told by name, or interrupted, it leaves the group free.
	if result := sandbox.Exec(t, remove("--drain-timeout", "8s")...); result.Code != 1 || !strings.Contains(result.Stderr, "PodDisruptionBudget default/stuck allows no disruption of stuck-") {
		t.Errorf("exit %d, and the budget is not named", result.Code)
	}
	w.requireFree("gone")
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		run := sandbox.Start(t, remove()...)
		run.AwaitStderr("Cannot evict pod", time.Minute)
		run.Signal(signal)
		if result := run.Wait(); signal == syscall.SIGINT && result.Code != 130 {
			t.Errorf("interrupted with exit code %d", result.Code)
		}
		if signal == syscall.SIGINT {
			w.requireFree("gone")
		}
	}
	if err := sandbox.Kube(t).PolicyV1().PodDisruptionBudgets("default").Delete(t.Context(), "stuck", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}

	// While the stack goes.
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		run := sandbox.Start(t, remove()...)
		run.AwaitStderr("DELETE_IN_PROGRESS", 2*time.Minute)
		run.Signal(signal)
		run.Wait()
	}
	// Before the mapping goes, the last step.
	sandbox.Driver(t, "fault", "inject", "error", "eks:DeleteAccessEntry", "--code", "ServerException", "--status", "400", "--count", "1")
	if result := sandbox.Exec(t, remove()...); result.Code != 0 {
		sandbox.MustExec(t, remove()...)
	}
	sandbox.Driver(t, "fault", "clear")
	w.requireGone("gone")
}

// requireFree checks that a deletion that did not come to its end has set the
// group free again.
func (w *world) requireFree(name string) {
	w.t.Helper()
	for _, process := range w.group(name).SuspendedProcesses {
		w.t.Errorf("%s is suspended", aws.ToString(process.ProcessName))
	}
	if status, _, _ := w.stack(name); status != "CREATE_COMPLETE" {
		w.t.Errorf("stack of %s is %s", name, status)
	}
}

// TestDeleteOfASharedRole deletes one of two groups on one role, with what the
// VPC CNI leaks and a rule of another group in its way.
func TestDeleteOfASharedRole(t *testing.T) {
	w := look(t)
	role := nodeRole(t)
	remove(t, "guest")
	remove(t, "kept")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "kept", "--desired", "1", "--role", role, "--yes")
	sandbox.MustExec(t, "kubectl", "eksnodes", "add", "guest", "--desired", "1", "--role", role, "--yes")
	block(t, w, "guest")

	result := sandbox.Exec(t, "kubectl", "eksnodes", "delete", "guest", "--yes")
	if result.Code != 1 || !strings.Contains(result.Stderr, "left behind by the VPC CNI") || !strings.Contains(result.Stderr, "has a rule from it") {
		t.Errorf("exit %d, and the blockers are not named", result.Code)
	}
	sandbox.MustExec(t, "kubectl", "eksnodes", "delete", "guest", "--yes", "--remove-blockers")
	w.requireGone("guest")
	if have := strings.Join(mappings(t), " "); !strings.Contains(have, role[strings.LastIndexByte(role, '/')+1:]) {
		t.Errorf("the role of kept is not mapped any more: %s", have)
	}
	w.requireSize("kept", 1)
	if got := simulatedMachine(t, w.instances("kept")[0]); got != "mapped" {
		t.Errorf("kept's machine would be answered %q", got)
	}
}

func simulatedMachine(t *testing.T, id string) string {
	t.Helper()
	return parse[struct {
		Answer struct {
			Outcome string `json:"outcome"`
		} `json:"answer"`
	}](t, sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "simulate", id, "-o", "json")).Answer.Outcome
}

// nodeRole makes a role as node groups need it.
func nodeRole(t *testing.T) string {
	t.Helper()
	client := iam.NewFromConfig(sandbox.AWS(t))
	out, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("shared-nodes"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, policy := range []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy"} {
		if _, err := client.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: out.Role.RoleName, PolicyArn: aws.String("arn:aws:iam::aws:policy/" + policy)}); err != nil {
			t.Fatal(err)
		}
	}
	return aws.ToString(out.Role.Arn)
}

// block puts into a group's security group an interface as the VPC CNI leaks
// them, and a rule naming it into another group.
func block(t *testing.T, w *world, name string) {
	t.Helper()
	_, parameters, outputs := w.stack(name)
	group := outputs["NodeSecurityGroup"]
	made, err := w.ec2.CreateNetworkInterface(t.Context(), &ec2.CreateNetworkInterfaceInput{
		SubnetId: aws.String(strings.Split(parameters["Subnets"], ",")[0]), Groups: []string{group}, Description: aws.String("aws-K8S-i-0ffffffffffffffff"),
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeNetworkInterface, Tags: []ec2types.Tag{
			{Key: aws.String("node.k8s.amazonaws.com/instance_id"), Value: aws.String("i-0ffffffffffffffff")},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	other, err := w.ec2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("db"), Description: aws.String("a database"), VpcId: aws.String(parameters["VpcId"]),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ec2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: other.GroupId, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(5432), ToPort: aws.Int32(5432), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: aws.String(group)}},
	}}}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s uses %s, and so does a rule of %s", aws.ToString(made.NetworkInterface.NetworkInterfaceId), group, fmt.Sprint(aws.ToString(other.GroupId)))
}
