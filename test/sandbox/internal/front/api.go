// Package front is the only AWS address that the tools inside a sandbox see.
//
// It recognises the service and operation of every call, verifies its
// Signature Version 4 for real, applies fault rules, writes a call log and then
// either serves the call itself (EKS, presigned STS, Run Command, console
// output, EC2 Instance Connect) or passes it to moto. A call that neither part
// implements is answered with HTTP 501 and awsapi.CodeNotImplemented, so that
// no test can mistake a hole in the sandbox for an AWS error.
//
// Every behaviour supplied here is a row of test/sandbox/BEHAVIOUR.md.
package front

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/eks"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/keys"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/ssm"
)

// Config says which account the front plays and where its parts are.
type Config struct {
	// Account is the twelve-digit account id, Region the one region with
	// resources, Partition "aws", "aws-cn" or "aws-us-gov".
	Account, Region, Partition string
	// Moto is the base URL of the moto server, for example http://127.0.0.1:5000.
	Moto *url.URL
	// StateDir receives eks.json and calls.jsonl, both with mode 0600.
	StateDir string
	// Log receives what went wrong inside the front; nil discards it. No secret,
	// signature or token is ever written to it.
	Log *slog.Logger
	// Hooks reach into the rest of the sandbox.
	Hooks Hooks
}

// Hooks are the front's ways to reach the sandbox's nodes and its control
// plane. Any of them may be nil: calls that need it are then answered as not
// implemented, except AccessChanged, which is left out.
type Hooks struct {
	// ConsoleOutput returns the serial console of an instance, at most its last
	// 64 KiB, and when it was last written.
	ConsoleOutput func(ctx context.Context, instanceID string) (text []byte, at time.Time, err error)
	// RunCommand runs a shell script as root in the instance (SSM Run Command).
	// The script must be ended when ctx is done, which happens after timeout.
	RunCommand func(ctx context.Context, instanceID, script string, timeout time.Duration) (CommandResult, error)
	// CommandTarget says whether an instance's SSM agent is online; nil means
	// that every running instance of DescribeInstances is.
	CommandTarget func(ctx context.Context, instanceID string) (online bool, err error)
	// Reboot restarts an instance's system in its own time.
	Reboot func(ctx context.Context, instanceID string) error
	// PushSSHKey lets publicKey log in as osUser for 60 seconds (EC2 Instance Connect).
	PushSSHKey func(ctx context.Context, instanceID, osUser, publicKey string) error
	// AccessChanged is called after every change of a cluster's authentication
	// mode or access entries, and once by AddCluster, with the complete new
	// state. Calls never overlap.
	AccessChanged func(ctx context.Context, a Access) error
}

type (
	// Cluster is one EKS cluster as AddCluster seeds it.
	Cluster = eks.Cluster
	// Access is what a cluster's authenticator has to honour.
	Access = eks.Access
	// AccessEntry is one access entry of Access, ready for the authenticator.
	AccessEntry = eks.AccessEntry
	// CommandResult is the outcome of Hooks.RunCommand.
	CommandResult = ssm.Result
	// AccessKey is a key whose secret the signature check must know.
	AccessKey = keys.Key
)

// Credentials are the temporary credentials of a role session.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
}
