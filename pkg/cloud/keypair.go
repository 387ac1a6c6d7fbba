package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// ImportKeyPair registers a public key (authorized_keys form). A name that is
// taken is an error of kind Exists.
func (c *Client) ImportKeyPair(ctx context.Context, name string, publicKey []byte, tags map[string]string) error {
	_, err := c.ec2().ImportKeyPair(ctx, &ec2.ImportKeyPairInput{
		KeyName: aws.String(name), PublicKeyMaterial: publicKey,
		TagSpecifications: []ec2types.TagSpecification{tagSpec(ec2types.ResourceTypeKeyPair, tags)},
	})
	return wrap(err)
}

// DeleteKeyPair removes a key pair by name; one that is gone is no error.
func (c *Client) DeleteKeyPair(ctx context.Context, name string) error {
	_, err := c.ec2().DeleteKeyPair(ctx, &ec2.DeleteKeyPairInput{KeyName: aws.String(name)})
	if err := wrap(err); !IsKind(err, Absent) {
		return err
	}
	return nil
}
