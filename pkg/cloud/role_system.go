package cloud

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// clusterRole reads the role that EKS acts with; one that does not exist is
// a fact.
func (r reader) clusterRole(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	arn := known.Cluster.RoleARN
	if arn == "" {
		return nil, nil
	}
	role, err := r.DescribeRole(ctx, lastPart(arn))
	if err != nil {
		return nil, err
	}
	if role == nil {
		role = &snapshot.Role{ARN: arn, Name: lastPart(arn), Missing: true}
	}
	return func(snap *snapshot.Snapshot) { snap.ClusterRole = role }, nil
}

// cniRole reads the role that the VPC CNI's service account names, with its
// permissions, and the issuers of tokens that the account trusts. Without
// such a role there is nothing to read.
func (r reader) cniRole(ctx context.Context, known *snapshot.Snapshot) (gather.Fill, error) {
	arn := known.Kube.CNIRoleARN
	if arn == "" {
		return nil, nil
	}
	role, err := r.DescribeRole(ctx, lastPart(arn))
	if err != nil {
		return nil, err
	}
	if role == nil {
		missing := &snapshot.Role{ARN: arn, Name: lastPart(arn), Missing: true}
		return func(snap *snapshot.Snapshot) { snap.CNIRole = missing }, nil
	}
	if role.Policies, err = r.RolePolicies(ctx, role.Name); err != nil {
		return nil, err
	}
	out, err := r.iam().ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{})
	if err != nil {
		return nil, wrap(err)
	}
	var issuers []string
	for _, provider := range out.OpenIDConnectProviderList {
		// arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/0123
		_, issuer, _ := strings.Cut(aws.ToString(provider.Arn), ":oidc-provider/")
		issuers = append(issuers, issuer)
	}
	return func(snap *snapshot.Snapshot) { snap.CNIRole, snap.OIDCProviders = role, issuers }, nil
}
