package front_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
)

// faultCalls are one call of each protocol, with the action that a denial names.
func faultCalls(t *testing.T, cfg aws.Config) map[string]func() error {
	return map[string]func() error{
		"sts:AssumeRole": func() error {
			_, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(nodeRole), RoleSessionName: aws.String("s1")})
			return err
		},
		"cloudformation:DeleteStack": func() error {
			_, err := cloudformation.NewFromConfig(cfg).DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("g")})
			return err
		},
		"ec2:DescribeVpcs": func() error { _, err := ec2.NewFromConfig(cfg).DescribeVpcs(t.Context(), nil); return err },
		"eks:DescribeCluster": func() error {
			_, err := eks.NewFromConfig(cfg).DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("demo")})
			return err
		},
		"ssm:GetParameter": func() error {
			_, err := ssm.NewFromConfig(cfg).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/x")})
			return err
		},
	}
}

func TestFaultsSpeakTheServicesWords(t *testing.T) {
	for kind, tc := range map[string]struct {
		rule string
		want map[string]string // "status code"
	}{
		"deny": {`{"kind":"deny","target":"*:*"}`, map[string]string{
			"sts:AssumeRole": "403 AccessDenied", "cloudformation:DeleteStack": "403 AccessDenied", "ec2:DescribeVpcs": "403 UnauthorizedOperation",
			"eks:DescribeCluster": "403 AccessDeniedException", "ssm:GetParameter": "400 AccessDeniedException",
		}},
		"throttle": {`{"kind":"throttle","target":"*:*"}`, map[string]string{
			"sts:AssumeRole": "400 Throttling", "cloudformation:DeleteStack": "400 Throttling", "ec2:DescribeVpcs": "503 RequestLimitExceeded",
			"eks:DescribeCluster": "429 ThrottlingException", "ssm:GetParameter": "400 ThrottlingException",
		}},
		"error": {`{"kind":"error","target":"*:*"}`, map[string]string{
			"sts:AssumeRole": "500 InternalFailure", "cloudformation:DeleteStack": "500 InternalFailure", "ec2:DescribeVpcs": "500 InternalError",
			"eks:DescribeCluster": "500 ServerException", "ssm:GetParameter": "500 InternalServerError",
		}},
		"error of one's own": {`{"kind":"error","target":"*:*","code":"Weird","status":418,"message":"m"}`, map[string]string{
			"sts:AssumeRole": "418 Weird", "cloudformation:DeleteStack": "418 Weird", "ec2:DescribeVpcs": "418 Weird",
			"eks:DescribeCluster": "418 Weird", "ssm:GetParameter": "418 Weird",
		}},
	} {
		g := newRig(t, front.Hooks{})
		rule := g.inject(t, tc.rule)
		for action, call := range faultCalls(t, g.config()) {
			err := call()
			if got := statusAndCode(t, err); got != tc.want[action] {
				t.Errorf("%s, %s: %q, want %q", kind, action, got, tc.want[action])
			}
			if want := "User: " + aliceARN + " is not authorized to perform: " + action; kind == "deny" && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: message of %v does not say %q", action, err, want)
			}
		}
		for _, rec := range g.calls(t, "") {
			if rec.Fault != rule.ID || rec.Unimplemented {
				t.Errorf("%s logged as %+v", kind, rec)
			}
		}
	}
}

func statusAndCode(t *testing.T, err error) string {
	t.Helper()
	var response *awshttp.ResponseError
	var api smithy.APIError
	if !errors.As(err, &response) || !errors.As(err, &api) {
		t.Fatalf("not an AWS error: %v", err)
	}
	return itoa(response.HTTPStatusCode()) + " " + api.ErrorCode()
}

func TestDeniedResource(t *testing.T) {
	g := newRig(t, front.Hooks{})
	g.inject(t, `{"kind":"deny","target":"*:*"}`)
	for action, want := range map[string]string{
		"sts:AssumeRole":             " on resource: " + nodeRole,
		"cloudformation:DeleteStack": " on resource: arn:aws:cloudformation:us-west-2:111122223333:stack/g/*",
		"eks:DescribeCluster":        " on resource: arn:aws:eks:us-west-2:111122223333:cluster/demo",
		"ec2:DescribeVpcs":           "ec2:DescribeVpcs because no identity-based policy",
	} {
		if err := faultCalls(t, g.config())[action](); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", action, err, want)
		}
	}
}

func TestFaultForOnePrincipal(t *testing.T) {
	g := newRig(t, front.Hooks{})
	g.inject(t, `{"kind":"deny","target":"ec2:DescribeVpcs","principal":"*:assumed-role/nodes/*"}`)
	c, err := g.front.RoleSession(t.Context(), nodeRole, "i-0aaaaaaaaaaaaaaaa")
	if err != nil {
		t.Fatal(err)
	}
	node := g.configFor(aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken})
	if got := codeOf(t, faultCalls(t, node)["ec2:DescribeVpcs"]()); got != "UnauthorizedOperation" {
		t.Errorf("node: code %q", got)
	}
	if got := codeOf(t, faultCalls(t, g.config())["ec2:DescribeVpcs"]()); got != "" {
		t.Errorf("alice: code %q", got)
	}
}

func TestDelay(t *testing.T) {
	g := newRig(t, front.Hooks{})
	g.inject(t, `{"kind":"delay","target":"sts:*","delay":"150ms","count":1}`)
	start := time.Now()
	call := reads(t, g.config())["sts"]
	if err := call(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 150*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
}

func TestSDKRetriesThroughThrottling(t *testing.T) {
	g := newRig(t, front.Hooks{})
	g.inject(t, `{"kind":"throttle","target":"ec2:DescribeVpcs","count":2}`)
	cfg := g.config()
	cfg.RetryMaxAttempts = 3
	if err := faultCalls(t, cfg)["ec2:DescribeVpcs"](); err != nil {
		t.Errorf("third try: %v", err)
	}
	if got := len(g.calls(t, "")); got != 3 {
		t.Errorf("%d calls, want 3", got)
	}
}

func TestControl(t *testing.T) {
	g := newRig(t, front.Hooks{})
	rule := g.inject(t, `{"kind":"deny","target":"eks:*"}`)
	for _, tc := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/faults", `{"kind":"deny"}`, http.StatusBadRequest},
		{"POST", "/faults", `{"kind":"deny","target":"a:b","cuont":1}`, http.StatusBadRequest},
		{"DELETE", "/faults/99", "", http.StatusNotFound},
		{"DELETE", "/faults/" + rule.ID, "", http.StatusNoContent},
		{"DELETE", "/faults", "", http.StatusNoContent},
		{"PUT", "/clock", `{"offset":"soon"}`, http.StatusBadRequest},
		{"GET", "/calls?since=yesterday", "", http.StatusBadRequest},
		{"DELETE", "/calls", "", http.StatusNoContent},
	} {
		if got := g.send(t, tc.method, tc.path, tc.body, nil); got != tc.want {
			t.Errorf("%s %s: status %d, want %d", tc.method, tc.path, got, tc.want)
		}
	}
	if err := reads(t, g.config())["eks"](); err != nil {
		t.Errorf("after the faults were removed: %v", err)
	}
	if got := g.calls(t, ""); len(got) != 1 || len(g.calls(t, "?writes=true")) != 0 || len(g.calls(t, "?after="+itoa(int(got[0].Seq)))) != 0 {
		t.Errorf("calls = %+v", got)
	}
}
