package faults

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	corev1 "k8s.io/api/core/v1"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// noRole is what programs say that find no credentials in the metadata.
const noRole = `no EC2 IMDS role found|failed to refresh cached credentials|failed to retrieve credentials`

func credentialFaults() []fault {
	return []fault{
		{name: "no instance profile", want: []string{"iam.no-instance-profile"}, breaks: noProfile},
		{name: "instance profile without a role", want: []string{"iam.profile-empty"}, breaks: emptyProfile},
		{name: "role that EC2 may not assume", want: []string{"iam.trust-not-ec2"}, breaks: wrongTrust},
		{name: "instance profile of another role", want: []string{"auth.role-not-mapped"}, breaks: otherProfile},
		{name: "instance profile changed on a node", want: []string{"iam.profile-swapped"}, breaks: swappedProfile},
		{name: "role that may not describe instances", want: []string{"iam.missing-worker-policy"}, breaks: noWorkerPolicy},
		{name: "instance metadata off", want: []string{"instance.metadata"}, breaks: noMetadata},
	}
}

func noProfile(t *testing.T, w *world, group string) func() {
	w.group(t, group, 1, func(in *template) { in.profile = "" })
	id := w.running(t, group)
	w.awaitJournal(t, id, noRole)
	return func() {
		w.associate(t, id, w.good.profile)
		ready(t, w.rebooted(t, id))
	}
}

func emptyProfile(t *testing.T, w *world, group string) func() {
	role, profile := w.ownRole(t, group)
	w.createEntry(t, role, "EC2_LINUX")
	w.takeFromProfile(t, group, group)
	w.group(t, group, 1, func(in *template) { in.profile = profile })
	id := w.running(t, group)
	w.awaitJournal(t, id, noRole)
	return func() {
		w.addToProfile(t, group, group)
		ready(t, w.rebooted(t, id))
	}
}

func wrongTrust(t *testing.T, w *world, group string) func() {
	role, profile := w.ownRole(t, group)
	w.createEntry(t, role, "EC2_LINUX")
	trusts := func(document string) {
		_, err := w.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(group), PolicyDocument: aws.String(document)})
		must(t, err)
	}
	trusts(trustLambda)
	w.group(t, group, 1, func(in *template) { in.profile = profile })
	id := w.running(t, group)
	w.awaitJournal(t, id, noRole)
	return func() {
		trusts(trust)
		ready(t, w.rebooted(t, id))
	}
}

func otherProfile(t *testing.T, w *world, group string) func() {
	_, profile := w.ownRole(t, group) // a role like any other, but nobody meant it for nodes
	w.group(t, group, 1, func(in *template) { in.profile = profile })
	id := w.running(t, group)
	w.refused(t, id, notLetIn)
	return func() {
		w.associate(t, id, w.good.profile)
		ready(t, id)
	}
}

// swappedProfile gives a node another profile, as tools of other teams do. The
// kubelet is let in until its token ends, or it starts anew.
func swappedProfile(t *testing.T, w *world, group string) func() {
	_, profile := w.ownRole(t, group)
	w.group(t, group, 1, nil)
	id := w.running(t, group)
	ready(t, id)
	restart := func() {
		if _, err := sandbox.Node(id, "systemctl", "restart", "kubelet"); err != nil {
			t.Fatal(err)
		}
	}
	w.associate(t, id, profile)
	w.knows(t, id, group)
	restart()
	condition(t, id, func(c corev1.NodeCondition) bool { return c.Status == corev1.ConditionUnknown })
	return func() {
		w.associate(t, id, w.good.profile)
		ready(t, id)
	}
}

// noWorkerPolicy takes a role the policy with ec2:DescribeInstances. The sandbox
// evaluates no policies, so that the call is denied to the role besides.
func noWorkerPolicy(t *testing.T, w *world, group string) func() {
	role, profile := w.ownRole(t, group)
	w.createEntry(t, role, "EC2_LINUX")
	_, err := w.iam.DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String(group), PolicyArn: aws.String(workerPolicy)})
	must(t, err)
	var rule struct {
		ID string `json:"id"`
	}
	must(t, json.Unmarshal([]byte(sandbox.Driver(t, "fault", "inject", "deny", "ec2:DescribeInstances", "--principal", "*assumed-role/"+group+"/*")), &rule))
	w.group(t, group, 1, func(in *template) { in.profile = profile })
	id := w.running(t, group)
	w.awaitJournal(t, id, "UnauthorizedOperation")
	return func() {
		_, err := w.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(group), PolicyArn: aws.String(workerPolicy)})
		must(t, err)
		sandbox.Driver(t, "fault", "clear", rule.ID)
		ready(t, w.rebooted(t, id))
	}
}

func noMetadata(t *testing.T, w *world, group string) func() {
	w.group(t, group, 1, func(in *template) { in.metadata = false })
	id := w.running(t, group)
	w.fails(t, id, nodeadmFailed)
	return func() {
		_, err := w.ec2.ModifyInstanceMetadataOptions(t.Context(), &ec2.ModifyInstanceMetadataOptionsInput{
			InstanceId: aws.String(id), HttpEndpoint: ec2types.InstanceMetadataEndpointStateEnabled, HttpTokens: ec2types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(2),
		})
		must(t, err)
		ready(t, w.rebooted(t, id))
	}
}

// associate gives a machine another instance profile.
func (w *world) associate(t *testing.T, id, profile string) {
	t.Helper()
	spec := &ec2types.IamInstanceProfileSpecification{Arn: aws.String(profile)}
	now, err := w.ec2.DescribeIamInstanceProfileAssociations(t.Context(), &ec2.DescribeIamInstanceProfileAssociationsInput{
		Filters: []ec2types.Filter{{Name: aws.String("instance-id"), Values: []string{id}}},
	})
	must(t, err)
	if len(now.IamInstanceProfileAssociations) == 0 {
		_, err = w.ec2.AssociateIamInstanceProfile(t.Context(), &ec2.AssociateIamInstanceProfileInput{InstanceId: aws.String(id), IamInstanceProfile: spec})
	} else {
		_, err = w.ec2.ReplaceIamInstanceProfileAssociation(t.Context(), &ec2.ReplaceIamInstanceProfileAssociationInput{
			AssociationId: now.IamInstanceProfileAssociations[0].AssociationId, IamInstanceProfile: spec,
		})
	}
	must(t, err)
}

// knows waits until the machine's metadata tells of the role.
func (w *world) knows(t *testing.T, id, role string) {
	t.Helper()
	const ask = `token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token) &&
curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/iam/security-credentials/`
	harness.Eventually(t, patience, func() error {
		got, err := sandbox.Node(id, "sh", "-c", ask)
		if err == nil && got != role {
			err = fmt.Errorf("%s has the role %q", id, got)
		}
		return err
	})
}

// rebooted restarts a machine whose boot has given up.
func (w *world) rebooted(t *testing.T, id string) string {
	t.Helper()
	_, err := w.ec2.RebootInstances(t.Context(), &ec2.RebootInstancesInput{InstanceIds: []string{id}})
	must(t, err)
	return id
}
