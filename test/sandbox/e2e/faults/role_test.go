package faults

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

const (
	trust       = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	trustLambda = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

	workerPolicy = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
)

// ownRole gives a group a role and an instance profile of its name, as the
// healthy group's but for the mapping, until the test ends.
func (w *world) ownRole(t *testing.T, name string) (roleARN, profileARN string) {
	t.Helper()
	profile := w.makeProfile(t, name)
	roleARN = w.makeRole(t, name)
	w.addToProfile(t, name, name)
	t.Cleanup(func() {
		w.deleteEntry(t, roleARN)
		w.deleteRole(t, name)
	})
	return roleARN, profile
}

func (w *world) makeProfile(t *testing.T, name string) string {
	t.Helper()
	made, err := w.iam.CreateInstanceProfile(t.Context(), &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String(name)})
	must(t, err)
	t.Cleanup(func() {
		_, err := w.iam.DeleteInstanceProfile(context.WithoutCancel(t.Context()), &iam.DeleteInstanceProfileInput{InstanceProfileName: aws.String(name)})
		must(t, err)
	})
	return aws.ToString(made.InstanceProfile.Arn)
}

func (w *world) makeRole(t *testing.T, name string) string {
	t.Helper()
	out, err := w.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(trust)})
	must(t, err)
	for _, policy := range []string{workerPolicy, "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"} {
		_, err := w.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(name), PolicyArn: aws.String(policy)})
		must(t, err)
	}
	return aws.ToString(out.Role.Arn)
}

func (w *world) addToProfile(t *testing.T, profile, role string) {
	t.Helper()
	_, err := w.iam.AddRoleToInstanceProfile(t.Context(), &iam.AddRoleToInstanceProfileInput{RoleName: aws.String(role), InstanceProfileName: aws.String(profile)})
	must(t, err)
}

// takeFromProfile leaves a profile that holds no role as it is.
func (w *world) takeFromProfile(t *testing.T, profile, role string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	out, err := w.iam.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String(profile)})
	must(t, err)
	if len(out.InstanceProfile.Roles) == 0 {
		return
	}
	_, err = w.iam.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{RoleName: aws.String(role), InstanceProfileName: aws.String(profile)})
	must(t, err)
}

// deleteRole deletes a role that may be in the profile of its name.
func (w *world) deleteRole(t *testing.T, name string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	policies, err := w.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(name)})
	must(t, err)
	for _, policy := range policies.AttachedPolicies {
		_, err := w.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String(name), PolicyArn: policy.PolicyArn})
		must(t, err)
	}
	w.takeFromProfile(t, name, name)
	_, err = w.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String(name)})
	must(t, err)
}

// deleteEntry takes a role's access entry away, if there is one.
func (w *world) deleteEntry(t *testing.T, role string) {
	t.Helper()
	_, err := w.eks.DeleteAccessEntry(context.WithoutCancel(t.Context()), &eks.DeleteAccessEntryInput{ClusterName: aws.String(layout.ClusterName), PrincipalArn: &role})
	var absent *ekstypes.ResourceNotFoundException
	if !errors.As(err, &absent) {
		must(t, err)
	}
}

func (w *world) createEntry(t *testing.T, role, kind string) {
	t.Helper()
	_, err := w.eks.CreateAccessEntry(t.Context(), &eks.CreateAccessEntryInput{ClusterName: aws.String(layout.ClusterName), PrincipalArn: &role, Type: &kind})
	must(t, err)
}
