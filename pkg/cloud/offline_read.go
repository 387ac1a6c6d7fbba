package cloud

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// unlistedEntry answers for a principal that the list does not have, as EKS
// would.
func unlistedEntry(c offlineCall, _ any) (done bool, err error) {
	request, ok := c.in.(*eks.DescribeAccessEntryInput)
	if !ok {
		return false, nil
	}
	var list eks.ListAccessEntriesOutput
	listing := offlineCall{files: c.files, service: c.service, operation: "ListAccessEntries", in: &eks.ListAccessEntriesInput{}}
	if err := listing.decode(listing.path(""), &list); err != nil || slices.Contains(list.AccessEntries, aws.ToString(request.PrincipalArn)) {
		return false, nil //nolint:nilerr // without a list the entry's own file decides
	}
	return false, notThere("ResourceNotFoundException", "The specified principalArn could not be found.")
}

// The CLI prints policies of IAM as objects; its API has them URL-encoded.

func escapePolicy(_ *iam.GetRoleInput, out *iam.GetRoleOutput) error {
	if out.Role != nil {
		escape(out.Role.AssumeRolePolicyDocument)
	}
	return nil
}

func escapeInline(_ *iam.GetRolePolicyInput, out *iam.GetRolePolicyOutput) error {
	escape(out.PolicyDocument)
	return nil
}

func escapeProfile(_ *iam.GetInstanceProfileInput, out *iam.GetInstanceProfileOutput) error {
	escapeRoles(out.InstanceProfile)
	return nil
}

func escapeRoles(profile *iamtypes.InstanceProfile) {
	if profile != nil {
		for i := range profile.Roles {
			escape(profile.Roles[i].AssumeRolePolicyDocument)
		}
	}
}

func escape(policy *string) {
	if policy != nil && strings.HasPrefix(*policy, "{") {
		*policy = url.QueryEscape(*policy)
	}
}

// collectProfiles makes the account's list of the instance profiles that were
// collected one by one.
func collectProfiles(c offlineCall, out any) (done bool, err error) {
	list, ok := out.(*iam.ListInstanceProfilesOutput)
	if !ok {
		return false, nil
	}
	get := offlineCall{files: c.files, service: c.service, operation: "GetInstanceProfile", in: &iam.GetInstanceProfileInput{InstanceProfileName: aws.String("NAME")}}
	prefix, _ := strings.CutSuffix(get.path(""), ".json")
	for _, name := range c.files.Names() {
		if !strings.HasPrefix(name, prefix+".") || !strings.HasSuffix(name, ".json") {
			continue
		}
		var one iam.GetInstanceProfileOutput
		if err := get.decode(name, &one); err != nil {
			return false, err
		}
		if one.InstanceProfile != nil {
			escapeRoles(one.InstanceProfile)
			list.InstanceProfiles = append(list.InstanceProfiles, *one.InstanceProfile)
		}
	}
	if len(list.InstanceProfiles) > 0 {
		return true, nil
	}
	if _, err := c.files.ReadFile(c.path("")); err != nil {
		return false, get.missing(get.path("NAME"), fs.ErrNotExist)
	}
	return false, nil
}

// consoleText takes a console's text as it stands.
func consoleText(c offlineCall, out any) (done bool, err error) {
	request, fits := c.in.(*ec2.GetConsoleOutputInput)
	answer, also := out.(*ec2.GetConsoleOutputOutput)
	if !fits || !also {
		return false, nil
	}
	name := strings.TrimSuffix(c.path(aws.ToString(request.InstanceId)), ".json") + ".txt"
	data, err := c.files.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, badFile(name, err)
	}
	answer.InstanceId, answer.Output = request.InstanceId, aws.String(base64.StdEncoding.EncodeToString(data))
	return true, nil
}

// userDataText takes decoded user data.
func userDataText(c offlineCall, out any) (done bool, err error) {
	request, fits := c.in.(*ec2.DescribeInstanceAttributeInput)
	answer, also := out.(*ec2.DescribeInstanceAttributeOutput)
	if !fits || !also || request.Attribute != ec2types.InstanceAttributeNameUserData {
		return false, nil
	}
	id := aws.ToString(request.InstanceId)
	for _, name := range []string{"aws/ec2/user-data." + id + ".txt", "node/" + id + "/user-data.txt"} {
		data, err := c.files.ReadFile(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return false, badFile(name, err)
		}
		answer.InstanceId = request.InstanceId
		answer.UserData = &ec2types.AttributeValue{Value: aws.String(base64.StdEncoding.EncodeToString(data))}
		return true, nil
	}
	return false, nil
}
