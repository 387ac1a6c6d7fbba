package release

import (
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"encoding/json"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestArchives opens every archive: program, licence, and what the program
// says of its own build.
func TestArchives(t *testing.T) {
	license := read(t, filepath.Join(first(t), "LICENSE"))
	hashes := sums(t, filepath.Join(dist(t), "checksums.txt"))
	for _, archive := range slices.Concat(plugins(), agents()) {
		t.Run(archive.name, func(t *testing.T) {
			path := filepath.Join(dist(t), archive.name)
			if got := sum(read(t, path)); got != hashes[archive.name] {
				t.Errorf("checksums.txt says %q, the archive has %s", hashes[archive.name], got)
			}
			members := open(t, path)
			if !bytes.Equal(members["LICENSE"].content, license) {
				t.Error("LICENSE is not the repository's")
			}
			program := members[archive.binary()]
			if program.mode.Perm() != 0o755 {
				t.Errorf("%s has mode %v", archive.binary(), program.mode)
			}
			requireBuild(t, archive, program.content)
			requireSBOM(t, archive, program.content, hashes)
		})
	}
}

// requireBuild checks what the Go tool stamped into a program.
func requireBuild(t *testing.T, archive archive, program []byte) {
	t.Helper()
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	for key, want := range map[string]string{
		"vcs.revision": folder(t, "EKSNODES_RELEASE_COMMIT"), "vcs.modified": "false", "CGO_ENABLED": "0", "-trimpath": "true",
		"GOOS": archive.os, "GOARCH": archive.arch,
	} {
		if settings[key] != want {
			t.Errorf("built with %s=%s, want %s", key, settings[key], want)
		}
	}
	if !strings.HasPrefix(info.Main.Version, "v") {
		t.Errorf("the program calls itself %q", info.Main.Version)
	}
	if bytes.Contains(program, []byte(first(t))) {
		t.Error("the folder it was built in stands in the program")
	}
}

// requireSBOM holds a program's bill of materials to the modules that the
// program itself names.
func requireSBOM(t *testing.T, archive archive, program []byte, hashes map[string]string) {
	t.Helper()
	text := read(t, filepath.Join(dist(t), archive.sbom()))
	if hashes[archive.sbom()] != sum(text) {
		t.Errorf("checksums.txt says %q of %s", hashes[archive.sbom()], archive.sbom())
	}
	var bill struct {
		Format     string `json:"bomFormat"`
		Components []struct {
			Name, Version string
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	have, want := map[string]string{}, map[string]string{}
	for _, component := range bill.Components {
		have[component.Name] = component.Version
	}
	for _, module := range info.Deps {
		want[module.Path] = module.Version
	}
	delete(have, "std") // the Go release, which the program names elsewhere
	if bill.Format != "CycloneDX" || len(want) == 0 || !maps.Equal(have, want) {
		t.Errorf("%s (%s) lists %d modules, the program %d:\n%v\n%v", archive.sbom(), bill.Format, len(have), len(want), have, want)
	}
}

// TestReproducible compares programs with those of a build elsewhere.
func TestReproducible(t *testing.T) {
	released := open(t, filepath.Join(dist(t), "kubectl-eksnodes_linux_amd64.tar.gz"))["kubectl-eksnodes"].content
	again := read(t, filepath.Join(second(t), "dist", "kubectl-eksnodes"))
	if sum(released) != sum(again) {
		t.Errorf("kubectl-eksnodes for linux/amd64: released %s, built again %s", sum(released), sum(again))
	}
	hashes := sums(t, filepath.Join(second(t), "pkg", "agent", "binaries", "SHA256SUMS"))
	for _, agent := range agents() {
		released := open(t, filepath.Join(dist(t), agent.name))["node-agent"].content
		if again := hashes["node-agent-linux-"+agent.arch]; sum(released) != again {
			t.Errorf("node-agent for %s: released %s, built again %s", agent.arch, sum(released), again)
		}
	}
}

// TestEmbeddedAgents holds the agents inside every plugin to those released
// beside it.
func TestEmbeddedAgents(t *testing.T) {
	folder := filepath.Join(first(t), "pkg", "agent", "binaries")
	hashes := sums(t, filepath.Join(folder, "SHA256SUMS"))
	for _, agent := range agents() {
		name := "node-agent-linux-" + agent.arch
		released := open(t, filepath.Join(dist(t), agent.name))["node-agent"].content
		packed := read(t, filepath.Join(folder, name+".gz"))
		if hashes[name] != sum(released) || sum(unzip(t, packed)) != sum(released) {
			t.Errorf("node-agent for %s: released %s, to be embedded %s", agent.arch, sum(released), hashes[name])
		}
		for _, plugin := range plugins() {
			if program := open(t, filepath.Join(dist(t), plugin.name))[plugin.binary()].content; !bytes.Contains(program, packed) {
				t.Errorf("%s does not carry %s", plugin.name, name)
			}
		}
	}
}

func unzip(t *testing.T, packed []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
