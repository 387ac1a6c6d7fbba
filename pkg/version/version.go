// Package version says which build of the product this is, from what the Go
// tool stamps into every binary: `go install` reports it too.
package version

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"sigs.k8s.io/yaml"
)

// Build identifies a binary.
type Build struct {
	Version  string `json:"version"`          // v0.1.0, or "devel" outside of a release
	Commit   string `json:"commit,omitempty"` // full hash, "-dirty" appended for uncommitted changes
	Date     string `json:"date,omitempty"`   // of the commit, RFC 3339
	Go       string `json:"go"`
	Platform string `json:"platform"` // linux/amd64
}

// Current returns the build of the running binary.
func Current() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return read(info)
}

func read(info *debug.BuildInfo) Build {
	build := Build{Version: info.Main.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build.Version == "" || build.Version == "(devel)" {
		build.Version = "devel"
	}
	dirty := false
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			build.Commit = setting.Value
		case "vcs.time":
			build.Date = setting.Value
		case "vcs.modified":
			dirty = setting.Value == "true"
		}
	}
	if dirty && build.Commit != "" {
		build.Commit += "-dirty"
	}
	return build
}

// String is one line for people.
func (b Build) String() string {
	commit := b.Commit
	if len(commit) > 12 {
		commit = commit[:12]
	}
	if commit == "" {
		commit = "unknown"
	}
	return fmt.Sprintf("%s (commit %s, %s, %s)", b.Version, commit, b.Go, b.Platform)
}

// Print writes the build as text (format ""), json or yaml.
func (b Build) Print(out io.Writer, format string) error {
	var text []byte
	var err error
	switch format {
	case "":
		text = []byte(b.String() + "\n")
	case "json":
		text, err = json.MarshalIndent(b, "", "  ")
		text = append(text, '\n')
	case "yaml":
		text, err = yaml.Marshal(b)
	default:
		return fmt.Errorf("-o %q: use json or yaml", format)
	}
	if err != nil {
		return fmt.Errorf("write the version: %w", err)
	}
	_, err = out.Write(text)
	return err
}
