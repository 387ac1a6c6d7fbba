// Package token makes the tokens by which a machine or a person shows a
// cluster who they are, tells what is in one, and verifies one by the
// authenticator's own rules and by STS.
//
// A token is a presigned request for sts:GetCallerIdentity. For fifteen
// minutes its bearer is its maker, as far as the cluster can tell: it is kept
// in memory, and leaves this package by Reveal only.
package token

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"sigs.k8s.io/aws-iam-authenticator/pkg/token"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// Secret is a token. It prints, logs and encodes as a placeholder.
type Secret struct{ text string }

// Of takes the text of a token.
func Of(text string) Secret { return Secret{text} }

// Reveal is the token itself.
func (s Secret) Reveal() string { return s.text }

// String is a placeholder, and so are the other forms that printing,
// logging and encoding ask for.
func (s Secret) String() string { return redact.Placeholder }

// GoString is for %#v.
func (s Secret) GoString() string { return redact.Placeholder }

// MarshalText is for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redact.Placeholder), nil }

// LogValue is for log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redact.Placeholder) }

// Make presigns a token for the cluster. The configuration names region and
// credentials; a provider that needs the network is asked under ctx first.
func Make(ctx context.Context, cfg aws.Config, cluster string) (Secret, error) {
	if cluster == "" {
		return Secret{}, fmt.Errorf("make token: no cluster is named")
	}
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return Secret{}, fmt.Errorf("make token: get credentials: %w", err)
	}
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil })
	cfg.APIOptions = nil // presigning sends nothing: what is done around requests has no place in it
	generator, err := token.NewGenerator(false, false)
	if err != nil {
		return Secret{}, fmt.Errorf("make token: %w", err)
	}
	made, err := generator.GetWithSTS(cluster, sts.NewFromConfig(cfg))
	if err != nil {
		return Secret{}, fmt.Errorf("make token: %w", err)
	}
	return Secret{made.Token}, nil
}

// Looks reports whether text is a token, whole or in part: something that
// must not stand where others can read it.
func Looks(text string) bool {
	return strings.Contains(text, prefix) || strings.Contains(text, "ExecCredential")
}

// Parse takes a token as programs print it: alone, or in an ExecCredential.
func Parse(data []byte) (Secret, error) {
	text := strings.TrimSpace(string(data))
	if text == "" {
		return Secret{}, fmt.Errorf("there is no token: nothing was read")
	}
	if !strings.HasPrefix(text, "{") {
		return Secret{text}, nil
	}
	var credential struct {
		Status struct {
			Token string `json:"token"`
		} `json:"status"`
	}
	if err := json.Unmarshal([]byte(text), &credential); err != nil || credential.Status.Token == "" {
		return Secret{}, fmt.Errorf("there is no token: the JSON has no status.token, as an ExecCredential has")
	}
	return Secret{credential.Status.Token}, nil
}
