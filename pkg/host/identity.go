//go:build linux

package host

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/token"
)

// readIdentity asks STS by which ARN AWS knows the machine.
func (m *Machine) readIdentity(ctx context.Context, known *snapshot.Host) (fill, error) {
	region, err := regionOf(known)
	if err != nil {
		return nil, err
	}
	facts := &snapshot.HostIdentity{}
	done := func(h *snapshot.Host) { h.Identity = facts }
	cfg := m.awsConfig(region, known)
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		facts.Failure = &snapshot.HostFailure{Kind: snapshot.FailNoCredentials, Detail: redact.Line(rootCause(err).Error())}
		return done, nil
	}
	facts.Endpoint = stsHost(ctx, region)
	answer, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		facts.Failure = awsFailure(err)
		return done, nil
	}
	identity, failure := token.Known(aws.ToString(answer.Arn), aws.ToString(answer.Account), aws.ToString(answer.UserId))
	if failure != nil {
		facts.Failure = failure
		return done, nil
	}
	facts.ARN, facts.CanonicalARN, facts.AccountID = identity.ARN, identity.CanonicalARN, identity.AccountID
	facts.UserID, facts.Session = identity.UserID, identity.Session
	return done, nil
}

// stsHost is where the region's STS is.
func stsHost(ctx context.Context, region string) string {
	endpoint, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sts.EndpointParameters{Region: &region})
	if err != nil {
		return ""
	}
	return endpoint.URI.Host
}

// awsFailure is an error of an AWS call: its own code, or how the network
// failed.
func awsFailure(err error) *snapshot.HostFailure {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return netfail.Of(rootCause(err))
	}
	failure := &snapshot.HostFailure{Kind: snapshot.FailAnswer, Code: redact.Line(api.ErrorCode()), Detail: redact.Line(api.ErrorCode() + ": " + api.ErrorMessage())}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		failure.Status = answer.HTTPStatusCode()
	}
	if failure.Status == http.StatusForbidden || strings.Contains(failure.Code, "Token") || strings.HasPrefix(failure.Code, "Signature") || failure.Code == "RegionDisabledException" {
		failure.Kind = snapshot.FailDenied
	}
	return failure
}

// readToken makes the token that the machine would show to the cluster, and
// has it verified. The token ends with the probe.
func (m *Machine) readToken(ctx context.Context, known *snapshot.Host) (fill, error) {
	made, cluster, region, err := m.makeToken(ctx, known)
	if err != nil {
		return nil, err
	}
	facts := &snapshot.HostToken{}
	if facts.Claims, err = token.Describe(made); err != nil {
		return nil, err
	}
	facts.Claims.Cluster = cluster
	verdict := token.Verify(ctx, made, token.Want{Cluster: cluster, Partition: partitionOf(region), Region: region, Client: m.client(known, 8*time.Second)})
	facts.Rules, facts.Accepted, facts.Failure = verdict.Rules, verdict.Accepted(), verdict.Failure
	for i := range facts.Rules {
		if facts.Rules[i].OK {
			facts.Rules[i].Detail = "" // what a rule says is for whoever asks for it
		}
	}
	if verdict.Identity != nil {
		facts.ARN = verdict.Identity.ARN
	}
	return func(h *snapshot.Host) { h.Token = facts }, nil
}

// makeToken signs for the cluster that the kubelet's kubeconfig names.
func (m *Machine) makeToken(ctx context.Context, known *snapshot.Host) (made token.Secret, cluster, region string, err error) {
	if region, err = regionOf(known); err != nil {
		return made, "", "", err
	}
	if cluster = clusterOf(known); cluster == "" {
		return made, "", "", notAsked("no cluster: the kubelet's kubeconfig names none to sign for")
	}
	made, err = token.Make(ctx, m.awsConfig(region, known), cluster)
	if err != nil {
		return made, "", "", notAsked("no token: %s", redact.Line(rootCause(err).Error()))
	}
	return made, cluster, region, nil
}

// clusterOf is the cluster's name that the kubelet signs for.
func clusterOf(known *snapshot.Host) string {
	if known.Kubeconfig != nil && known.Kubeconfig.Exec != nil {
		return known.Kubeconfig.Exec.Cluster
	}
	return ""
}
