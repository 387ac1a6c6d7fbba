package token

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const secretKey = "CANARYwJalrXUtnFEMI"

func config() aws.Config {
	return aws.Config{Region: "us-west-2", Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: secretKey, SessionToken: "CANARYsession"}, nil
	})}
}

func made(t *testing.T) Secret {
	t.Helper()
	s, err := Make(context.Background(), config(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rewritten changes the URL in a token.
func rewritten(t *testing.T, s Secret, from, to string) Secret {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(s.Reveal(), prefix))
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("no %q in the token: %v", from, err)
	}
	return Of(prefix + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(text), from, to, 1))))
}

// The authenticator's client takes the default transport, and is kept from
// leaving the machine. It stays so: a verification that is given up goes on.
func TestMain(m *testing.M) {
	http.DefaultTransport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("refused by the test")
	}}
	os.Exit(m.Run())
}

// Each rule of the authenticator is broken once, and named: its own code is
// asked, so a new wording of it fails here.
func TestRules(t *testing.T) {
	good := made(t)
	signed := signedAt(t, good)
	for name, test := range map[string]struct {
		token Secret
		want  string // rule; "" for none
	}{
		"good":              {good, ""},
		"too long":          {Of(good.Reveal() + strings.Repeat("A", 4096)), "size"},
		"another prefix":    {Of("k8s-aws-v2." + good.Reveal()), "prefix"},
		"not base64":        {Of(prefix + "!!"), "base64"},
		"padded":            {Of(prefix + "aGk="), "base64"},
		"no URL":            {Of(prefix + base64.RawURLEncoding.EncodeToString([]byte("https://x\x7f/"))), "url"},
		"http":              {rewritten(t, good, "https://", "http://"), "scheme"},
		"another host":      {rewritten(t, good, "sts.us-west-2.amazonaws.com", "sts.us-west-2.example.com"), "host"},
		"another partition": {rewritten(t, good, "sts.us-west-2.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn"), "host"},
		"short host":        {rewritten(t, good, "sts.us-west-2.amazonaws.com", "sts"), "host"},
		"a path":            {rewritten(t, good, ".com/", ".com/x"), "path"},
		"a query of rubble": {rewritten(t, good, "?", "?%zz&"), "query"},
		"twice":             {rewritten(t, good, "?", "?action=x&"), "duplicates"},
		"one more":          {rewritten(t, good, "?", "?x=y&"), "parameters"},
		"another action":    {rewritten(t, good, "GetCallerIdentity", "GetSessionToken"), "action"},
		"header not signed": {rewritten(t, good, "x-k8s-aws-id", "x-k8s-aws-ix"), "cluster"},
		"expires late":      {rewritten(t, good, "X-Amz-Expires=60", "X-Amz-Expires=901"), "expires"},
		"no date":           {rewritten(t, good, "X-Amz-Date="+signed, "X-Amz-Date="), "date"},
		"a date of rubble":  {rewritten(t, good, "X-Amz-Date="+signed, "X-Amz-Date=yesterday"), "date"},
		"old":               {rewritten(t, good, "X-Amz-Date="+signed, "X-Amz-Date=20200101T000000Z"), "age"},
	} {
		t.Run(name, func(t *testing.T) {
			verdict := Verify(context.Background(), test.token, Want{Cluster: "demo", Partition: "aws", Region: "us-west-2"})
			broken := Broken(verdict.Rules)
			switch {
			case test.want == "" && (broken != nil || verdict.Failure == nil || verdict.Accepted() != nil):
				t.Errorf("got %+v", verdict)
			case test.want != "" && (broken == nil || broken.Name != test.want || verdict.Accepted() == nil || *verdict.Accepted()):
				t.Errorf("got %+v, want %s broken", verdict.Rules, test.want)
			}
			noSecret(t, verdict)
		})
	}
}

func signedAt(t *testing.T, s Secret) string {
	t.Helper()
	claims, err := Describe(s)
	if err != nil {
		t.Fatal(err)
	}
	return claims.SignedAt.Format(dateFormat)
}

// noSecret holds what is printed to not having what makes a token one.
func noSecret(t *testing.T, shown any) {
	t.Helper()
	text := fmt.Sprintf("%+v %#v", shown, shown)
	if data, err := json.Marshal(shown); err == nil {
		text += string(data)
	}
	for _, secret := range []string{"CANARY", "X-Amz-Signature", "ASIAIOSFODNN7EXAMPLE", "aHR0cHM6"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in %s", secret, text)
		}
	}
}

// answer is an STS behind a client.
type answer struct {
	status int
	body   string
	header http.Header
}

func (a *answer) RoundTrip(r *http.Request) (*http.Response, error) {
	a.header = r.Header
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body)), Header: http.Header{}}, nil
}

// Where the authenticator's client does not get through, the machine's own
// does, with the cluster's name in the header that the token signs.
func TestSTSAnswers(t *testing.T) {
	identity := `{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"111122223333","Arn":"arn:aws:sts::111122223333:assumed-role/nodes/i-1","UserId":"AROA:i-1"}}}`
	for name, test := range map[string]struct {
		answer   answer
		accepted string
		kind     snapshot.FailureKind
	}{
		"knows it":      {answer{status: 200, body: identity}, "true", ""},
		"refuses":       {answer{status: 403, body: `{"Error":{"Code":"SignatureDoesNotMatch","Message":"x"}}`}, "false", snapshot.FailDenied},
		"throttles":     {answer{status: 429, body: "slow"}, "nil", snapshot.FailAnswer},
		"is broken":     {answer{status: 500, body: "oops"}, "nil", snapshot.FailAnswer},
		"answers HTML":  {answer{status: 200, body: "<html>"}, "nil", snapshot.FailAnswer},
		"is not an ARN": {answer{status: 200, body: `{"GetCallerIdentityResponse":{}}`}, "nil", snapshot.FailAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			verdict := Verify(context.Background(), made(t), Want{Cluster: "demo", Partition: "aws", Region: "us-west-2", Client: &http.Client{Transport: &test.answer}})
			got := "nil"
			if a := verdict.Accepted(); a != nil {
				got = fmt.Sprint(*a)
			}
			if got != test.accepted || test.kind != "" && (verdict.Failure == nil || verdict.Failure.Kind != test.kind) {
				t.Errorf("accepted %s, failure %+v", got, verdict.Failure)
			}
			if test.accepted == "true" && (verdict.Identity.CanonicalARN != "arn:aws:iam::111122223333:role/nodes" || verdict.Identity.Session != "i-1") {
				t.Errorf("identity %+v", verdict.Identity)
			}
			if test.answer.header.Get("X-K8s-Aws-Id") != "demo" {
				t.Errorf("asked with %v", test.answer.header)
			}
			noSecret(t, verdict)
		})
	}
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	verdict := Verify(ctx, made(t), Want{Cluster: "demo", Partition: "aws", Region: "us-west-2"})
	if verdict.Failure == nil || verdict.Accepted() != nil {
		t.Errorf("got %+v", verdict)
	}
}

func TestClaims(t *testing.T) {
	claims, err := Describe(made(t))
	if err != nil {
		t.Fatal(err)
	}
	if time.Since(claims.SignedAt) > time.Minute || claims.Host != "sts.us-west-2.amazonaws.com" || claims.Region != "us-west-2" || claims.KeyEnd != "MPLE" || !claims.Temporary || !claims.ClusterSigned || claims.ExpiresIn != 60 {
		t.Errorf("claims are %+v", claims)
	}
	noSecret(t, claims)
	for _, text := range []string{"", "x", prefix, prefix + "!", prefix + base64.RawURLEncoding.EncodeToString([]byte("no host"))} {
		if _, err := Describe(Of(text)); err == nil || strings.Contains(err.Error(), "no host") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A secret prints as a placeholder, whatever asks for its text.
func TestSecretDoesNotPrint(t *testing.T) {
	s := made(t)
	noSecret(t, s)
	noSecret(t, struct{ Token Secret }{s})
	noSecret(t, s.LogValue().String())
	if !Looks(s.Reveal()) || Looks("demo") {
		t.Error("Looks does not tell a token from a word")
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"k8s-aws-v1.abc\n": "k8s-aws-v1.abc",
		`{"kind":"ExecCredential","status":{"token":"k8s-aws-v1.abc"}}`: "k8s-aws-v1.abc",
		`{"kind":"ExecCredential"}`:                                     "", "{": "", "  ": "",
	} {
		got, err := Parse([]byte(text))
		if got.Reveal() != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got.Reveal(), err)
		}
	}
}

func TestNothingToMakeATokenOf(t *testing.T) {
	if _, err := Make(context.Background(), config(), ""); err == nil {
		t.Error("a token for no cluster")
	}
	cfg := config()
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, fmt.Errorf("no role") })
	if _, err := Make(context.Background(), cfg, "demo"); err == nil || !strings.Contains(err.Error(), "no role") {
		t.Errorf("error is %v", err)
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add("k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte("https://sts.amazonaws.com/?X-Amz-Credential=A/B/C/D/E")))
	f.Add("k8s-aws-v1.")
	f.Fuzz(func(t *testing.T, text string) {
		claims, err := Describe(Of(text))
		if err == nil && (claims.Host == "" || claims.Length != len(text)) {
			t.Errorf("%q is described as %+v", text, claims)
		}
		if strings.ContainsFunc(claims.Host+claims.Region+claims.KeyEnd, unicode.IsControl) {
			t.Errorf("control characters in %+v", claims)
		}
	})
}
