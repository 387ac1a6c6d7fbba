package cloud

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// TagResources puts tags on EC2 resources: one call.
func (c *Client) TagResources(ctx context.Context, tags map[string]string, ids ...string) error {
	in := &ec2.CreateTagsInput{Resources: ids}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		in.Tags = append(in.Tags, ec2types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	_, err := c.ec2().CreateTags(ctx, in)
	return wrap(err)
}

// UntagResources takes a tag off EC2 resources, whatever its value: one call.
func (c *Client) UntagResources(ctx context.Context, key string, ids ...string) error {
	_, err := c.ec2().DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: ids, Tags: []ec2types.Tag{{Key: aws.String(key)}}})
	return wrap(err)
}
