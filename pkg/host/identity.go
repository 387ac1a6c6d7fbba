// Package host reads what a machine says of itself.
package host

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// CallerARN asks STS by which ARN AWS knows the machine. On a node the
// credentials come from instance metadata, and so does the region when
// nothing else names one.
func CallerARN(ctx context.Context) (string, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithEC2IMDSRegion())
	if err != nil {
		return "", fmt.Errorf("load AWS configuration: %w", err)
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("ask STS for the caller's identity: %w", err)
	}
	return aws.ToString(identity.Arn), nil
}
