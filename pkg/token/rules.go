package token

import (
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// rule is one of the authenticator's, in words, and how its error begins
// (sigs.k8s.io/aws-iam-authenticator v0.7.18, pkg/token/token.go).
type rule struct {
	name   string
	says   string
	begins []string // of the error that it breaks with
}

// rules are in the order in which the authenticator applies them.
func rules() []rule {
	return []rule{
		{"size", "it is no longer than 4096 bytes", []string{"token is too large"}},
		{"prefix", "it begins with " + prefix, []string{"token is missing expected"}},
		{"base64", "the rest is base64 for URLs, without padding", []string{"illegal base64 data"}},
		{"url", "which holds a URL", []string{"parse "}},
		{"scheme", "of scheme https", []string{"unexpected scheme"}},
		{"host", "to an STS host of the partition", []string{"could not parse region", "global endpoint unsupported", "invalid region identifier", "unexpected hostname", "partition {", "invalid host format"}},
		{"path", "with the path /", []string{"unexpected path"}},
		{"query", "and a query that can be read", []string{"malformed query parameter"}},
		{"duplicates", "no parameter is there twice", []string{"duplicate query parameter", "query parameter with multiple values"}},
		{"parameters", "there are no parameters but those of a presigned request", []string{"non-whitelisted query parameter"}},
		{"action", "the action is GetCallerIdentity", []string{"unexpected action"}},
		{"cluster", "the header " + clusterHeader + " is signed: it is for one cluster", []string{"client did not sign"}},
		{"expires", "X-Amz-Expires is between 0 and 900 seconds", []string{"invalid X-Amz-Expires"}},
		{"date", "X-Amz-Date is there and can be read", []string{"X-Amz-Date parameter must be present", "error parsing X-Amz-Date"}},
		{"age", "it was signed in the last 15 minutes", []string{"X-Amz-Date parameter is expired"}},
	}
}

// judged lists the rules up to the one that the authenticator's message names
// as broken; all of them hold for "". Duplicates and parameters are looked at
// side by side, so the first of the two is not said to hold when the second
// is broken.
func judged(message string) []snapshot.TokenRule {
	var out []snapshot.TokenRule
	for _, r := range rules() {
		if message != "" && r.breaks(message) {
			detail := message
			if r.name == "url" || r.name == "query" || r.name == "prefix" {
				detail = "" // it would quote the token, or says no more
			}
			return append(out, snapshot.TokenRule{Name: r.name, Detail: strings.TrimSuffix(r.says+": "+detail, ": ")})
		}
		out = append(out, snapshot.TokenRule{Name: r.name, OK: true, Detail: r.says})
	}
	if message != "" {
		return []snapshot.TokenRule{{Name: "format", Detail: message}}
	}
	return out
}

func (r rule) breaks(message string) bool {
	for _, begin := range r.begins {
		if strings.HasPrefix(message, begin) {
			return true
		}
	}
	return false
}

// Broken is the first rule that does not hold, or nil.
func Broken(all []snapshot.TokenRule) *snapshot.TokenRule {
	for i := range all {
		if !all[i].OK {
			return &all[i]
		}
	}
	return nil
}
