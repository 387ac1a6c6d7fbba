package signature

// awsLines are of programs that call AWS from the machine: credentials, the
// instance metadata service, the APIs' endpoints and permissions.
func awsLines() []Line {
	return []Line{
		{
			ID: "nodeadm-ec2-retry", In: []string{NodeadmConfig, NodeadmRun, Console},
			Find:    []string{`retrying request EC2/DescribeInstances, attempt (?P<attempt>[4-9]|\d\d+)\b`},
			Source:  "github.com/aws/aws-sdk-go-v2@v1.47.7 aws/retry/middleware.go; fewer than 4 attempts are everyday",
			Match:   []string{"SDK 2026/01/01 00:00:10 DEBUG retrying request EC2/DescribeInstances, attempt 4"},
			NoMatch: "SDK 2026/01/01 00:00:10 DEBUG retrying request EC2/DescribeInstances, attempt 2",
		},
		{
			ID: "nodeadm-ec2-deadline", In: []string{NodeadmConfig, NodeadmRun, Console},
			Find: []string{`operation error EC2: DescribeInstances.*(?:context deadline exceeded|i/o timeout|no such host|exceeded maximum number of attempts)`,
				`exceeded max wait time for InstanceCondition waiter`},
			Source: "github.com/awslabs/amazon-eks-ami/nodeadm@v0.0.0-20260213141146-147b13ea3f4a internal/aws/ec2/instance_waiter.go; github.com/aws/smithy-go@v1.28.8 errors.go OperationError",
			Match: []string{
				`"error":"operation error EC2: DescribeInstances, https response error StatusCode: 0, RequestID: , canceled, context deadline exceeded"`,
				`"error":"exceeded max wait time for InstanceCondition waiter"`,
			},
			NoMatch: "operation error EC2: DescribeInstances, UnauthorizedOperation: You are not authorized",
		},
		{
			ID: "aws-unauthorized", In: []string{Any},
			Find:    []string{`is not authorized to perform: (?P<action>[a-z0-9-]+:[A-Za-z]+)`, `operation error \w+: (?P<operation>\w+),.*UnauthorizedOperation`, `UnauthorizedOperation`},
			Source:  "Amazon EC2 API Reference, common client error codes; IAM User Guide, access denied error messages",
			Match:   []string{"User: arn:aws:sts::111122223333:assumed-role/nodes/i-0 is not authorized to perform: eks:DescribeCluster on resource: arn", "api error UnauthorizedOperation: You are not authorized to perform this operation.", "operation error EC2: DescribeInstances, https response error StatusCode: 403, api error UnauthorizedOperation: You are not authorized"},
			NoMatch: "Unauthorized",
		},
		{
			ID: "explicit-deny", In: []string{Any},
			Find:    []string{`is not authorized to perform: (?P<action>[a-z0-9-]+:[A-Za-z]+).*with an explicit deny in an? (?P<policy>[a-z- ]+ policy|permissions boundary)`, `with an explicit deny in an? (?P<policy>[a-z- ]+ policy|permissions boundary)`},
			Source:  "IAM User Guide, Troubleshoot access denied error messages",
			Match:   []string{"is not authorized to perform: ec2:DescribeInstances with an explicit deny in a service control policy", "AccessDenied: denied with an explicit deny in a permissions boundary"},
			NoMatch: "because no identity-based policy allows the ec2:DescribeInstances action",
		},
		{
			ID: "connect-timeout-url", In: []string{CloudInitOutput, Console},
			Find:    []string{`Connect timeout on endpoint URL: "https://(?P<service>[a-z0-9.-]+?)\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.`},
			Source:  "boto/botocore botocore/exceptions.py ConnectTimeoutError",
			Match:   []string{`Connect timeout on endpoint URL: "https://ec2.us-west-2.amazonaws.com/"`},
			NoMatch: `Read timeout on endpoint URL: "https://ec2.us-west-2.amazonaws.com/"`,
		},
		{
			ID: "no-credentials", In: []string{Any},
			Find:    []string{`Unable to locate credentials`, `no EC2 IMDS role found`, `NoCredentialProviders: no valid providers in chain`},
			Source:  "aws/aws-sdk-go aws/credentials/chain_provider.go; github.com/aws/aws-sdk-go-v2/credentials@v1.20.15 ec2rolecreds/provider.go; boto/botocore botocore/exceptions.py NoCredentialsError",
			Match:   []string{`failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata`, "Unable to locate credentials. You can configure credentials by running \"aws configure\".", "NoCredentialProviders: no valid providers in chain. Deprecated."},
			NoMatch: "credentials found",
		},
		{
			ID: "imds-unreachable", In: []string{Any},
			Find:    []string{`operation error ec2imds: \w+.*(?:StatusCode: (?P<status>401|403|404)|context deadline exceeded)`, `EC2MetadataError: failed to make EC2Metadata request`},
			Source:  "github.com/aws/aws-sdk-go-v2/feature/ec2/imds@v1.20.7 api_client.go ServiceID; aws-sdk-go aws/ec2metadata/service.go",
			Match:   []string{"operation error ec2imds: GetMetadata, canceled, context deadline exceeded", "operation error ec2imds: GetToken, http response error StatusCode: 401, request to EC2 IMDS failed", "EC2MetadataError: failed to make EC2Metadata request"},
			NoMatch: "operation error STS: GetCallerIdentity, context deadline exceeded",
		},
		{
			ID: "clock-skew", In: []string{Any},
			Find:    []string{`Signature expired: \S+ is now earlier than`, `Signature not yet current`, `X-Amz-Date parameter is expired`, `RequestTimeTooSkewed`},
			Source:  "sigs.k8s.io/aws-iam-authenticator@v0.7.18 pkg/token/token.go; github.com/aws/aws-sdk-go-v2@v1.47.7 aws/retry/middleware.go; AWS Signature Version 4 troubleshooting",
			Match:   []string{"SignatureDoesNotMatch: Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z", "input token was not properly formatted: X-Amz-Date parameter is expired (15 minute expiration) 20260101T000000Z", "Signature not yet current: 20260101T010000Z is still later than 20260101T000500Z", "api error RequestTimeTooSkewed: The difference between the request time and the current time is too large."},
			NoMatch: "certificate has expired",
		},
		{
			ID: "sts-region-disabled", In: []string{Any},
			Find:    []string{`RegionDisabledException`},
			Source:  "AWS STS API Reference, AssumeRole errors",
			Match:   []string{"api error RegionDisabledException: STS is not activated in this region for account:111122223333"},
			NoMatch: "region us-west-2 is enabled",
		},
	}
}
