package front

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/keys"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/sigv4"
)

// How far the time of a signature may be from the front's clock. Most services
// allow five minutes; STS allows fifteen, which is also how long a presigned
// STS request (an EKS token) works, whatever its X-Amz-Expires says.
const (
	window    = 5 * time.Minute
	stsWindow = 15 * time.Minute
)

// authenticate verifies the signature of a call and returns its caller.
func (f *Front) authenticate(ctx context.Context, req *request, sig *sigv4.Signature, sigErr error) (keys.Key, error) {
	call := req.call
	if errors.Is(sigErr, sigv4.ErrMissing) {
		return keys.Key{}, awsapi.MissingSignature(call)
	}
	if sigErr != nil {
		return keys.Key{}, awsapi.IncompleteSignature(call, sigErr.Error())
	}
	key, ok := f.keys.Get(sig.KeyID)
	if !ok || key.Inactive || key.SessionToken != sig.SecurityToken {
		return keys.Key{}, awsapi.UnknownKey(call)
	}
	if err := f.checkScope(call, sig); err != nil {
		return keys.Key{}, err
	}
	if err := sig.Verify(req.http, call.Body, key.Secret); err != nil {
		return keys.Key{}, awsapi.BadSignature(call)
	}
	now := f.now()
	if err := checkTime(call, sig, now); err != nil {
		return keys.Key{}, err
	}
	if !key.Expiration.IsZero() && now.After(key.Expiration) {
		return keys.Key{}, awsapi.ExpiredSession(call)
	}
	return f.identify(ctx, key), nil
}

// checkScope compares the credential scope with what the host name says. IAM
// and the global STS endpoint are signed for us-east-1.
func (f *Front) checkScope(call awsapi.Call, sig *sigv4.Signature) error {
	if _, served := f.services()[call.HostService]; !served {
		return nil // an address, or an alias that says nothing
	}
	if call.HostService != sig.Service {
		return awsapi.BadScope(call, "Credential should be scoped to correct service: '"+call.HostService+"'.")
	}
	region := call.HostRegion
	if region == "" && f.cfg.Partition == "aws" {
		region = "us-east-1"
	}
	if region != "" && region != sig.Region {
		return awsapi.BadScope(call, "Credential should be scoped to a valid region.")
	}
	return nil
}

func checkTime(call awsapi.Call, sig *sigv4.Signature, now time.Time) error {
	early, late := window, window
	switch {
	case call.Service == "sts":
		early, late = stsWindow, stsWindow
	case sig.Presigned:
		late = sig.Expires
	}
	if now.Sub(sig.Time) > late {
		return awsapi.OutsideWindow(call, sig.Time, now, late)
	}
	if sig.Time.Sub(now) > early {
		return awsapi.OutsideWindow(call, sig.Time, now, early)
	}
	return nil
}

// identify completes a key with its owner's identity, once. A failure leaves
// the identity empty: most calls work without.
func (f *Front) identify(ctx context.Context, key keys.Key) keys.Key {
	if key.ARN != "" {
		return key
	}
	id, err := f.moto.CallerIdentity(ctx, key.ID)
	if err != nil {
		f.log.Error("look up the owner of an access key", "error", err)
		return key
	}
	own := func(k *keys.Key) { k.ARN, k.UserID, k.Account = id.ARN, id.UserID, id.Account }
	f.keys.Update(key.ID, own)
	own(&key)
	return key
}

// resource names what a denied call was about, as far as its parameters tell.
func (f *Front) resource(call awsapi.Call) string {
	arn := func(service, region, rest string) string {
		return strings.Join([]string{"arn", f.cfg.Partition, service, region, f.cfg.Account, rest}, ":")
	}
	form := call.Form.Get
	switch {
	case call.Path["name"] != "":
		return arn("eks", f.cfg.Region, "cluster/"+call.Path["name"])
	case call.Service == "eks":
		return arn("eks", f.cfg.Region, "cluster/*")
	case form("RoleArn") != "":
		return form("RoleArn")
	case call.Service == "iam" && form("RoleName") != "":
		return arn("iam", "", "role/"+form("RoleName"))
	case call.Service == "iam" && form("InstanceProfileName") != "":
		return arn("iam", "", "instance-profile/"+form("InstanceProfileName"))
	case call.Service == "cloudformation" && form("StackName") != "":
		return arn("cloudformation", f.cfg.Region, "stack/"+form("StackName")+"/*")
	case call.Service == "ec2" && call.Write():
		return arn("ec2", f.cfg.Region, "*/*")
	case call.Service == "ssm" || call.Service == "servicequotas" || call.Service == "ec2-instance-connect":
		return arn(call.Service, f.cfg.Region, "*")
	}
	return ""
}
