package redact

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode"
)

func TestCredentialsGo(t *testing.T) {
	token := "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte("https://sts.amazonaws.com/?X-Amz-Signature=abc"))
	for name, test := range map[string]struct{ text, secret string }{
		"EKS token":            {"token is " + token + " ok", token[12:]},
		"JWT":                  {"sent eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl to", "eyJzdWIiOiJhIn0"},
		"presigned signature":  {"GET https://sts.us-west-2.amazonaws.com/?X-Amz-Date=1&X-Amz-Signature=0123abcd&x=1", "0123abcd"},
		"presigned credential": {"?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260101&", "AKIAIOSFODNN7EXAMPLE"},
		"session token":        {"?X-Amz-Security-Token=IQoJb3JpZ2lu&", "IQoJb3JpZ2lu"},
		"password in a URL":    {"proxy http://user:hunter22@proxy:3128 refused", "hunter22"},
		"authorization header": {"Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"},
		"authorization basic":  {`"authorization":"Basic dXNlcjpwYXNz"`, "dXNlcjpwYXNz"},
		"bearer alone":         {"using bearer abcdefgh12345678 now", "abcdefgh12345678"},
		"password":             {"DB_PASSWORD=hunter22 started", "hunter22"},
		"quoted password":      {`{"password": "hunter22"}`, "hunter22"},
		"aws secret":           {"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI"},
		"bootstrap token":      {"token: abcdef.0123456789abcdef", "0123456789abcdef"},
		"secret in a query":    {"?secret=correcthorse&x", "correcthorse"},
		"access key id":        {"key ASIAIOSFODNN7EXAMPLE expired", "ASIAIOSFODNN7EXAMPLE"},
		"private key":          {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----\nafter", "MIIE"},
		"cut private key":      {"-----BEGIN PRIVATE KEY-----\nMIIE\nabcd", "abcd"},
		"split by an escape":   {"pass\x1b[31mword=hunter22", "hunter22"},
		"split by a control":   {"pass\x00word=hunter22", "hunter22"},
	} {
		for _, clean := range []func(string) string{Text, Line} {
			if got := clean(test.text); strings.Contains(got, test.secret) || !strings.Contains(got, Placeholder) {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

func TestTheRestStays(t *testing.T) {
	for _, text := range []string{
		"node ip-10-0-1-10.us-west-2.compute.internal not found",
		"arn:aws:iam::111122223333:role/nodes/workers-role",
		"https://0123.gr7.us-west-2.eks.amazonaws.com:443/api/v1/nodes?limit=500",
		"failed to get secret: secrets is forbidden",
		"größer – ok",
	} {
		if got := Line(text); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

func TestControlCharactersGo(t *testing.T) {
	in := "a\x1b[2J\x1b]0;title\x07b\r\nc\td\x08\u202ee\u2028f\xff"
	if got, want := Text(in), "ab\nc\tdef\uFFFD"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if got, want := Line(in), "ab c def\uFFFD"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\x1b[31mb password=x\ny")
	f.Add("-----BEGIN PRIVATE KEY-----")
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		if strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("control character in %q", got)
		}
		if again := Line(got); again != got {
			t.Errorf("not stable: %q, then %q", got, again)
		}
	})
}
