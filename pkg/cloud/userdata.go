package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// UserData returns what an instance was started with, decoded; "" for none.
func (c *Client) UserData(ctx context.Context, id string) (string, error) {
	out, err := c.ec2().DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
		InstanceId: aws.String(id), Attribute: ec2types.InstanceAttributeNameUserData,
	})
	if err != nil {
		return "", wrap(err)
	}
	return ConvertUserData(out), nil
}

// ConvertUserData decodes the attribute. It may hold secrets of its author
// and is never printed whole.
func ConvertUserData(in *ec2.DescribeInstanceAttributeOutput) string {
	if in.UserData == nil {
		return ""
	}
	return decodeUserData(aws.ToString(in.UserData.Value))
}

// userData reads the user data of the machines asked for. One that cannot be
// read is a gap of its own.
func (r reader) userData(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	return eachMachine(ctx, snapshot.SectionUserData, r.req.UserDataOf, func(ctx context.Context, id string) (snapshot.Node, error) {
		text, err := r.UserData(ctx, id)
		return snapshot.Node{UserData: text}, err
	})
}
