package token

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/aws-iam-authenticator/pkg/arn"
	"sigs.k8s.io/aws-iam-authenticator/pkg/token"

	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Want is what a token should be for.
type Want struct {
	Cluster   string
	Partition string // aws, aws-cn …
	Region    string
	// Client asks STS again when the authenticator's own client does not get
	// through: it knows no proxy and no other roots than the process. Nil:
	// once is enough.
	Client *http.Client
}

// Verdict is what a verification ends in. A token is good when every rule
// holds and Identity is there.
type Verdict struct {
	Rules    []snapshot.TokenRule
	Identity *Identity
	Failure  *snapshot.HostFailure // STS refused it, or could not be asked
}

// Identity is whom STS takes the token's bearer for.
type Identity struct {
	ARN          string `json:"arn"`
	CanonicalARN string `json:"canonicalARN"` // as mappings name it
	AccountID    string `json:"accountID"`
	UserID       string `json:"userID"`
	Session      string `json:"session,omitempty"` // of a machine: its instance id
}

// Accepted is true, false, or nil when STS did not say.
func (v *Verdict) Accepted() *bool {
	yes, no := true, false
	switch {
	case v.Identity != nil:
		return &yes
	case Broken(v.Rules) != nil, v.Failure != nil && v.Failure.Kind == snapshot.FailDenied:
		return &no
	}
	return nil
}

// Verify applies the authenticator's rules, in its own code, and then shows
// the token to STS as the authenticator would. It returns when ctx ends, too.
func Verify(ctx context.Context, s Secret, want Want) Verdict {
	answers := make(chan Verdict, 1)
	go func() { answers <- verify(ctx, s, want) }() // the verifier takes no context: ten seconds are its own bound
	select {
	case verdict := <-answers:
		return verdict
	case <-ctx.Done():
		return Verdict{Failure: netfail.Of(ctx.Err())}
	}
}

func verify(ctx context.Context, s Secret, want Want) Verdict {
	identity, err := token.NewVerifier(want.Cluster, want.Partition, want.Region).Verify(s.text)
	var format token.FormatError
	var refused token.STSError
	var throttled token.STSThrottling
	switch {
	case err == nil:
		return Verdict{Rules: judged(""), Identity: &Identity{
			ARN: identity.ARN, CanonicalARN: identity.CanonicalARN, AccountID: identity.AccountID, UserID: identity.UserID, Session: identity.SessionName,
		}}
	case errors.As(err, &format):
		return Verdict{Rules: judged(strings.TrimPrefix(redact.Line(err.Error()), "input token was not properly formatted: "))}
	case errors.As(err, &throttled):
		return Verdict{Rules: judged(""), Failure: &snapshot.HostFailure{Kind: snapshot.FailAnswer, Code: "Throttling", Status: http.StatusTooManyRequests, Detail: "STS throttles"}}
	case !errors.As(err, &refused):
		return Verdict{Rules: judged(redact.Line(err.Error()))}
	}
	if failure := refusal(err.Error()); failure != nil {
		return Verdict{Rules: judged(""), Failure: failure}
	}
	if want.Client != nil {
		return ask(ctx, s, want)
	}
	return Verdict{Rules: judged(""), Failure: netfail.Of(err)}
}

// answered is how the authenticator words an answer of STS that is not 200.
var answered = regexp.MustCompile(`expected 200, got (\d+)\).*?(?:"Code":"([A-Za-z]+)"|<Code>([A-Za-z]+)</Code>|$)`)

// refusal is STS's answer in an error of the authenticator's, nil when STS
// was not reached.
func refusal(message string) *snapshot.HostFailure {
	found := answered.FindStringSubmatch(strings.ReplaceAll(message, "\n", " "))
	if found == nil {
		return nil
	}
	status, _ := strconv.Atoi(found[1]) // digits
	return failureOf(status, found[2]+found[3])
}

func failureOf(status int, code string) *snapshot.HostFailure {
	kind := snapshot.FailAnswer
	if status == http.StatusForbidden || status == http.StatusUnauthorized || status == http.StatusBadRequest && code != "" {
		kind = snapshot.FailDenied
	}
	return &snapshot.HostFailure{Kind: kind, Code: code, Status: status, Detail: strings.TrimSpace(fmt.Sprintf("STS answered %d %s", status, code))}
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// ask shows the token to STS with the wanted client. Its rules hold: the host
// is one of STS's.
func ask(ctx context.Context, s Secret, want Want) Verdict {
	verdict := Verdict{Rules: judged("")}
	target, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(s.text, prefix))
	if err != nil {
		return Verdict{Rules: judged("illegal base64 data")}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, string(target), nil)
	if err != nil {
		return Verdict{Rules: judged("parse ")}
	}
	request.Header.Set(clusterHeader, want.Cluster)
	request.Header.Set("Accept", "application/json")
	response, err := want.Client.Do(request)
	if err != nil {
		verdict.Failure = netfail.Of(err)
		return verdict
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		verdict.Failure = netfail.Of(err)
		return verdict
	}
	if response.StatusCode != http.StatusOK {
		verdict.Failure = refusal(fmt.Sprintf("expected 200, got %d) %s", response.StatusCode, body))
		return verdict
	}
	verdict.Identity, verdict.Failure = identityOf(body)
	return verdict
}

func identityOf(body []byte) (*Identity, *snapshot.HostFailure) {
	var answer struct {
		GetCallerIdentityResponse struct {
			GetCallerIdentityResult struct{ Account, Arn, UserId string } //nolint:revive // STS's own spelling
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, &snapshot.HostFailure{Kind: snapshot.FailAnswer, Detail: "STS's answer is no JSON"}
	}
	result := answer.GetCallerIdentityResponse.GetCallerIdentityResult
	return Known(result.Arn, result.Account, result.UserId)
}

// Known makes an identity of STS's words for one.
func Known(callerARN, account, userID string) (*Identity, *snapshot.HostFailure) {
	_, canonical, err := arn.Canonicalize(callerARN)
	if err != nil {
		return nil, &snapshot.HostFailure{Kind: snapshot.FailAnswer, Detail: "STS's answer: " + redact.Line(err.Error())}
	}
	user, session, _ := strings.Cut(userID, ":")
	return &Identity{ARN: callerARN, CanonicalARN: canonical, AccountID: account, UserID: user, Session: session}, nil
}
