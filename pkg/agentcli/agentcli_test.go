package agentcli

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	tests := map[string]struct {
		args []string
		code int
		out  string // begins with
		err  string // holds
	}{
		"version":      {[]string{"version"}, 0, "devel (commit ", ""},
		"json":         {[]string{"version", "-o", "json"}, 0, "{\n  \"version\": \"devel\"", ""},
		"format":       {[]string{"version", "-o", "table"}, 2, "", "use json or yaml"},
		"help":         {[]string{}, 0, "node-agent runs on an EKS node", ""},
		"unknown":      {[]string{"reports"}, 2, "", `unknown command "reports"`},
		"unknown flag": {[]string{"--deep"}, 2, "", "unknown flag"},
		"argument":     {[]string{"version", "x"}, 2, "", "takes no arguments"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := Main(context.Background(), test.args, Streams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.HasPrefix(out.String(), test.out) || !strings.Contains(errOut.String(), test.err) {
				t.Errorf("stdout %q, stderr %q", out.String(), errOut.String())
			}
		})
	}
}
