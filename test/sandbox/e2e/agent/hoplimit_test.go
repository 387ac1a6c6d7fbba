package agent

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

// What root sees of the hop limit on the machine is what EC2 has for it, now and
// after it was changed; who is not root says why not.
func TestHopLimitIsEC2s(t *testing.T) {
	id, err := node()
	if err != nil {
		t.Fatal(err)
	}
	client := ec2.NewFromConfig(sandbox.AWS(t))
	set := func(limit int32) {
		t.Helper()
		ctx := context.WithoutCancel(t.Context()) // it ends the test, too
		if _, err := client.ModifyInstanceMetadataOptions(ctx, &ec2.ModifyInstanceMetadataOptionsInput{
			InstanceId: aws.String(id), HttpPutResponseHopLimit: aws.Int32(limit),
			HttpEndpoint: types.InstanceMetadataEndpointStateEnabled, HttpTokens: types.HttpTokensStateRequired, // moto forgets what is not named
		}); err != nil {
			t.Fatal(err)
		}
	}
	described, err := client.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	limit := aws.ToInt32(described.Reservations[0].Instances[0].MetadataOptions.HttpPutResponseHopLimit)
	t.Cleanup(func() { set(limit) })
	awaitHops(t, int(limit))
	set(1)
	awaitHops(t, 1)

	out, errOut, _ := onTheNode(t, "cp "+onNode+" /tmp/as-nobody && setpriv --reuid 65534 --regid 65534 --clear-groups /tmp/as-nobody report")
	document, err := hostreport.Decode(strings.NewReader(out))
	if err != nil {
		t.Fatalf("%v\n%s", err, errOut)
	}
	gap, missing := document.Facts.Gap(snapshot.ProbeHopLimit)
	if !missing || gap.Reason != snapshot.GapDenied || !strings.Contains(gap.Detail, "CAP_NET_RAW") {
		t.Errorf("as nobody: %+v, %+v", document.Facts.HopLimit, gap)
	}
}

// awaitHops waits until the machine sees a limit: the sandbox takes a change
// over within a second or so, as EC2 does.
func awaitHops(t *testing.T, limit int) {
	t.Helper()
	harness.Eventually(t, time.Minute, func() error {
		out, errOut, _ := onTheNode(t, onNode+" report")
		document, err := hostreport.Decode(strings.NewReader(out))
		if err != nil {
			return fmt.Errorf("%w: %s", err, errOut)
		}
		if seen := document.Facts.HopLimit; seen == nil || seen.Hops != limit {
			return fmt.Errorf("EC2 has %d, the machine sees %+v", limit, seen)
		}
		return nil
	})
}
