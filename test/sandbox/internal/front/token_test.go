package front_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
)

const clusterHeader = "x-k8s-aws-id"

// presign makes the URL inside an EKS token: a presigned GetCallerIdentity with
// the cluster's name as a signed header.
func presign(t *testing.T, g *rig, secret string) string {
	t.Helper()
	cfg := g.config()
	creds, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	creds.SecretAccessKey = secret
	client := sts.NewPresignClient(sts.NewFromConfig(g.configFor(creds)))
	r, err := client.PresignGetCallerIdentity(t.Context(), nil, func(o *sts.PresignOptions) {
		o.ClientOptions = append(o.ClientOptions, func(o *sts.Options) {
			o.APIOptions = append(o.APIOptions,
				smithyhttp.SetHeaderValue(clusterHeader, "demo"), smithyhttp.SetHeaderValue("X-Amz-Expires", "60"))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.URL
}

// verify sends a presigned request as a token verifier does.
func verify(t *testing.T, g *rig, rawURL, cluster, accept string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, rawURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cluster != "" {
		r.Header.Set(clusterHeader, cluster)
	}
	r.Header.Set("Accept", accept)
	resp, err := g.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestTokenIsAccepted(t *testing.T) {
	g := newRig(t, front.Hooks{})
	u := presign(t, g, aliceSecret)
	status, body := verify(t, g, u, "demo", "application/json")
	var got struct {
		GetCallerIdentityResponse struct {
			GetCallerIdentityResult map[string]string
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
		t.Fatalf("status %d, body %s: %v", status, body, err)
	}
	result := got.GetCallerIdentityResponse.GetCallerIdentityResult
	if result["Arn"] != aliceARN || result["Account"] != account || result["UserId"] != "AIDAALICE" {
		t.Errorf("identity %v", result)
	}
	if status, body = verify(t, g, u, "demo", "*/*"); status != http.StatusOK || !strings.Contains(body, "<Arn>"+aliceARN+"</Arn>") {
		t.Errorf("without Accept: status %d, body %s", status, body)
	}
}

func TestTokenIsRefused(t *testing.T) {
	g := newRig(t, front.Hooks{})
	mine := presign(t, g, aliceSecret)
	for name, tc := range map[string]struct {
		url, cluster, clock, want string
	}{
		"for another cluster":          {mine, "other", "0s", "SignatureDoesNotMatch"},
		"without the cluster's header": {mine, "", "0s", "SignatureDoesNotMatch"},
		"with a wrong secret":          {presign(t, g, "wrong"), "demo", "0s", "SignatureDoesNotMatch"},
		"with a changed query":         {mine + "&more=1", "demo", "0s", "SignatureDoesNotMatch"},
		"of another key":               {strings.Replace(mine, aliceKey, "AKIANOBODYNOBODY0000", 1), "demo", "0s", "InvalidClientTokenId"},
		"after 14 minutes":             {mine, "demo", "14m", ""},
		"after 16 minutes":             {mine, "demo", "16m", "SignatureDoesNotMatch"},
		"from the future":              {mine, "demo", "-16m", "SignatureDoesNotMatch"},
	} {
		g.send(t, "PUT", "/clock", `{"offset":"`+tc.clock+`"}`, nil)
		status, body := verify(t, g, tc.url, tc.cluster, "application/json")
		var got struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: body %s: %v", name, body, err)
		}
		if got.Error.Code != tc.want || (status == http.StatusOK) != (tc.want == "") {
			t.Errorf("token %s: status %d, code %q, want %q", name, status, got.Error.Code, tc.want)
		}
	}
	for _, rec := range g.calls(t, "") {
		if rec.Service != "sts" || rec.Operation != "GetCallerIdentity" || rec.Write {
			t.Errorf("logged as %+v", rec)
		}
	}
}

func TestCallLogKeepsNoSecrets(t *testing.T) {
	g := newRig(t, front.Hooks{})
	raw := presign(t, g, aliceSecret)
	verify(t, g, raw, "demo", "application/json")
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	records := g.calls(t, "")
	b, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 1 || records[0].Principal != aliceARN || records[0].KeyID != aliceKey || records[0].Source != "127.0.0.1" {
		t.Errorf("records = %s", b)
	}
	for _, secret := range []string{aliceSecret, u.Query().Get("X-Amz-Signature"), "X-Amz-", u.RawQuery} {
		if strings.Contains(string(b), secret) {
			t.Errorf("the call log contains %q", secret)
		}
	}
}
