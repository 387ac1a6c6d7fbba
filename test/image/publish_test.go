package main

import (
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// registryAt is a registry of this test's own, and a name in it.
func registryAt(t *testing.T, handler http.Handler) name.Tag {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	tag, err := name.NewTag(strings.TrimPrefix(server.URL, "http://")+"/team/node-agent:v1.2.3", name.StrictValidation)
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

// One name stands for both architectures; publishing again changes nothing, and
// other programs do not take the name over.
func TestPublish(t *testing.T) {
	tag := registryAt(t, registry.New(registry.Logger(log.New(t.Output(), "", 0))))
	amd64, arm64 := static(t, "amd64"), static(t, "arm64")
	digest, err := publish(t.Context(), []string{amd64, arm64}, tag)
	if err != nil {
		t.Fatal(err)
	}
	for architecture, program := range map[string]string{"amd64": amd64, "arm64": arm64} {
		image, err := remote.Image(tag.Digest(digest.String()), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: architecture}))
		if err != nil {
			t.Fatal(err)
		}
		if files(t, image) != "node-agent "+content(t, program) {
			t.Errorf("%s is not the program for it", architecture)
		}
	}
	if again, err := publish(t.Context(), []string{amd64, arm64}, tag); err != nil || again != digest {
		t.Errorf("again it is %s, error %v", again, err)
	}
	if _, err := publish(t.Context(), []string{amd64}, tag); err == nil || !strings.Contains(err.Error(), "a release is not replaced") {
		t.Errorf("another program took the name: %v", err)
	}
	if now, err := remote.Head(tag); err != nil || now.Digest != digest {
		t.Errorf("the name stands for %v, error %v", now, err)
	}
}

// A registry that does not let one look is not written to.
func TestPublishUnseen(t *testing.T) {
	wrote := false
	tag := registryAt(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wrote = wrote || r.Method == http.MethodPut || r.Method == http.MethodPost
		if r.URL.Path != "/v2/" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	if _, err := publish(t.Context(), []string{static(t, "amd64")}, tag); err == nil || !strings.Contains(err.Error(), "look whether") || wrote {
		t.Errorf("error %v, wrote %t", err, wrote)
	}
}
