// Package cloud reads what AWS says of a cluster and its machines into a
// snapshot, and holds the few calls that change something. Every reader has
// two parts: fetch (one call, IO) and Convert* (pure: SDK output to facts).
// AWS error codes are interpreted in errors.go and nowhere else.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	connect "github.com/aws/aws-sdk-go-v2/service/ec2instanceconnect"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithymiddleware "github.com/aws/smithy-go/middleware"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// maxAttempts is more than the SDK's three: describes share account-wide
// token buckets with every controller of the account, and a reader's
// deadline ends the tries anyway.
const maxAttempts = 8

// ErrNoRegion says that neither flag, kubeconfig, environment nor profile
// names a region.
var ErrNoRegion = errors.New("no AWS region: give --region or set AWS_REGION")

// Options choose the account and region. Empty fields are the SDK's to find.
type Options struct {
	Region  string
	Profile string
	Version string // of this product, for the user agent
}

// Load reads the AWS configuration the way every AWS tool does: environment,
// shared files, profile. It makes no call; credentials are fetched at the
// first one.
func Load(ctx context.Context, opts Options) (aws.Config, error) {
	load := []func(*config.LoadOptions) error{
		config.WithRetryer(newRetryer),
		config.WithAPIOptions([]func(*smithymiddleware.Stack) error{
			middleware.AddUserAgentKeyValue(product.PluginName, opts.Version),
			keepLastTry,
		}),
	}
	if opts.Region != "" {
		load = append(load, config.WithRegion(opts.Region))
	}
	if opts.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(opts.Profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, ErrNoRegion
	}
	return cfg, nil
}

// newRetryer is the standard mode without the client's own quota: that one
// turns a burst of throttles into an error of its own.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(quotaIsFinal), clockSkew()}, o.Retryables...)
	})
}

// clockSkew tries again what EC2 takes for signed at another time: by then the
// SDK has seen how far the user's clock is off. It does so by itself for the
// codes of the other services.
func clockSkew() retry.IsErrorRetryable {
	return retry.RetryableErrorCode{Codes: map[string]struct{}{"RequestExpired": {}}}
}

// quotaIsFinal stops retries where a quota of the account is reached.
func quotaIsFinal(err error) aws.Ternary {
	var api smithy.APIError
	if errors.As(err, &api) && isQuota(api.ErrorCode()) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// Client makes the calls. Service clients are made when first used.
type Client struct {
	region string
	config aws.Config
	http   aws.HTTPClient // what all calls go through

	eks    func() *eks.Client
	ec2    func() *ec2.Client
	asg    func() *autoscaling.Client
	cfn    func() *cloudformation.Client
	iam    func() *iam.Client
	ssm    func() *ssm.Client
	quotas func() *servicequotas.Client
	sts    func() *sts.Client

	connect func() *connect.Client
}

// New makes a client of a configuration; it does no IO.
func New(cfg aws.Config) *Client {
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = http.DefaultClient
	}
	return &Client{
		region: cfg.Region, config: cfg, http: cfg.HTTPClient,
		eks:    sync.OnceValue(func() *eks.Client { return eks.NewFromConfig(cfg) }),
		ec2:    sync.OnceValue(func() *ec2.Client { return ec2.NewFromConfig(cfg) }),
		asg:    sync.OnceValue(func() *autoscaling.Client { return autoscaling.NewFromConfig(cfg) }),
		cfn:    sync.OnceValue(func() *cloudformation.Client { return cloudformation.NewFromConfig(cfg) }),
		iam:    sync.OnceValue(func() *iam.Client { return iam.NewFromConfig(cfg) }),
		ssm:    sync.OnceValue(func() *ssm.Client { return ssm.NewFromConfig(cfg) }),
		quotas: sync.OnceValue(func() *servicequotas.Client { return servicequotas.NewFromConfig(cfg) }),
		sts:    sync.OnceValue(func() *sts.Client { return sts.NewFromConfig(cfg) }),

		connect: sync.OnceValue(func() *connect.Client { return connect.NewFromConfig(cfg) }),
	}
}

// Region is the region that the client speaks to.
func (c *Client) Region() string { return c.region }

// Config is what the client was made of, for whoever signs by itself.
func (c *Client) Config() aws.Config { return c.config }

// HTTPClient sends requests the way that all calls go: through the same proxy,
// trusting the same authorities.
func (c *Client) HTTPClient() *http.Client { return &http.Client{Transport: transport{c.http}} }

// transport is an SDK's client as a transport.
type transport struct{ client aws.HTTPClient }

// RoundTrip sends a request.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	return t.client.Do(request)
}
