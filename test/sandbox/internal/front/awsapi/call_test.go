package awsapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

func TestRecognise(t *testing.T) {
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	for name, tc := range map[string]struct {
		host, target, body string
		header             http.Header
		scope              [2]string // service, region
		want               awsapi.Call
	}{
		"ec2 by its scope": {
			host: "198.51.100.10", body: "Action=RunInstances&MinCount=1", header: form, scope: [2]string{"ec2", "us-west-2"},
			want: awsapi.Call{Service: "ec2", Operation: "RunInstances", Protocol: awsapi.EC2Query, Region: "us-west-2"},
		},
		"query protocol by the host": {
			host: "sts.us-west-2.amazonaws.com", target: "/?Action=GetCallerIdentity",
			want: awsapi.Call{Service: "sts", Operation: "GetCallerIdentity", Protocol: awsapi.Query, Region: "us-west-2", HostService: "sts", HostRegion: "us-west-2"},
		},
		"JSON target": {
			host: "ssm.us-west-2.amazonaws.com:443", header: http.Header{"X-Amz-Target": {"AmazonSSM.SendCommand"}}, scope: [2]string{"ssm", "us-west-2"},
			want: awsapi.Call{Service: "ssm", Operation: "SendCommand", Protocol: awsapi.JSON, Region: "us-west-2", HostService: "ssm", HostRegion: "us-west-2"},
		},
		"REST": {
			host: "eks.us-west-2.api.aws", target: "/clusters/demo", scope: [2]string{"eks", "us-west-2"},
			want: awsapi.Call{Service: "eks", Protocol: awsapi.RESTJSON, Region: "us-west-2", HostService: "eks", HostRegion: "us-west-2"},
		},
		"China": {
			host: "ec2.cn-north-1.amazonaws.com.cn",
			want: awsapi.Call{Service: "ec2", Protocol: awsapi.EC2Query, Region: "cn-north-1", HostService: "ec2", HostRegion: "cn-north-1"},
		},
		"FIPS in the region of the scope": {
			host: "sts-fips.us-gov-west-1.amazonaws.com", target: "/?Action=AssumeRole",
			want: awsapi.Call{Service: "sts", Operation: "AssumeRole", Protocol: awsapi.Query, Region: "us-gov-west-1", HostService: "sts", HostRegion: "us-gov-west-1"},
		},
		"global host": {
			host: "iam.amazonaws.com", body: "Action=GetRole", header: form, scope: [2]string{"iam", "us-east-1"},
			want: awsapi.Call{Service: "iam", Operation: "GetRole", Protocol: awsapi.Query, Region: "us-east-1", HostService: "iam"},
		},
	} {
		if tc.target == "" {
			tc.target = "/"
		}
		r := httptest.NewRequest(http.MethodPost, tc.target, strings.NewReader(tc.body))
		r.Host = tc.host
		for k, v := range tc.header {
			r.Header[k] = v
		}
		got := awsapi.Recognise(r, []byte(tc.body), tc.scope[0], tc.scope[1])
		if got.RequestID == "" {
			t.Errorf("%s: no request id", name)
		}
		if got.Service != tc.want.Service || got.Operation != tc.want.Operation || got.Protocol != tc.want.Protocol ||
			got.Region != tc.want.Region || got.HostService != tc.want.HostService || got.HostRegion != tc.want.HostRegion {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestWrite(t *testing.T) {
	for operation, want := range map[string]bool{
		"DescribeStacks": false, "ListClusters": false, "GetParameter": false, "ValidateTemplate": false, "AssumeRole": false,
		"CreateStack": true, "DeleteAccessEntry": true, "SendCommand": true, "AuthorizeSecurityGroupIngress": true,
	} {
		if got := (awsapi.Call{Operation: operation}).Write(); got != want {
			t.Errorf("%s: Write() = %v", operation, got)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/?Action=RunInstances&DryRun=true", nil)
	if awsapi.Recognise(r, nil, "ec2", "").Write() {
		t.Error("a dry run is no write")
	}
}

func TestErrorCodeReadsEveryProtocol(t *testing.T) {
	for name, c := range map[string]awsapi.Call{
		"query":           {Service: "iam", Protocol: awsapi.Query},
		"query with JSON": {Service: "sts", Protocol: awsapi.Query, WantJSON: true},
		"ec2":             {Service: "ec2", Protocol: awsapi.EC2Query},
		"JSON":            {Service: "ssm", Protocol: awsapi.JSON},
		"REST JSON":       {Service: "eks", Protocol: awsapi.RESTJSON},
		"REST XML":        {Service: "s3", Protocol: awsapi.RESTXML},
	} {
		reply := awsapi.Failure(c, &awsapi.Error{Code: "Some.Code", Message: `with <marks> & "quotes"`})
		if got := awsapi.ErrorCode(reply); got != "Some.Code" || reply.Status != http.StatusBadRequest {
			t.Errorf("%s: status %d, code %q in %s", name, reply.Status, got, reply.Body)
		}
		if !awsapi.FromSandbox(awsapi.ErrorCode(awsapi.Failure(c, awsapi.NotImplemented(c, "x")))) {
			t.Errorf("%s: not recognised as the sandbox's own error", name)
		}
	}
}
