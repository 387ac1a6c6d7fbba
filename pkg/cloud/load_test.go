package cloud

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// cleanEnvironment hides the developer's own AWS settings.
func cleanEnvironment(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
	} {
		t.Setenv(name, value)
	}
}

func TestLoadNeedsARegion(t *testing.T) {
	cleanEnvironment(t)
	if _, err := Load(t.Context(), Options{}); !errors.Is(err, ErrNoRegion) {
		t.Errorf("error %v", err)
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	if cfg, err := Load(t.Context(), Options{}); err != nil || cfg.Region != "eu-west-1" {
		t.Errorf("region %q, error %v", cfg.Region, err)
	}
	if cfg, err := Load(t.Context(), Options{Region: "us-west-2"}); err != nil || cfg.Region != "us-west-2" {
		t.Errorf("region %q, error %v", cfg.Region, err)
	}
}

func TestLoadRefusesAnUnknownProfile(t *testing.T) {
	cleanEnvironment(t)
	if _, err := Load(t.Context(), Options{Region: "us-west-2", Profile: "nobody"}); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("error %v", err)
	}
}

func TestLoadHonoursEndpointAndNamesItself(t *testing.T) {
	cleanEnvironment(t)
	agents := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agents <- r.UserAgent()
		if _, err := io.WriteString(w, `{"cluster":{"name":"demo"}}`); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	cfg, err := Load(t.Context(), Options{Region: "us-west-2", Version: "v1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg).DescribeCluster(t.Context(), "demo"); err != nil {
		t.Fatal(err)
	}
	if agent := <-agents; !strings.Contains(agent, product.PluginName+"/v1.2.3") {
		t.Errorf("user agent %q", agent)
	}
}
