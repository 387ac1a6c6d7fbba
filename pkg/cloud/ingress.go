package cloud

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// Tags of a rule that lets somebody reach sshd for a while.
const (
	tagOpenedBy    = product.TagPrefix + "ssh-owner"
	tagOpenedUntil = product.TagPrefix + "ssh-until"
	tagOpenedFrom  = product.TagPrefix + "ssh-process"
)

// Opening is a rule of a security group by which port 22 was opened.
type Opening struct {
	RuleID  string // sgr-…; "" before it is made
	GroupID string
	From    netip.Prefix
	Owner   string    // ARN of the AWS identity that opened it
	Until   time.Time // when it should be closed at the latest
	// Process says which run opened it, so that the next one on the same
	// machine knows whether it still lives.
	Process string
}

// OpenPort lets From reach port 22 of the machines in the group. The rule
// carries its tags from the first moment, so that it is found again whatever
// happens. An error of kind Exists says that it is open already.
func (c *Client) OpenPort(ctx context.Context, o Opening) (Opening, error) {
	permission := ec2types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22)}
	description := aws.String(fmt.Sprintf("%s ssh until %s", product.PluginName, o.Until.UTC().Format(time.RFC3339)))
	if o.From.Addr().Is4() {
		permission.IpRanges = []ec2types.IpRange{{CidrIp: aws.String(o.From.String()), Description: description}}
	} else {
		permission.Ipv6Ranges = []ec2types.Ipv6Range{{CidrIpv6: aws.String(o.From.String()), Description: description}}
	}
	out, err := c.ec2().AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: aws.String(o.GroupID), IpPermissions: []ec2types.IpPermission{permission},
		TagSpecifications: []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeSecurityGroupRule,
			Tags: []ec2types.Tag{
				{Key: aws.String(tagOpenedBy), Value: aws.String(o.Owner)},
				{Key: aws.String(tagOpenedUntil), Value: aws.String(o.Until.UTC().Format(time.RFC3339))},
				{Key: aws.String(tagOpenedFrom), Value: aws.String(o.Process)},
			},
		}},
	})
	if err != nil {
		return o, wrap(err)
	}
	if len(out.SecurityGroupRules) != 1 {
		return o, emptyAnswer("ec2:AuthorizeSecurityGroupIngress")
	}
	o.RuleID = aws.ToString(out.SecurityGroupRules[0].SecurityGroupRuleId)
	return o, nil
}

// ClosePort takes an opening back. One that is gone already is no error.
func (c *Client) ClosePort(ctx context.Context, o Opening) error {
	_, err := c.ec2().RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{
		GroupId: aws.String(o.GroupID), SecurityGroupRuleIds: []string{o.RuleID},
	})
	if err = wrap(err); IsKind(err, Absent) {
		return nil
	}
	return err
}

// Openings lists the rules of the account and region by which anybody opened
// port 22 with this product.
func (c *Client) Openings(ctx context.Context) ([]Opening, error) {
	pages := ec2.NewDescribeSecurityGroupRulesPaginator(c.ec2(), &ec2.DescribeSecurityGroupRulesInput{
		Filters: []ec2types.Filter{filter("tag:"+tagOpenedUntil, "*")}, // EC2 has no filter tag-key here
	})
	var openings []Opening
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, rule := range page.SecurityGroupRules {
			if opening, ours := convertOpening(rule); ours {
				openings = append(openings, opening)
			}
		}
	}
	return openings, nil
}

// convertOpening reads a rule's tags. A rule without them is somebody else's.
func convertOpening(in ec2types.SecurityGroupRule) (Opening, bool) {
	out := Opening{RuleID: aws.ToString(in.SecurityGroupRuleId), GroupID: aws.ToString(in.GroupId)}
	if in.CidrIpv4 != nil {
		out.From, _ = netip.ParsePrefix(*in.CidrIpv4)
	} else {
		out.From, _ = netip.ParsePrefix(aws.ToString(in.CidrIpv6))
	}
	found := false
	for _, tag := range in.Tags {
		switch aws.ToString(tag.Key) {
		case tagOpenedBy:
			out.Owner = aws.ToString(tag.Value)
		case tagOpenedFrom:
			out.Process = aws.ToString(tag.Value)
		case tagOpenedUntil:
			found = true
			out.Until, _ = time.Parse(time.RFC3339, aws.ToString(tag.Value)) // unreadable: long over
		}
	}
	return out, found && !aws.ToBool(in.IsEgress)
}

// CallerARN is the AWS identity that the client acts as.
func (c *Client) CallerARN(ctx context.Context) (string, error) {
	out, err := c.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", wrap(err)
	}
	return aws.ToString(out.Arn), nil
}
