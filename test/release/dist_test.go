package release

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder is a place that test/release/check prepared.
func folder(t *testing.T, variable string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Fatalf("%s is not set: run make release-check", variable)
	}
	return dir
}

// first is the clone in which goreleaser made the release, second one in
// which the same commit was built again without it.
func first(t *testing.T) string  { return folder(t, "EKSNODES_RELEASE_FIRST") }
func second(t *testing.T) string { return folder(t, "EKSNODES_RELEASE_SECOND") }
func dist(t *testing.T) string   { return filepath.Join(first(t), "dist") }

// archive is one archive of a release.
type archive struct {
	name, program, os, arch string
}

// binary is the program's file name in the archive.
func (a archive) binary() string {
	if a.os == "windows" {
		return a.program + ".exe"
	}
	return a.program
}

// sbom is the name of the program's bill of materials.
func (a archive) sbom() string { return a.program + "_" + a.os + "_" + a.arch + ".cdx.json" }

// plugins are the plugin's archives, agents those of node-agent.
func plugins() []archive {
	var all []archive
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			suffix := ".tar.gz"
			if system == "windows" {
				suffix = ".zip"
			}
			all = append(all, archive{"kubectl-eksnodes_" + system + "_" + arch + suffix, "kubectl-eksnodes", system, arch})
		}
	}
	return all
}

func agents() []archive {
	return []archive{
		{"node-agent_linux_amd64.tar.gz", "node-agent", "linux", "amd64"},
		{"node-agent_linux_arm64.tar.gz", "node-agent", "linux", "arm64"},
	}
}

// member is a file in an archive.
type member struct {
	mode    fs.FileMode
	content []byte
}

// open reads an archive into memory.
func open(t *testing.T, path string) map[string]member {
	t.Helper()
	if strings.HasSuffix(path, ".zip") {
		return openZip(t, path)
	}
	return openTar(t, path)
}

func openZip(t *testing.T, path string) map[string]member {
	t.Helper()
	reader, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	members := map[string]member{}
	for _, file := range reader.File {
		in, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		members[file.Name] = member{file.Mode(), content}
	}
	return members
}

func openTar(t *testing.T, path string) map[string]member {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]member{}
	for reader := tar.NewReader(unzipped); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return members
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		members[header.Name] = member{header.FileInfo().Mode(), content}
	}
}

// sums reads lines of sha256sum: hash by file name.
func sums(t *testing.T, path string) map[string]string {
	t.Helper()
	text := read(t, path)
	found := map[string]string{}
	for scanner := bufio.NewScanner(bytes.NewReader(text)); scanner.Scan(); {
		hash, name, ok := strings.Cut(scanner.Text(), "  ")
		if !ok {
			t.Fatalf("%s: no line of sha256sum: %q", path, scanner.Text())
		}
		found[name] = hash
	}
	return found
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func sum(content []byte) string {
	hash := sha256.Sum256(content)
	return hex.EncodeToString(hash[:])
}
