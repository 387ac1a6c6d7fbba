package token

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const (
	prefix        = "k8s-aws-v1."
	clusterHeader = "x-k8s-aws-id"
	dateFormat    = "20060102T150405Z"
	// Lifetime is how long a token is good after it was signed, whatever it
	// says itself.
	Lifetime = 15 * time.Minute
)

// errNotAToken is for text that cannot be taken apart.
var errNotAToken = errors.New("not a token: it is no " + prefix + " and a URL in base64")

// Describe tells what a token says, without what makes it one. The cluster's
// name is signed but not in it: Claims.Cluster is the maker's to fill in.
func Describe(s Secret) (snapshot.TokenClaims, error) {
	claims := snapshot.TokenClaims{Length: len(s.text)}
	encoded, ok := strings.CutPrefix(s.text, prefix)
	if !ok {
		return claims, errNotAToken
	}
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return claims, errNotAToken
	}
	request, err := url.Parse(string(text))
	if err != nil || request.Host == "" {
		return claims, errNotAToken
	}
	query := lower(request.Query())
	claims.Host = redact.Line(request.Host)
	claims.SignedAt, _ = time.Parse(dateFormat, query.Get("x-amz-date")) // zero when it has none
	claims.ExpiresIn, _ = strconv.Atoi(query.Get("x-amz-expires"))
	claims.Temporary = query.Get("x-amz-security-token") != ""
	scope := strings.Split(query.Get("x-amz-credential"), "/") // KEY/DATE/REGION/sts/aws4_request
	if len(scope) == 5 {
		claims.Region = redact.Line(scope[2])
		if key := scope[0]; len(key) >= 16 {
			claims.KeyEnd = redact.Line(key[len(key)-4:])
		}
	}
	signed := strings.Split(strings.ToLower(query.Get("x-amz-signedheaders")), ";")
	claims.ClusterSigned = slices.Contains(signed, clusterHeader)
	return claims, nil
}

// lower makes the names of parameters lower case, as the authenticator does.
func lower(query url.Values) url.Values {
	out := url.Values{}
	for name, values := range query {
		for _, value := range values {
			out.Add(strings.ToLower(name), value)
		}
	}
	return out
}
