package userdata_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

const (
	begin = "-----BEGIN EKSNODES BEACON v1-----\r\n"
	end   = "-----END EKSNODES BEACON v1-----\r\n"
)

func TestParseBeacon(t *testing.T) {
	kubelet := userdata.BeaconUnit{Name: "kubelet", State: "activating", Lines: []string{"error: a"}}
	tests := []struct {
		name    string
		console string
		want    userdata.BeaconReport
		found   bool
	}{
		{name: "nothing", console: "[    0.0] Linux version 6.12\nlogin: "},
		{name: "serial line ends, other lines between", found: true,
			console: "boot\r\n" + begin + "# kubelet: activating\r\n[   9.1] eth0: link up\r\n|error: a\r\nAmazon Linux 2023\r\n" + end + "login: ",
			want:    userdata.BeaconReport{Complete: true, Units: []userdata.BeaconUnit{kubelet}}},
		{name: "cut off at the end", console: begin + "# kubelet: activating\r\n|error: a\r\n|err", found: true,
			want: userdata.BeaconReport{Units: []userdata.BeaconUnit{{Name: "kubelet", State: "activating", Lines: []string{"error: a", "err"}}}}},
		{name: "cut off at the start", console: "|error: a\r\n" + end},
		{name: "the last of two", console: begin + "# old: failed\r\n" + end + begin + "# kubelet: activating\r\n|error: a\r\n" + end, found: true,
			want: userdata.BeaconReport{Complete: true, Units: []userdata.BeaconUnit{kubelet}}},
		{name: "a log line cannot end it", found: true,
			console: begin + "# kubelet: activating\r\n|" + end + "|error: a\r\n" + end,
			want: userdata.BeaconReport{Complete: true, Units: []userdata.BeaconUnit{
				{Name: "kubelet", State: "activating", Lines: []string{"-----END EKSNODES BEACON v1-----", "error: a"}}}}},
		{name: "control characters", console: begin + "# kubelet: activating\n|error: \x1b[31ma\n" + end, found: true,
			want: userdata.BeaconReport{Complete: true, Units: []userdata.BeaconUnit{{Name: "kubelet", State: "activating", Lines: []string{"error: [31ma"}}}}},
		{name: "lines before any unit", console: begin + "|stray\n" + end, found: true, want: userdata.BeaconReport{Complete: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, found := userdata.ParseBeacon(tt.console)
			if diff := cmp.Diff(tt.want, got); found != tt.found || diff != "" {
				t.Errorf("found %v, report (-want +got):\n%s", found, diff)
			}
		})
	}
}

func FuzzParseBeacon(f *testing.F) {
	f.Add(begin + "# kubelet: active\r\n|error: a\r\n" + end)
	f.Add(begin + strings.Repeat("# u: x\n", 20) + strings.Repeat("|l\n", 100))
	f.Fuzz(func(t *testing.T, console string) {
		report, found := userdata.ParseBeacon(console)
		if !found && (len(report.Units) > 0 || report.Complete) {
			t.Errorf("not found, and yet %+v", report)
		}
		if len(report.Units) > 16 {
			t.Errorf("%d units", len(report.Units))
		}
		for _, unit := range report.Units {
			if len(unit.Lines) > 64 {
				t.Errorf("%d lines of %s", len(unit.Lines), unit.Name)
			}
			for _, line := range append(unit.Lines, unit.Name, unit.State) {
				if len(line) > 400 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Errorf("line %q", line)
				}
			}
		}
	})
}
