package clijson

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// TestVersionsOfTheCLI: version 1 prints times of JSON services as epoch
// seconds, version 2 as ISO 8601; names of EKS are lowerCamel in both.
func TestVersionsOfTheCLI(t *testing.T) {
	for name, createdAt := range map[string]string{
		"v1": `1767225600.25`, "v2": `"2026-01-01T00:00:00.250000+00:00"`, "v2, elsewhere": `"2026-01-01T02:00:00.250000+02:00"`,
	} {
		t.Run(name, func(t *testing.T) {
			var out eks.DescribeClusterOutput
			document := `{"cluster": {"name": "demo", "createdAt": ` + createdAt + `, "certificateAuthority": {"data": "Q0E="},
				"resourcesVpcConfig": {"subnetIds": ["subnet-1"], "endpointPrivateAccess": true},
				"kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"},
				"accessConfig": {"authenticationMode": "API"}, "tags": {"a": "b"}, "fieldOfTomorrow": {"x": [1, {"y": null}]}}}`
			if err := Decode([]byte(document), &out); err != nil {
				t.Fatal(err)
			}
			c := out.Cluster
			if want := time.Date(2026, 1, 1, 0, 0, 0, 250e6, time.UTC); !aws.ToTime(c.CreatedAt).Equal(want) {
				t.Errorf("created at %v", aws.ToTime(c.CreatedAt))
			}
			if aws.ToString(c.Name) != "demo" || aws.ToString(c.CertificateAuthority.Data) != "Q0E=" || !c.ResourcesVpcConfig.EndpointPrivateAccess ||
				c.AccessConfig.AuthenticationMode != "API" || c.KubernetesNetworkConfig.IpFamily != "ipv4" || c.Tags["a"] != "b" || len(c.ResourcesVpcConfig.SubnetIds) != 1 {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestPolicyDocuments: IAM's API has them as text, the CLI prints objects.
func TestPolicyDocuments(t *testing.T) {
	var out iam.GetRoleOutput
	if err := Decode([]byte(`{"Role": {"RoleName": "nodes", "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [ ] }}}`), &out); err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(out.Role.AssumeRolePolicyDocument); got != `{"Version":"2012-10-17","Statement":[]}` {
		t.Error(got)
	}
}

func TestInstances(t *testing.T) {
	var out ec2.DescribeInstancesOutput
	err := Decode([]byte(`{"Reservations": [{"Instances": [{"InstanceId": "i-1", "AmiLaunchIndex": 0, "LaunchTime": "2026-01-01T00:00:00.000Z",
		"State": {"Code": 16, "Name": "running"}, "Monitoring": null, "EbsOptimized": false}]}]}`), &out)
	if err != nil {
		t.Fatal(err)
	}
	in := out.Reservations[0].Instances[0]
	if aws.ToString(in.InstanceId) != "i-1" || in.State.Name != "running" || aws.ToInt32(in.State.Code) != 16 || in.LaunchTime == nil {
		t.Errorf("%+v", in)
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for name, c := range map[string]struct {
		document string
		line     int
		says     string
	}{
		"syntax":    {"{\n\"Reservations\": [\n}", 3, "invalid character"},
		"cut off":   {"{\n\"Reservations\": [", 2, "ends too early"},
		"empty":     {"", 1, "ends too early"},
		"time":      {"{\"Reservations\": [{\"Instances\": [\n{\"LaunchTime\": \"soon\"}]}]}", 2, "LaunchTime: soon where a time is due"},
		"list":      {"{\n\n\"Reservations\": {}}", 3, "an object where a list is due"},
		"number":    {"{\"Reservations\": [{\"Instances\": [{\"AmiLaunchIndex\": true}]}]}", 1, "whole number"},
		"two":       {"{}\n{}", 2, "more follows"},
		"not JSON":  {"\nAn error occurred (AccessDenied)", 2, "invalid character"},
		"very deep": {strings.Repeat(`[`, 100), 1, "list where an object"},
	} {
		t.Run(name, func(t *testing.T) {
			var out ec2.DescribeInstancesOutput
			err := Decode([]byte(c.document), &out)
			var at *Error
			if !errors.As(err, &at) || at.Line != c.line || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want line %d and %q", err, c.line, c.says)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"Reservations": [{"Instances": [{"InstanceId": "i-1", "LaunchTime": 1.5, "Tags": [{"Key": "a"}]}]}]}`))
	f.Add([]byte(`{"Reservations": [[[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out ec2.DescribeInstancesOutput
		var at *Error
		if err := Decode(data, &out); err != nil && (!errors.As(err, &at) || at.Line < 1) {
			t.Errorf("%T %v", err, err)
		}
	})
}
