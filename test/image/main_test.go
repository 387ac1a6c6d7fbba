package main

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// static builds a program without libraries, for an architecture.
func static(t *testing.T, architecture string) string {
	t.Helper()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", program, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// The image is of the program's architecture, runs as nobody, has one file,
// and the same program gives the same bytes.
func TestImage(t *testing.T) {
	for _, architecture := range []string{"amd64", "arm64"} {
		program, dir := static(t, architecture), t.TempDir()
		first, second := filepath.Join(dir, "1.tar"), filepath.Join(dir, "2.tar")
		for _, output := range []string{first, second} {
			if err := (&wish{binaries: []string{program}, reference: "example.com/agent:v1", output: output}).run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if content(t, first) != content(t, second) {
			t.Errorf("%s: other bytes each time", architecture)
		}
		image, err := tarball.ImageFromPath(first, nil)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Architecture != architecture || config.OS != "linux" || config.Config.User != nobody || config.Config.Entrypoint[0] != "/node-agent" {
			t.Errorf("%s: %+v", architecture, config)
		}
		if names := files(t, image); names != "node-agent "+content(t, program) {
			t.Errorf("%s: files are not the program alone", architecture)
		}
		if left, err := filepath.Glob(filepath.Join(dir, ".image-*")); err != nil || len(left) > 0 {
			t.Errorf("left: %q, %v", left, err)
		}
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// files are the names and contents of an image's files.
func files(t *testing.T, image v1.Image) string {
	t.Helper()
	layers := mutate.Extract(image)
	defer layers.Close()
	archive := tar.NewReader(layers)
	var all []string
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(all, "\n")
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, header.Name+" "+string(data))
	}
}

func TestRefuses(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		binaries        []string
		reference, says string
	}{
		"no program":  {[]string{script}, "example.com/agent:v1", "no program for Linux"},
		"dynamic":     {[]string{"/bin/sh"}, "example.com/agent:v1", "not static"},
		"no tag":      {[]string{script}, "example.com/agent", "tag must be"},
		"nothing":     {nil, "", "are needed"},
		"two":         {[]string{script, script}, "example.com/agent:v1", "takes one -binary"},
		"not there":   {[]string{script + "x"}, "example.com/agent:v1", "no such file"},
		"not a place": {[]string{static(t, "amd64")}, "example.com/agent:v1", "no such file"},
	} {
		output := filepath.Join(t.TempDir(), "out.tar")
		if name == "not a place" {
			output = filepath.Join(t.TempDir(), "none", "out.tar")
		}
		if err := (&wish{binaries: test.binaries, reference: test.reference, output: output}).run(t.Context()); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(output); err == nil {
			t.Errorf("%s: it wrote", name)
		}
	}
}
