// Package seed fills the sandbox's empty AWS account with what a user of EKS has
// before the first node: a VPC with subnets, an IAM user, a key pair, and all that a
// cluster was made with. It goes through AWS's public API.
package seed

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// Result is what the seed has made.
type Result struct {
	VPC string `json:"vpc"`
	// Subnets holds subnet ids by the names of layout.Subnets.
	Subnets map[string]string `json:"subnets"`
	// ClusterSecurityGroup is the one that EKS makes for every cluster.
	ClusterSecurityGroup string `json:"clusterSecurityGroup"`
	ClusterRoleARN       string `json:"clusterRoleArn"`
	UserARN              string `json:"userArn"`
	UserID               string `json:"userId"`

	// Secrets, which are not part of the result's file.
	AccessKeyID     string `json:"-"`
	SecretAccessKey string `json:"-"`
	PrivateKey      string `json:"-"` // of the key pair, PEM
}

// SubnetIDs are the cluster's subnets in the order of layout.Subnets.
func (r Result) SubnetIDs() []string {
	var ids []string
	for _, s := range layout.Subnets() {
		ids = append(ids, r.Subnets[s.Name])
	}
	return ids
}

type seeder struct {
	ec2 *ec2.Client
	iam *iam.Client
}

// Run seeds the account.
func Run(ctx context.Context, cfg aws.Config) (Result, error) {
	s := seeder{ec2: ec2.NewFromConfig(cfg), iam: iam.NewFromConfig(cfg)}
	r := Result{Subnets: map[string]string{}}
	for _, step := range []struct {
		name string
		do   func(context.Context, *Result) error
	}{
		{"make VPC", s.vpc},
		{"make subnets", s.subnets},
		{"make gateways and routes", s.routes},
		{"make cluster security group", s.securityGroup},
		{"make cluster role", s.clusterRole},
		{"make user", s.user},
		{"make key pair", s.keyPair},
	} {
		if err := step.do(ctx, &r); err != nil {
			return Result{}, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return r, nil
}
