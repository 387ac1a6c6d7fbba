package cloud

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// TestDigestsOfVersions: one sees every difference, the other all but what a
// stack's parameters set. Neither changes what was read.
func TestDigestsOfVersions(t *testing.T) {
	version := func(edit func(*ec2types.ResponseLaunchTemplateData)) ec2types.LaunchTemplateVersion {
		volume := func(device string, size int32) ec2types.LaunchTemplateBlockDeviceMapping {
			return ec2types.LaunchTemplateBlockDeviceMapping{
				DeviceName: aws.String(device), Ebs: &ec2types.LaunchTemplateEbsBlockDevice{VolumeSize: aws.Int32(size), VolumeType: "gp3", Iops: aws.Int32(3000)},
			}
		}
		data := &ec2types.ResponseLaunchTemplateData{
			ImageId: aws.String("ami-1"), InstanceType: "m5.large", UserData: aws.String("x"),
			BlockDeviceMappings: []ec2types.LaunchTemplateBlockDeviceMapping{volume("/dev/xvda", 80), volume("/dev/xvdb", 10)},
		}
		if edit != nil {
			edit(data)
		}
		return ec2types.LaunchTemplateVersion{LaunchTemplateData: data, VersionNumber: aws.Int64(1)}
	}
	base, err := ConvertTemplateVersion(version(nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		edit func(*ec2types.ResponseLaunchTemplateData)
		rest bool // is another
	}{
		"image":                   {func(d *ec2types.ResponseLaunchTemplateData) { d.ImageId = aws.String("ami-2") }, false},
		"type":                    {func(d *ec2types.ResponseLaunchTemplateData) { d.InstanceType = "m6i.large" }, false},
		"size of the volume":      {func(d *ec2types.ResponseLaunchTemplateData) { d.BlockDeviceMappings[0].Ebs.VolumeSize = aws.Int32(100) }, false},
		"type of the volume":      {func(d *ec2types.ResponseLaunchTemplateData) { d.BlockDeviceMappings[0].Ebs.VolumeType = "io2" }, false},
		"IOPS of the volume":      {func(d *ec2types.ResponseLaunchTemplateData) { d.BlockDeviceMappings[0].Ebs.Iops = aws.Int32(4000) }, true},
		"size of the next volume": {func(d *ec2types.ResponseLaunchTemplateData) { d.BlockDeviceMappings[1].Ebs.VolumeSize = aws.Int32(20) }, true},
		"user data":               {func(d *ec2types.ResponseLaunchTemplateData) { d.UserData = aws.String("y") }, true},
	} {
		in := version(test.edit)
		got, err := ConvertTemplateVersion(in)
		if err != nil || got.Digest == base.Digest || (got.Rest != base.Rest) != test.rest {
			t.Errorf("%s: digest %t, rest %t, error %v", name, got.Digest != base.Digest, got.Rest != base.Rest, err)
		}
		if again, _ := ConvertTemplateVersion(in); again.Digest != got.Digest {
			t.Errorf("%s: what was read is another now", name)
		}
	}
}
