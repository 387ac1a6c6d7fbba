package version

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestBuildComesFromWhatTheGoToolStamped(t *testing.T) {
	stamped := func(version string, settings ...string) *debug.BuildInfo {
		info := &debug.BuildInfo{Main: debug.Module{Version: version}}
		for i := 0; i < len(settings); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		return info
	}
	const commit = "0123456789abcdef0123456789abcdef01234567"
	tests := map[string]struct {
		info          *debug.BuildInfo
		version, hash string
		line          string
	}{
		"release":   {stamped("v1.2.3", "vcs.revision", commit), "v1.2.3", commit, "v1.2.3 (commit 0123456789ab, "},
		"work tree": {stamped("(devel)", "vcs.revision", commit, "vcs.modified", "true"), "devel", commit + "-dirty", "devel (commit 0123456789ab, "},
		"no stamp":  {stamped(""), "devel", "", "devel (commit unknown, "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			build := read(test.info)
			if build.Version != test.version || build.Commit != test.hash {
				t.Errorf("got version %q commit %q, want %q %q", build.Version, build.Commit, test.version, test.hash)
			}
			if !strings.HasPrefix(build.String(), test.line) {
				t.Errorf("line is %q, want it to begin with %q", build, test.line)
			}
		})
	}
}
