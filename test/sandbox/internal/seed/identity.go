package seed

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// clusterTrust is the trust policy of a cluster's role.
// https://docs.aws.amazon.com/eks/latest/userguide/cluster-iam-role.html
const clusterTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`

func (s seeder) clusterRole(ctx context.Context, r *Result) error {
	out, err := s.iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String(layout.ClusterRole), AssumeRolePolicyDocument: aws.String(clusterTrust)})
	if err != nil {
		return err
	}
	r.ClusterRoleARN = aws.ToString(out.Role.Arn)
	_, err = s.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
		RoleName: aws.String(layout.ClusterRole), PolicyArn: aws.String("arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")})
	return err
}

// administrator lets the user do everything.
const administrator = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func (s seeder) user(ctx context.Context, r *Result) error {
	user, err := s.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(layout.User)})
	if err != nil {
		return err
	}
	if _, err := s.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: aws.String(layout.User), PolicyName: aws.String("administrator"), PolicyDocument: aws.String(administrator)}); err != nil {
		return err
	}
	key, err := s.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(layout.User)})
	if err != nil {
		return err
	}
	r.UserARN, r.UserID = aws.ToString(user.User.Arn), aws.ToString(user.User.UserId)
	r.AccessKeyID, r.SecretAccessKey = aws.ToString(key.AccessKey.AccessKeyId), aws.ToString(key.AccessKey.SecretAccessKey)
	return nil
}

func (s seeder) keyPair(ctx context.Context, r *Result) error {
	out, err := s.ec2.CreateKeyPair(ctx, &ec2.CreateKeyPairInput{
		KeyName: aws.String(layout.KeyPair), KeyType: ec2types.KeyTypeEd25519})
	if err != nil {
		return err
	}
	r.PrivateKey = aws.ToString(out.KeyMaterial)
	return nil
}
