package host

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// answerWith puts an STS in place that takes signed requests only.
func answerWith(t *testing.T, status int, body string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "/us-west-2/sts/aws4_request") {
			t.Errorf("request is not signed for STS: %q", r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_PROFILE": "", "AWS_CA_BUNDLE": "",
	} {
		t.Setenv(name, value)
	}
}

func TestCallerARN(t *testing.T) {
	const arn = "arn:aws:sts::111122223333:assumed-role/nodes/i-0123456789abcdef0"
	answerWith(t, http.StatusOK, "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>"+arn+"</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>")
	got, err := CallerARN(context.Background())
	if err != nil || got != arn {
		t.Errorf("got %q, %v; want %q", got, err, arn)
	}
}

func TestCallerARNSaysWhatFailed(t *testing.T) {
	answerWith(t, http.StatusForbidden, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token is invalid</Message></Error></ErrorResponse>")
	_, err := CallerARN(context.Background())
	if err == nil || !strings.Contains(err.Error(), "ask STS for the caller's identity") || !strings.Contains(err.Error(), "InvalidClientTokenId") {
		t.Errorf("error is %v", err)
	}
}
