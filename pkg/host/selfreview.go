//go:build linux

package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// reviewPath answers since Kubernetes 1.28, to everybody whom the cluster
// knows at all.
const reviewPath = "apis/authentication.k8s.io/v1/selfsubjectreviews"

// review is the part of a SelfSubjectReview that is read.
type review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Status     struct {
		UserInfo struct {
			Username string              `json:"username"`
			Groups   []string            `json:"groups"`
			Extra    map[string][]string `json:"extra"`
		} `json:"userInfo"`
	} `json:"status,omitzero"`
	Message string `json:"message,omitempty"` // of a Status, which refusals are
}

// readSelfReview shows the cluster the machine's token and asks whom it takes
// its bearer for: what a mapping comes to, seen from outside.
func (m *Machine) readSelfReview(ctx context.Context, known *snapshot.Host) (fill, error) {
	if known.Kubeconfig == nil || known.Kubeconfig.Server == "" {
		return nil, notAsked("no kubeconfig says where the API server is")
	}
	server, err := url.Parse(known.Kubeconfig.Server)
	if err != nil || server.Scheme != "https" {
		return nil, notAsked("the kubeconfig's server is no https URL: no token is sent there")
	}
	client, err := m.apiClient(known)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's certificate authority: %w", err)
	}
	bearer, _, _, err := m.makeToken(ctx, known)
	if err != nil {
		return nil, err
	}
	question, err := json.Marshal(review{APIVersion: "authentication.k8s.io/v1", Kind: "SelfSubjectReview"})
	if err != nil {
		return nil, err
	}
	facts := &snapshot.HostSelfReview{}
	done := func(h *snapshot.Host) { h.SelfReview = facts }
	status, body, err := postJSON(ctx, client, server.JoinPath(reviewPath).String(), bearer.Reveal(), question)
	facts.Status = status
	if err != nil {
		facts.Failure = netfail.Of(err)
		return done, nil
	}
	var answer review
	if err := json.Unmarshal(body, &answer); err != nil {
		facts.Failure = &snapshot.HostFailure{Kind: snapshot.FailAnswer, Status: status, Detail: "the answer is no JSON: something else answers there"}
		return done, nil //nolint:nilerr // that something else answers is the fact
	}
	if status != http.StatusCreated {
		facts.Failure = &snapshot.HostFailure{Kind: refusedOr(status), Status: status, Detail: fmt.Sprintf("the API server answered %d: %s", status, redact.Line(answer.Message))}
		return done, nil
	}
	takeReview(facts, &answer)
	return done, nil
}

func refusedOr(status int) snapshot.FailureKind {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return snapshot.FailDenied
	}
	return snapshot.FailAnswer
}

// takeReview keeps user, groups and what the authenticator adds to them. The
// access key id among the extras is a name and no secret, but nothing needs it.
func takeReview(facts *snapshot.HostSelfReview, answer *review) {
	user := &answer.Status.UserInfo
	facts.Username = redact.Line(user.Username)
	for _, group := range user.Groups[:min(len(user.Groups), 20)] {
		facts.Groups = append(facts.Groups, redact.Line(group))
	}
	for _, name := range []string{"arn", "canonicalArn", "sessionName", "principalId"} {
		if values := user.Extra[name]; len(values) > 0 {
			if facts.Extra == nil {
				facts.Extra = map[string][]string{}
			}
			facts.Extra[name] = []string{redact.Line(values[0])}
		}
	}
}
