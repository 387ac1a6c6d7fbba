package faults

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// roleMadeAgain deletes a role that has an access entry, and makes it again
// under the same name: the entry looks right and lets nobody in.
func (w *world) roleMadeAgain(t *testing.T) diagnosis {
	t.Helper()
	const name = "again"
	made, err := w.iam.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String(name)})
	must(t, err)
	arn := w.makeRole(t, name)
	w.createEntry(t, arn, "EC2_LINUX")
	entered := time.Now()
	w.deleteRole(t, name)
	harness.Eventually(t, time.Minute, func() error { // times in IAM have seconds
		if time.Since(entered) < 2*time.Second {
			return fmt.Errorf("the entry is too young")
		}
		return nil
	})
	w.makeRole(t, name)
	t.Cleanup(func() {
		w.deleteEntry(t, arn)
		w.deleteRole(t, name)
	})
	w.group(t, "group-f0", 1, func(in *template) { in.profile = aws.ToString(made.InstanceProfile.Arn) })
	id := w.running(t, "group-f0")
	got := expect(t, "auth.entry-stale-role", "group-f0")
	if node(t, id) != nil {
		t.Errorf("%s has joined: nothing was broken", id)
	}
	return got
}

// makeRole makes a node role like that of a group, in the instance profile of
// its name.
func (w *world) makeRole(t *testing.T, name string) string {
	t.Helper()
	out, err := w.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(trust)})
	must(t, err)
	for _, policy := range []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy"} {
		_, err := w.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(name), PolicyArn: aws.String("arn:aws:iam::aws:policy/" + policy)})
		must(t, err)
	}
	_, err = w.iam.AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{RoleName: aws.String(name), InstanceProfileName: aws.String(name)})
	must(t, err)
	return aws.ToString(out.Role.Arn)
}

func (w *world) deleteRole(t *testing.T, name string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	policies, err := w.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(name)})
	must(t, err)
	for _, policy := range policies.AttachedPolicies {
		_, err := w.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String(name), PolicyArn: policy.PolicyArn})
		must(t, err)
	}
	_, err = w.iam.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{RoleName: aws.String(name), InstanceProfileName: aws.String(name)})
	must(t, err)
	_, err = w.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String(name)})
	must(t, err)
}
