package check

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// by brings the first machine's report home by a road.
func by(road string, edit func(*snapshot.Host)) []snapshottest.Edit {
	return machineSays(func(h *snapshot.Host) {
		edit(h)
		h.CameBy(road)
	})
}

// roadsOf are those of the evidence of the first finding of a check.
func roadsOf(verdict report.Report, id string) []string {
	var roads []string
	for _, finding := range verdict.Findings {
		if finding.Check != id {
			continue
		}
		for _, evidence := range finding.Evidence {
			if evidence.Source != "healthy sibling" {
				roads = append(roads, evidence.Road)
			}
		}
		break
	}
	return roads
}

// Evidence says by which road a machine's own word came home, and of what AWS
// and the cluster say that there was none.
func TestEvidenceSaysItsRoad(t *testing.T) {
	unmapped := func(s *snapshot.Snapshot) { s.Access.Entries, s.Access.AwsAuth = nil, nil }
	for name, test := range map[string]struct {
		check string
		edits []snapshottest.Edit
		want  []string
	}{
		"a fact": {"kubelet.not-running", by("ssh", func(h *snapshot.Host) { h.Kubelet.Running, h.Kubelet.Healthz = false, 0 }), []string{"ssh", "ssh"}},
		"a line": {"kubelet.unknown-flag", by("ssm", func(h *snapshot.Host) {
			h.Kubelet.Healthz, h.Logs.Seen = 0, []snapshot.Seen{{Sig: "kubelet-unknown-flag", Where: "kubelet", Count: 1, Line: "unknown flag"}}
		}), []string{"ssm"}},
		"a line of the console": {"kubelet.config-invalid", []snapshottest.Edit{absent, machine(func(n *snapshot.Node) {
			n.Logs = []snapshot.Seen{{Sig: "kubelet-config-invalid", Where: "kubelet", Count: 1, Line: "no", Road: snapshot.RoadConsole}}
		})}, []string{"console"}},
		"AWS": {"auth.role-not-mapped", append(by("ssh", func(*snapshot.Host) {}), unmapped), []string{"", "", ""}},
		"AWS, and the machine as its witness": {"auth.role-not-mapped", append(by("ssh", func(h *snapshot.Host) {
			h.SelfReview = &snapshot.HostSelfReview{Status: 401, Failure: broke(snapshot.FailDenied, "401 Unauthorized")}
		}), unmapped), []string{"", "", "", "ssh"}},
		"a file": {"kubelet.not-running", by("", func(h *snapshot.Host) { h.Kubelet.Running, h.Kubelet.Healthz = false, 0 }), []string{"", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			got := roadsOf(Run(snapshottest.Healthy(test.edits...), Standing()), test.check)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Lines of the console count where nobody asked the machine: what it says of
// itself now is worth more than what it once logged.
func TestReportDecidesOverLines(t *testing.T) {
	said := machine(func(n *snapshot.Node) {
		for _, sig := range []string{"kubelet-config-invalid", "swap-on", "runtime-down", "allocatable-invalid"} {
			n.Logs = append(n.Logs, snapshot.Seen{Sig: sig, Where: "kubelet", Count: 1, Line: "line of " + sig, Road: snapshot.RoadConsole})
		}
	})
	ids := []string{"kubelet.config-invalid", "kubelet.reserved-too-big", "kubelet.swap-on", "runtime.down"}
	failing := func(edits ...snapshottest.Edit) []string {
		var failed []string
		for _, finding := range Run(snapshottest.Healthy(edits...), Standing()).Findings {
			if finding.Status == report.Fail && slices.Contains(ids, finding.Check) {
				failed = append(failed, finding.Check)
			}
		}
		slices.Sort(failed)
		return failed
	}
	if diff := cmp.Diff(ids, failing(absent, said)); diff != "" {
		t.Error(diff)
	}
	if failed := failing(absent, said, snapshottest.Reported); len(failed) > 0 {
		t.Errorf("%v fail, and the machine is well", failed)
	}
}

// What nobody asked a machine of which units alone came home is not unknown.
func TestPartOfAReportLacksNothing(t *testing.T) {
	edits := []snapshottest.Edit{absent, machine(func(n *snapshot.Node) {
		n.Host = &snapshot.Host{CollectedAt: snapshottest.Now(), Units: &snapshot.HostUnits{Source: "console", Units: []snapshot.HostUnit{{Name: "kubelet", Active: "failed"}}}}
		for _, probe := range snapshot.Probes() {
			if _, missing := n.Host.Gap(probe); missing {
				n.Host.Gaps = append(n.Host.Gaps, snapshot.HostGap{Probe: probe, Reason: snapshot.GapNotAsked, Detail: "only the serial console was read"})
			}
		}
	})}
	got := Run(snapshottest.Healthy(edits...), Standing())
	for _, finding := range got.Findings {
		if finding.Status == report.Unknown {
			t.Errorf("%s is unknown: %s", finding.Check, finding.Summary)
		}
	}
	if !slices.ContainsFunc(got.Findings, func(f report.Finding) bool { return f.Check == "kubelet.not-running" && f.Status == report.Fail }) {
		t.Error("nobody says that the kubelet does not run")
	}
}

// By a wrong clock AWS refuses whatever the machine signs: the clock is the
// cause, and not who signs.
func TestClockExplainsRefusals(t *testing.T) {
	edits := machineSays(func(h *snapshot.Host) {
		h.Clock.Dates[0].OffsetMS = (-20 * time.Minute).Milliseconds()
		h.Identity = &snapshot.HostIdentity{Endpoint: "sts", Failure: &snapshot.HostFailure{Kind: snapshot.FailDenied, Code: "SignatureDoesNotMatch", Detail: "Signature expired"}}
		h.IMDS.CredentialsExpires = snapshottest.Now().Add(-time.Minute)
	})
	got := Run(snapshottest.Healthy(edits...), Standing())
	if first := got.Findings[0]; first.Check != "auth.clock-skew" || first.Status != report.Fail {
		t.Errorf("first is %s: %s", first.Check, first.Summary)
	}
}
