package front_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"sigs.k8s.io/aws-iam-authenticator/pkg/token"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
)

// The real aws-iam-authenticator makes and verifies tokens here, as it does for
// the sandbox's API server.
func TestAuthenticatorsVerdict(t *testing.T) {
	g := newRig(t, front.Hooks{})
	// The verifier cannot be given a client.
	standard := http.DefaultTransport
	http.DefaultTransport = g.client.Transport
	t.Cleanup(func() { http.DefaultTransport = standard })
	c, err := g.front.RoleSession(t.Context(), nodeRole, "i-0aaaaaaaaaaaaaaaa")
	if err != nil {
		t.Fatal(err)
	}
	session := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
	forged := session
	forged.SecretAccessKey = "wrong"

	generator, err := token.NewGenerator(false, false)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		creds         aws.Credentials
		signedFor     string
		presentedTo   string
		clock         string
		want, refusal string
	}{
		"node":                {creds: session, signedFor: "demo", presentedTo: "demo", clock: "0s", want: "arn:aws:iam::111122223333:role/nodes"},
		"for another cluster": {creds: session, signedFor: "other", presentedTo: "demo", clock: "0s", refusal: "SignatureDoesNotMatch"},
		"wrong secret":        {creds: forged, signedFor: "demo", presentedTo: "demo", clock: "0s", refusal: "SignatureDoesNotMatch"},
		"expired":             {creds: session, signedFor: "demo", presentedTo: "demo", clock: "16m", refusal: "Signature expired"},
	} {
		t.Run(name, func(t *testing.T) {
			g.send(t, "PUT", "/clock", `{"offset":"`+tc.clock+`"}`, nil)
			made, err := generator.GetWithSTS(tc.signedFor, sts.NewFromConfig(g.configFor(tc.creds)))
			if err != nil {
				t.Fatal(err)
			}
			id, err := token.NewVerifier(tc.presentedTo, "aws", region).Verify(made.Token)
			if tc.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refusal) {
					t.Errorf("Verify = %+v, %v; want a refusal with %s", id, err, tc.refusal)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if id.CanonicalARN != tc.want || id.UserID != "AROANODES00000000001" || id.SessionName != "i-0aaaaaaaaaaaaaaaa" || id.AccountID != account {
				t.Errorf("identity = %+v", id)
			}
		})
	}
}
