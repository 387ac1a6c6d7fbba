package instances

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node/imds"
)

// account is an EC2 and IAM with fixed answers.
type account struct {
	instances []types.Instance
	userData  string
	image     types.Image
	shutdown  string
	noProfile bool
	noRole    bool // the profile holds none
	asked     []string
	groups    []astypes.AutoScalingGroup
	warm      []astypes.Instance
}

func (a *account) DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
	return &ec2.DescribeInstancesOutput{Reservations: []types.Reservation{{ReservationId: aws.String("r-1"), Instances: a.instances}}}, nil
}

func (a *account) DescribeInstanceAttribute(_ context.Context, in *ec2.DescribeInstanceAttributeInput, _ ...func(*ec2.Options)) (*ec2.DescribeInstanceAttributeOutput, error) {
	a.asked = append(a.asked, string(in.Attribute))
	return &ec2.DescribeInstanceAttributeOutput{
		UserData:                          &types.AttributeValue{Value: aws.String(a.userData)},
		InstanceInitiatedShutdownBehavior: &types.AttributeValue{Value: aws.String(a.shutdown)},
	}, nil
}

func (a *account) DescribeSubnets(context.Context, *ec2.DescribeSubnetsInput, ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error) {
	return &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{{CidrBlock: aws.String("10.20.16.0/20"), AvailabilityZoneId: aws.String("usw2-az1")}}}, nil
}

func (a *account) DescribeKeyPairs(context.Context, *ec2.DescribeKeyPairsInput, ...func(*ec2.Options)) (*ec2.DescribeKeyPairsOutput, error) {
	return &ec2.DescribeKeyPairsOutput{KeyPairs: []types.KeyPairInfo{{PublicKey: aws.String("ssh-ed25519 AAAA alice\n")}}}, nil
}

func (a *account) DescribeImages(context.Context, *ec2.DescribeImagesInput, ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error) {
	return &ec2.DescribeImagesOutput{Images: []types.Image{a.image}}, nil
}

func (a *account) DescribeSecurityGroups(context.Context, *ec2.DescribeSecurityGroupsInput, ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	return &ec2.DescribeSecurityGroupsOutput{}, nil
}

func (a *account) StopInstances(_ context.Context, in *ec2.StopInstancesInput, _ ...func(*ec2.Options)) (*ec2.StopInstancesOutput, error) {
	a.asked = append(a.asked, "stop "+in.InstanceIds[0])
	return &ec2.StopInstancesOutput{}, nil
}

func (a *account) TerminateInstances(_ context.Context, in *ec2.TerminateInstancesInput, _ ...func(*ec2.Options)) (*ec2.TerminateInstancesOutput, error) {
	a.asked = append(a.asked, "terminate "+in.InstanceIds[0])
	return &ec2.TerminateInstancesOutput{}, nil
}

func (a *account) GetInstanceProfile(_ context.Context, in *iam.GetInstanceProfileInput, _ ...func(*iam.Options)) (*iam.GetInstanceProfileOutput, error) {
	if a.noProfile || aws.ToString(in.InstanceProfileName) != "nodes" {
		return nil, errors.New("NoSuchEntity")
	}
	if a.noRole {
		return &iam.GetInstanceProfileOutput{InstanceProfile: &iamtypes.InstanceProfile{InstanceProfileId: aws.String("AIPA1")}}, nil
	}
	return &iam.GetInstanceProfileOutput{InstanceProfile: &iamtypes.InstanceProfile{
		InstanceProfileId: aws.String("AIPA1"),
		Roles:             []iamtypes.Role{{Arn: aws.String("arn:aws:iam::111122223333:role/nodes"), RoleName: aws.String("nodes")}},
	}}, nil
}

func (a *account) DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: a.groups}, nil
}

func (a *account) DescribeWarmPool(context.Context, *autoscaling.DescribeWarmPoolInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeWarmPoolOutput, error) {
	return &autoscaling.DescribeWarmPoolOutput{Instances: a.warm}, nil
}

// Metadata says what its group wants of an instance, in the pool or in service.
func TestTargetState(t *testing.T) {
	member := func(id string, state astypes.LifecycleState) astypes.Instance {
		return astypes.Instance{InstanceId: aws.String(id), LifecycleState: state}
	}
	group := astypes.AutoScalingGroup{Instances: []astypes.Instance{
		member("i-new", astypes.LifecycleStatePending), member("i-held", astypes.LifecycleStatePendingWait), member("i-in", astypes.LifecycleStateInService),
		member("i-out", astypes.LifecycleStateTerminatingWait),
	}}
	warm := []astypes.Instance{member("i-cold", astypes.LifecycleStateWarmedPending), member("i-warm", astypes.LifecycleStateWarmedStopped), member("i-end", astypes.LifecycleStateWarmedTerminating)}
	for _, state := range []astypes.WarmPoolState{astypes.WarmPoolStateStopped, astypes.WarmPoolStateRunning} {
		group.WarmPoolConfiguration = &astypes.WarmPoolConfiguration{PoolState: state}
		got, err := newReader(&account{groups: []astypes.AutoScalingGroup{group}, warm: warm}).targets(t.Context())
		want := map[string]string{
			"i-new": "InService", "i-held": "InService", "i-in": "InService", "i-out": "Terminated",
			"i-cold": "Warmed:" + string(state), "i-warm": "Warmed:" + string(state), "i-end": "Warmed:Terminated",
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
	}
	group.WarmPoolConfiguration = nil
	a := &account{groups: []astypes.AutoScalingGroup{group}, warm: warm, instances: []types.Instance{running("i-in"), running("i-alone")}}
	all, err := newReader(a).list(t.Context())
	if err != nil || all[0].TargetState != "InService" || all[1].TargetState != "" {
		t.Errorf("%v %+v", err, all)
	}
}

func running(id string) types.Instance {
	return types.Instance{
		InstanceId: aws.String(id), ImageId: aws.String("ami-1"), InstanceType: types.InstanceTypeM5Large,
		State:            &types.InstanceState{Name: types.InstanceStateNameRunning},
		PrivateIpAddress: aws.String("10.20.16.7"), PrivateDnsName: aws.String("ip-10-20-16-7.us-west-2.compute.internal"),
		Placement: &types.Placement{AvailabilityZone: aws.String("us-west-2a")}, KeyName: aws.String("alice"),
		NetworkInterfaces:  []types.InstanceNetworkInterface{{NetworkInterfaceId: aws.String("eni-1"), MacAddress: aws.String("02:00:00:00:00:01")}},
		SecurityGroups:     []types.GroupIdentifier{{GroupId: aws.String("sg-1"), GroupName: aws.String("nodes")}},
		Tags:               []types.Tag{{Key: aws.String("Name"), Value: aws.String("demo")}},
		IamInstanceProfile: &types.IamInstanceProfile{Arn: aws.String("arn:aws:iam::111122223333:instance-profile/team/nodes")},
		MetadataOptions: &types.InstanceMetadataOptionsResponse{HttpTokens: types.HttpTokensStateRequired,
			HttpEndpoint: types.InstanceMetadataEndpointStateEnabled, HttpPutResponseHopLimit: aws.Int32(2)},
	}
}

func newReader(a *account) *reader {
	return &reader{ec2: a, iam: a, asg: a, details: map[string]details{},
		place: Place{Account: "111122223333", Partition: "aws", Region: "us-west-2", DNSSuffix: "amazonaws.com", VPCCIDR: "10.20.0.0/16"}}
}

func TestReadInstance(t *testing.T) {
	a := &account{
		instances: []types.Instance{running("i-1")}, userData: base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\n")),
		image: types.Image{Name: aws.String("amazon-eks-node-al2023-x86_64-standard-1.34-v20261110")}, shutdown: "terminate",
	}
	r := newReader(a)
	all, err := r.list(t.Context())
	if err != nil || len(all) != 1 || all[0].Unread != nil {
		t.Fatalf("instances %+v, %v", all, err)
	}
	want := Instance{
		State: types.InstanceStateNameRunning, Family: EKSOptimized, Shutdown: types.ShutdownBehaviorTerminate,
		Instance: imds.Instance{
			ID: "i-1", ImageID: "ami-1", Type: "m5.large", Account: "111122223333", Partition: "aws",
			Region: "us-west-2", Zone: "us-west-2a", ZoneID: "usw2-az1", DNSSuffix: "amazonaws.com", ReservationID: "r-1",
			Lifecycle: "on-demand", PrivateIP: "10.20.16.7", PrivateDNS: "ip-10-20-16-7.us-west-2.compute.internal",
			MAC: "02:00:00:00:00:01", InterfaceID: "eni-1", SubnetCIDR: "10.20.16.0/20", VPCCIDR: "10.20.0.0/16",
			Groups: []imds.Group{{ID: "sg-1", Name: "nodes"}}, KeyName: "alice", PublicKey: "ssh-ed25519 AAAA alice",
			Profile: &imds.Profile{ARN: "arn:aws:iam::111122223333:instance-profile/team/nodes", ID: "AIPA1",
				RoleARN: "arn:aws:iam::111122223333:role/nodes", RoleName: "nodes"},
			UserData: []byte("#!/bin/sh\n"), Tags: map[string]string{"Name": "demo"},
			Options: imds.Options{TokensRequired: true, HopLimit: 2},
		},
	}
	if diff := cmp.Diff(want, all[0]); diff != "" {
		t.Errorf("instance (-want +got):\n%s", diff)
	}
	asked := len(a.asked)
	if _, err := r.list(t.Context()); err != nil || len(a.asked) != asked {
		t.Errorf("details were read again: %v, %v", a.asked, err)
	}
	a.instances[0].State.Name = types.InstanceStateNameTerminated
	if _, err := r.list(t.Context()); err != nil || len(r.details) != 0 {
		t.Errorf("details of a terminated instance are kept: %v, %v", r.details, err)
	}
}

// One instance that cannot be read does not hide the others.
func TestUnreadInstance(t *testing.T) {
	other := running("i-2")
	other.IamInstanceProfile = nil
	a := &account{instances: []types.Instance{running("i-1"), other}, noProfile: true}
	all, err := newReader(a).list(t.Context())
	if err != nil || len(all) != 2 {
		t.Fatalf("instances %v, %v", all, err)
	}
	if all[0].Unread == nil || !strings.Contains(all[0].Unread.Error(), "NoSuchEntity") || all[1].Unread != nil || all[1].Profile != nil {
		t.Errorf("instances %+v", all)
	}
}

// A role that is put into an empty profile later reaches the instance.
func TestRoleComesLater(t *testing.T) {
	a := &account{instances: []types.Instance{running("i-1")}, noRole: true}
	r := newReader(a)
	if all, err := r.list(t.Context()); err != nil || all[0].Unread != nil || all[0].Profile != nil {
		t.Fatalf("with an empty profile: %+v, %v", all, err)
	}
	a.noRole = false
	if all, err := r.list(t.Context()); err != nil || all[0].Profile == nil || all[0].Profile.RoleName != "nodes" {
		t.Errorf("with a role in it: %+v, %v", all, err)
	}
}

func TestFamilyOf(t *testing.T) {
	for _, tt := range []struct {
		name, description string
		want              Family
	}{
		{"amazon-eks-node-al2023-x86_64-standard-1.34-v20261110", "", EKSOptimized},
		{"amazon-eks-node-al2023-x86_64-nvidia-1.34-v20261110", "", EKSOptimized},
		{"our-hardened-image", "built from amazon-eks-node-al2023-x86_64-standard-1.34-v20261110", EKSOptimized},
		{"bottlerocket-aws-k8s-1.34-x86_64-v1.52.0", "", Bottlerocket},
		{"al2023-ami-2023.9-x86_64", "Amazon Linux 2023 AMI", Plain},
		{"amazon-eks-node-1.32-v20251120", "EKS Kubernetes Worker AMI with AmazonLinux2 image", Plain},
		{"", "", Plain},
	} {
		if got := familyOf(tt.name, tt.description); got != tt.want {
			t.Errorf("familyOf(%q, %q) = %s, want %s", tt.name, tt.description, got, tt.want)
		}
	}
}

func TestWanted(t *testing.T) {
	for state, want := range map[types.InstanceStateName]power{
		types.InstanceStateNamePending: powerOn, types.InstanceStateNameRunning: powerOn,
		types.InstanceStateNameStopping: powerOff, types.InstanceStateNameStopped: powerOff,
		types.InstanceStateNameShuttingDown: powerGone, types.InstanceStateNameTerminated: powerGone,
	} {
		if got := wanted(state); got != want {
			t.Errorf("wanted(%s) = %d, want %d", state, got, want)
		}
	}
}

// A shutdown from inside stops or terminates the instance, as its attribute says.
func TestPowerCut(t *testing.T) {
	a := &account{}
	w := New(Config{EC2: a, IAM: a, AutoScaling: a, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	w.powerCut(t.Context(), Instance{Instance: imds.Instance{ID: "i-1"}, Shutdown: types.ShutdownBehaviorStop})
	w.powerCut(t.Context(), Instance{Instance: imds.Instance{ID: "i-2"}, Shutdown: types.ShutdownBehaviorTerminate})
	if want := []string{"stop i-1", "terminate i-2"}; !slices.Equal(a.asked, want) {
		t.Errorf("asked %v, want %v", a.asked, want)
	}
}

// names records the DNS names that are set.
type names map[string]netip.Addr

func (n names) Set(host string, address netip.Addr) { n[host] = address }
func (n names) Remove(host string)                  { delete(n, host) }

// A Bottlerocket instance gets no node but a console that says why, which can be
// read for a while after its end.
func TestInstanceThatCannotRun(t *testing.T) {
	a := &account{instances: []types.Instance{running("i-1")}, image: types.Image{Name: aws.String("bottlerocket-aws-k8s-1.34")}, shutdown: "stop"}
	a.instances[0].IamInstanceProfile = nil
	s, err := layout.New("unit", t.TempDir(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dns := names{}
	w := New(Config{Sandbox: s, EC2: a, IAM: a, AutoScaling: a, Names: dns, Log: slog.New(slog.DiscardHandler)})
	if err := w.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(dns) != 1 || len(w.Nodes()) != 1 || w.Nodes()[0].PID != 0 {
		t.Errorf("names %v, nodes %v", dns, w.Nodes())
	}
	m, err := w.find("i-1")
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for { // until the machine's loop has had its turn
		text, _, err := w.ConsoleOutput(t.Context(), "i-1")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "never join a cluster") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("console stays silent")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if online, err := w.CommandTarget(t.Context(), "i-1"); online || err != nil {
		t.Errorf("commands can be run: %v, %v", online, err)
	}
	a.instances = nil
	if err := w.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-m.done
	if text, _, err := w.ConsoleOutput(t.Context(), "i-1"); err != nil || len(text) == 0 || len(dns) != 0 || len(w.Nodes()) != 0 {
		t.Errorf("after the end: console %q, %v, names %v", text, err, dns)
	}
}
