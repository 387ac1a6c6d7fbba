package sigv4_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/sigv4"
)

// The verifier is compared with the signer of the AWS SDK: what it signs must
// verify, and must stop to verify after any change.

const (
	keyID  = "AKIAIOSFODNN7EXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

type request struct {
	method, url, body string
	header            map[string]string
}

func requests() map[string]request {
	return map[string]request{
		"query protocol": {
			method: "POST", url: "https://ec2.us-west-2.amazonaws.com/", body: "Action=DescribeInstances&Version=2016-11-15",
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
		},
		"JSON target": {
			method: "POST", url: "https://ssm.us-west-2.amazonaws.com/", body: `{"Name":"/aws/service/x"}`,
			header: map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"},
		},
		"escaped path": {
			method: "GET",
			url:    "https://eks.us-west-2.amazonaws.com/clusters/demo/access-entries/arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fteam%2Fnode",
		},
		"query with encoded values": {
			method: "GET", url: "https://eks.us-west-2.amazonaws.com/clusters?maxResults=10&nextToken=a%2Bb%2Fc%3D%3D&empty=",
		},
		"header with runs of spaces": {
			method: "GET", url: "https://eks.us-west-2.amazonaws.com/clusters", header: map[string]string{"X-Amz-Meta": "  a   b  "},
		},
		"port that is not the scheme's": {method: "GET", url: "http://198.51.100.10:8080/clusters"},
	}
}

func TestVerifyHeaderSignature(t *testing.T) {
	for name, tc := range requests() {
		t.Run(name, func(t *testing.T) {
			r := signed(t, tc)
			s := parse(t, r)
			if err := s.Verify(r, []byte(tc.body), secret); err != nil {
				t.Fatalf("Verify of an untouched request: %v", err)
			}
			for change, f := range changes() {
				r := signed(t, tc)
				s := parse(t, r)
				body, usedSecret := f(r, []byte(tc.body))
				if err := s.Verify(r, body, usedSecret); !errors.Is(err, sigv4.ErrMismatch) {
					t.Errorf("Verify after change of %s = %v, want ErrMismatch", change, err)
				}
			}
		})
	}
}

func changes() map[string]func(*http.Request, []byte) ([]byte, string) {
	return map[string]func(*http.Request, []byte) ([]byte, string){
		"secret": func(_ *http.Request, b []byte) ([]byte, string) { return b, secret + "x" },
		"body":   func(_ *http.Request, b []byte) ([]byte, string) { return append(b, 'x'), secret },
		"method": func(r *http.Request, b []byte) ([]byte, string) { r.Method = "PUT"; return b, secret },
		"host":   func(r *http.Request, b []byte) ([]byte, string) { r.Host = "other.example"; return b, secret },
		"path": func(r *http.Request, b []byte) ([]byte, string) {
			r.URL.Path += "x"
			r.URL.RawPath = ""
			return b, secret
		},
		"query": func(r *http.Request, b []byte) ([]byte, string) { r.URL.RawQuery += "&more=1"; return b, secret },
	}
}

func TestVerifyPresigned(t *testing.T) {
	const clusterHeader = "X-K8s-Aws-Id"
	presign := func(t *testing.T) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			"https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(clusterHeader, "demo")
		u, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: "tok/en+="},
			r, hexSHA256(""), "sts", "us-west-2", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		got.Header.Set(clusterHeader, "demo")
		return overTheWire(t, got)
	}
	for name, tc := range map[string]struct {
		change func(*http.Request)
		want   error
	}{
		"as signed":                  {func(*http.Request) {}, nil},
		"for another cluster":        {func(r *http.Request) { r.Header.Set(clusterHeader, "other") }, sigv4.ErrMismatch},
		"without the cluster header": {func(r *http.Request) { r.Header.Del(clusterHeader) }, sigv4.ErrMismatch},
		"with another date": {func(r *http.Request) {
			q := r.URL.Query()
			q.Set("X-Amz-Date", time.Now().Add(time.Second).UTC().Format("20060102T150405Z"))
			r.URL.RawQuery = q.Encode()
		}, sigv4.ErrMismatch},
		"unsigned header added": {func(r *http.Request) { r.Header.Set("Accept", "application/json") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := presign(t)
			tc.change(r)
			s := parse(t, r)
			if !s.Presigned || s.Expires != time.Minute || s.SecurityToken != "tok/en+=" || s.KeyID != keyID {
				t.Fatalf("Parse = %+v", s)
			}
			if err := s.Verify(r, nil, secret); !errors.Is(err, tc.want) {
				t.Errorf("Verify = %v, want %v", err, tc.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, header := range map[string]string{
		"basic":                 "Basic Zm9v",
		"short scope":           "AWS4-HMAC-SHA256 Credential=A/20260101/sts/aws4_request, SignedHeaders=host, Signature=00",
		"no signature":          "AWS4-HMAC-SHA256 Credential=A/20260101/us-west-2/sts/aws4_request, SignedHeaders=host",
		"date differs from day": "AWS4-HMAC-SHA256 Credential=A/20260102/us-west-2/sts/aws4_request, SignedHeaders=host, Signature=00",
	} {
		r := &http.Request{Header: http.Header{"Authorization": {header}, "X-Amz-Date": {"20260101T000000Z"}}}
		if s, err := sigv4.Parse(r); err == nil {
			t.Errorf("%s: Parse = %+v, want an error", name, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=A/20260101/us-west-2/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20260101T000000Z", "")
	f.Add("", "", "X-Amz-Credential=A%2F20260101%2Fus-west-2%2Fsts%2Faws4_request&X-Amz-Signature=00&X-Amz-Expires=60")
	f.Fuzz(func(t *testing.T, auth, date, query string) {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://sts.amazonaws.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.RawQuery = query
		r.Header["Authorization"] = []string{auth}
		r.Header["X-Amz-Date"] = []string{date}
		s, err := sigv4.Parse(r)
		if err != nil {
			return
		}
		if err := s.Verify(r, nil, "no such secret"); err == nil {
			t.Error("a made-up signature verified")
		}
	})
}

func signed(t *testing.T, tc request) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), tc.method, tc.url, strings.NewReader(tc.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range tc.header {
		r.Header.Set(k, v)
	}
	creds := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: "session"}
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, hexSHA256(tc.body), r.URL.Hostname()[:3], "us-west-2", time.Now()); err != nil {
		t.Fatal(err)
	}
	return overTheWire(t, r)
}

// overTheWire gives the request as a server sees it.
func overTheWire(t *testing.T, r *http.Request) *http.Request {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := http.ReadRequest(bufio.NewReader(&b))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(got.Body); err != nil {
		t.Fatal(err)
	}
	return got
}

func parse(t *testing.T, r *http.Request) *sigv4.Signature {
	t.Helper()
	s, err := sigv4.Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return s
}

func hexSHA256(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}
