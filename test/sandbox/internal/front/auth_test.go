package front_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
)

// reads are one call of each protocol.
func reads(t *testing.T, cfg aws.Config) map[string]func() error {
	return map[string]func() error{
		"sts": func() error { _, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil); return err },
		"ec2": func() error { _, err := ec2.NewFromConfig(cfg).DescribeVpcs(t.Context(), nil); return err },
		"eks": func() error { _, err := eks.NewFromConfig(cfg).ListClusters(t.Context(), nil); return err },
		"ssm": func() error {
			_, err := ssm.NewFromConfig(cfg).GetCommandInvocation(t.Context(), &ssm.GetCommandInvocationInput{
				CommandId: aws.String("0b7ee5a0-0000-4000-8000-000000000000"), InstanceId: aws.String("i-0aaaaaaaaaaaaaaaa"),
			})
			return err
		},
	}
}

func TestSignaturesAreVerified(t *testing.T) {
	g := newRig(t, front.Hooks{RunCommand: runNothing})
	alice := aws.Credentials{AccessKeyID: aliceKey, SecretAccessKey: aliceSecret}
	withToken, wrongSecret := alice, alice
	withToken.SessionToken = "not hers"
	wrongSecret.SecretAccessKey = "wrong"
	for name, tc := range map[string]struct {
		creds aws.Credentials
		want  map[string]string
	}{
		"right": {alice, map[string]string{"sts": "", "ec2": "", "eks": "", "ssm": "InvocationDoesNotExist"}},
		"wrong secret": {wrongSecret, map[string]string{
			"sts": "SignatureDoesNotMatch", "ec2": "AuthFailure", "eks": "InvalidSignatureException", "ssm": "InvalidSignatureException",
		}},
		"unknown key": {aws.Credentials{AccessKeyID: "AKIANOBODYNOBODY0000", SecretAccessKey: aliceSecret}, map[string]string{
			"sts": "InvalidClientTokenId", "ec2": "AuthFailure", "eks": "UnrecognizedClientException", "ssm": "UnrecognizedClientException",
		}},
		"foreign session token": {withToken, map[string]string{
			"sts": "InvalidClientTokenId", "ec2": "AuthFailure", "eks": "UnrecognizedClientException", "ssm": "UnrecognizedClientException",
		}},
	} {
		for service, call := range reads(t, g.configFor(tc.creds)) {
			if got := codeOf(t, call()); got != tc.want[service] {
				t.Errorf("%s, %s: code %q, want %q", name, service, got, tc.want[service])
			}
		}
	}
}

func TestClocksMustAgree(t *testing.T) {
	g := newRig(t, front.Hooks{RunCommand: runNothing})
	for offset, want := range map[string]map[string]string{
		"4m":   {"sts": "", "ec2": "", "eks": "", "ssm": "InvocationDoesNotExist"},
		"6m":   {"sts": "", "ec2": "RequestExpired", "eks": "InvalidSignatureException", "ssm": "InvalidSignatureException"},
		"-6m":  {"sts": "", "ec2": "RequestExpired", "eks": "InvalidSignatureException", "ssm": "InvalidSignatureException"},
		"16m":  {"sts": "SignatureDoesNotMatch", "ec2": "RequestExpired", "eks": "InvalidSignatureException", "ssm": "InvalidSignatureException"},
		"-16m": {"sts": "SignatureDoesNotMatch", "ec2": "RequestExpired", "eks": "InvalidSignatureException", "ssm": "InvalidSignatureException"},
	} {
		g.send(t, "PUT", "/clock", `{"offset":"`+offset+`"}`, nil)
		// New clients: SDKs learn the server's clock from their first failure.
		for service, call := range reads(t, g.config()) {
			if got := codeOf(t, call()); got != want[service] {
				t.Errorf("front's clock at %s, %s: code %q, want %q", offset, service, got, want[service])
			}
		}
	}
}

func TestAssumedRole(t *testing.T) {
	g := newRig(t, front.Hooks{})
	alice := sts.NewFromConfig(g.config())
	out, err := alice.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(nodeRole), RoleSessionName: aws.String("s1")})
	if err != nil {
		t.Fatal(err)
	}
	session := aws.Credentials{
		AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken,
	}
	who, err := sts.NewFromConfig(g.configFor(session)).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *who.Arn != "arn:aws:sts::111122223333:assumed-role/nodes/s1" || *who.UserId != "AROANODES00000000001:s1" || *who.Account != account {
		t.Errorf("session is %s, %s, %s", *who.Arn, *who.UserId, *who.Account)
	}

	session.SessionToken = ""
	_, err = sts.NewFromConfig(g.configFor(session)).GetCallerIdentity(t.Context(), nil)
	if got := codeOf(t, err); got != "InvalidClientTokenId" {
		t.Errorf("without its token: code %q", got)
	}
	_, err = alice.AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::111122223333:role/absent"), RoleSessionName: aws.String("s1"),
	})
	if got := codeOf(t, err); got != "AccessDenied" {
		t.Errorf("absent role: code %q", got)
	}
}

func TestRoleSession(t *testing.T) {
	g := newRig(t, front.Hooks{})
	c, err := g.front.RoleSession(t.Context(), nodeRole, "i-0aaaaaaaaaaaaaaaa")
	if err != nil {
		t.Fatal(err)
	}
	cfg := g.configFor(aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken})
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "arn:aws:sts::111122223333:assumed-role/nodes/i-0aaaaaaaaaaaaaaaa"; *who.Arn != want {
		t.Errorf("session is %s, want %s", *who.Arn, want)
	}
	if until := time.Until(c.Expiration); until <= 0 {
		t.Errorf("expires in %v", until)
	}
	if _, err := g.front.RoleSession(t.Context(), "arn:aws:iam::111122223333:role/absent", "i-0aaaaaaaaaaaaaaaa"); err == nil {
		t.Error("a session of an absent role was opened")
	}
	g.moto.trusted = "lambda.amazonaws.com"
	if _, err := g.front.RoleSession(t.Context(), nodeRole, "i-0aaaaaaaaaaaaaaaa"); err == nil {
		t.Error("a session of a role was opened that EC2 may not assume")
	}
}

func TestAccessKeysAreFollowed(t *testing.T) {
	g := newRig(t, front.Hooks{})
	admin := iam.NewFromConfig(g.config())
	out, err := admin.CreateAccessKey(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	key := out.AccessKey
	works := func(want string) {
		t.Helper()
		cfg := g.configFor(aws.Credentials{AccessKeyID: *key.AccessKeyId, SecretAccessKey: *key.SecretAccessKey})
		_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
		if got := codeOf(t, err); got != want {
			t.Errorf("code %q, want %q", got, want)
		}
	}
	works("")
	for _, status := range []string{"Inactive", "Active"} {
		_, err := admin.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{AccessKeyId: key.AccessKeyId, Status: iamStatus(status)})
		if err != nil {
			t.Fatal(err)
		}
		works(map[string]string{"Inactive": "InvalidClientTokenId", "Active": ""}[status])
	}
	if _, err := admin.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{AccessKeyId: key.AccessKeyId}); err != nil {
		t.Fatal(err)
	}
	works("InvalidClientTokenId")
}

func TestCredentialScope(t *testing.T) {
	g := newRig(t, front.Hooks{})
	cfg := g.config()
	cfg.Region = "eu-central-1"
	cfg.BaseEndpoint = aws.String("https://sts.us-west-2.amazonaws.com")
	_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if got := codeOf(t, err); got != "SignatureDoesNotMatch" {
		t.Errorf("scope of another region: code %q", got)
	}
	cfg.Region = region
	_, err = autoscaling.NewFromConfig(cfg).DescribeAutoScalingGroups(t.Context(), nil)
	if got := codeOf(t, err); got != "SignatureDoesNotMatch" {
		t.Errorf("scope of another service: code %q", got)
	}
}
