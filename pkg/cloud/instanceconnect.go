package cloud

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	connect "github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
)

// pushKey is the IAM action: its prefix is not the service's id.
const pushKey = "ec2-instance-connect:SendSSHPublicKey"

// PushSSHKey lets a public key, as a line of authorized_keys, open a user's
// door on a machine for a minute, by EC2 Instance Connect.
func (c *Client) PushSSHKey(ctx context.Context, instanceID, zone, user, publicKey string) error {
	input := &connect.SendSSHPublicKeyInput{
		InstanceId: aws.String(instanceID), InstanceOSUser: aws.String(user), SSHPublicKey: aws.String(publicKey),
	}
	if zone != "" {
		input.AvailabilityZone = aws.String(zone)
	}
	_, err := c.connect().SendSSHPublicKey(ctx, input)
	if err = wrap(err); err != nil {
		var failed *Error
		if errors.As(err, &failed) {
			failed.Op = pushKey
		}
		return err
	}
	return nil
}
