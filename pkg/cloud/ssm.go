package cloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// runShellScript is AWS's document that runs a shell script on Linux.
const runShellScript = "AWS-RunShellScript"

// deliveryTimeout is how long SSM may take to hand a command over, in seconds:
// the least that it knows.
const deliveryTimeout = 30

// pollEvery is the time between two looks at a command.
const pollEvery = time.Second

// RunCommand runs a shell script on a machine by SSM Run Command and waits for
// its end. Script and output stay in SSM's history. stdout holds at most
// 24,000 characters, stderr 8,000. Errors: a script that
// failed or did not end in time, and those of AWS.
func (c *Client) RunCommand(ctx context.Context, instanceID, script string, timeout time.Duration) (stdout, stderr string, err error) {
	sent, err := c.ssm().SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: aws.String(runShellScript), InstanceIds: []string{instanceID}, TimeoutSeconds: aws.Int32(deliveryTimeout),
		Parameters: map[string][]string{"commands": {script}, "executionTimeout": {strconv.Itoa(int(timeout.Seconds()))}},
	})
	if err != nil {
		return "", "", wrap(err)
	}
	for {
		select {
		case <-ctx.Done():
			return "", "", ctx.Err()
		case <-time.After(pollEvery):
		}
		out, err := c.ssm().GetCommandInvocation(ctx, &ssm.GetCommandInvocationInput{CommandId: sent.Command.CommandId, InstanceId: aws.String(instanceID)})
		var early *ssmtypes.InvocationDoesNotExist
		switch {
		case errors.As(err, &early): // SSM needs a moment to know of it
			continue
		case err != nil:
			return "", "", wrap(err)
		}
		switch out.Status {
		case ssmtypes.CommandInvocationStatusPending, ssmtypes.CommandInvocationStatusInProgress, ssmtypes.CommandInvocationStatusDelayed:
			continue
		case ssmtypes.CommandInvocationStatusSuccess:
			return aws.ToString(out.StandardOutputContent), aws.ToString(out.StandardErrorContent), nil
		}
		return "", "", fmt.Errorf("the command ended as %s (exit code %d): %s",
			aws.ToString(out.StatusDetails), out.ResponseCode, redact.Line(aws.ToString(out.StandardErrorContent)))
	}
}

// maxListed is how many ids a filter of DescribeInstanceInformation takes.
const maxListed = 50

// Online says which of the machines have an SSM agent that is connected.
func (c *Client) Online(ctx context.Context, instanceIDs []string) (map[string]bool, error) {
	online := map[string]bool{}
	for ids := range slices.Chunk(instanceIDs, maxListed) {
		pages := ssm.NewDescribeInstanceInformationPaginator(c.ssm(), &ssm.DescribeInstanceInformationInput{
			Filters: []ssmtypes.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: ids}},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, wrap(err)
			}
			for _, machine := range page.InstanceInformationList {
				online[aws.ToString(machine.InstanceId)] = machine.PingStatus == ssmtypes.PingStatusOnline
			}
		}
	}
	return online, nil
}
