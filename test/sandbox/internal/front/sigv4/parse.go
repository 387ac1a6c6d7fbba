// Package sigv4 verifies AWS Signature Version 4 on the server's side.
//
// It follows the AWS IAM User Guide, "Create a signed AWS API request":
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
package sigv4

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeLayout = "20060102T150405Z"
)

// ErrMissing is returned by Parse for a request without any signature.
var ErrMissing = errors.New("request is not signed")

// Signature is what a request says about its own signature. Nothing in it is
// verified yet.
type Signature struct {
	KeyID string
	// Day, Region and Service are the credential scope; Day is YYYYMMDD.
	Day, Region, Service string
	// SignedHeaders are lower-case header names in the order given.
	SignedHeaders []string
	// Value is the signature in hex.
	Value string
	// Time is when the request was signed.
	Time time.Time
	// Presigned says that the signature stands in the query; Expires is then
	// its X-Amz-Expires.
	Presigned bool
	Expires   time.Duration
	// SecurityToken is the session token of temporary credentials.
	SecurityToken string
}

// Parse reads the signature of a request from its Authorization header or its
// query.
func Parse(r *http.Request) (*Signature, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		return parseHeader(r, h)
	}
	q := r.URL.Query()
	if q.Get("X-Amz-Signature") != "" || q.Get("X-Amz-Credential") != "" {
		return parseQuery(q)
	}
	return nil, ErrMissing
}

func parseHeader(r *http.Request, value string) (*Signature, error) {
	rest, ok := strings.CutPrefix(value, algorithm+" ")
	if !ok {
		return nil, errors.New("unsupported signature algorithm in Authorization header")
	}
	part := map[string]string{}
	for field := range strings.SplitSeq(rest, ",") {
		k, v, found := strings.Cut(strings.TrimSpace(field), "=")
		if !found {
			return nil, errors.New("malformed Authorization header")
		}
		part[k] = v
	}
	s := &Signature{Value: part["Signature"], SecurityToken: r.Header.Get("X-Amz-Security-Token")}
	return s, s.fill(part["Credential"], part["SignedHeaders"], r.Header.Get("X-Amz-Date"))
}

func parseQuery(q url.Values) (*Signature, error) {
	if q.Get("X-Amz-Algorithm") != algorithm {
		return nil, errors.New("unsupported X-Amz-Algorithm")
	}
	seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	const week = 7 * 24 * 60 * 60
	// STS takes a presigned request without X-Amz-Expires.
	if q.Has("X-Amz-Expires") && (err != nil || seconds < 0 || seconds > week) {
		return nil, errors.New("X-Amz-Expires must be a number of seconds, at most one week")
	}
	s := &Signature{
		Value:         q.Get("X-Amz-Signature"),
		SecurityToken: q.Get("X-Amz-Security-Token"),
		Presigned:     true,
		Expires:       time.Duration(seconds) * time.Second,
	}
	return s, s.fill(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Date"))
}

func (s *Signature) fill(credential, signedHeaders, date string) error {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[4] != terminator || scope[0] == "" {
		return fmt.Errorf("credential must have five slash-delimited elements ending in %s", terminator)
	}
	s.KeyID, s.Day, s.Region, s.Service = scope[0], scope[1], scope[2], scope[3]
	if s.Value == "" || signedHeaders == "" {
		return errors.New("signature or signed headers are missing")
	}
	s.SignedHeaders = strings.Split(strings.ToLower(signedHeaders), ";")
	signedAt, err := time.Parse(timeLayout, date)
	if err != nil {
		return errors.New("X-Amz-Date must be in ISO8601 'basic format'")
	}
	s.Time = signedAt
	if signedAt.Format("20060102") != s.Day {
		return errors.New("date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP")
	}
	return nil
}
