package faults

import (
	_ "embed"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// collect is what somebody runs who has access and not this plugin.
//
//go:embed collect.sh
var collect string

// fromFiles breaks things of each kind, has files collected with the AWS CLI
// and kubectl, and asks twice for every group: of the cluster, and of the files.
// Both must say the same.
func (w *world) fromFiles(t *testing.T) {
	asked := map[string]string{"healthy": ""} // the first cause, by group
	for _, f := range slices.Concat(kubeFaults(), mappingFaults(), bootFaults(otherAuthority(t)), kubeletFaults(), credentialFaults(), networkFaults(), launchFaults()) {
		group, chosen := map[string]string{
			"no CNI plugin":                          "files-cni",
			"path in the role's ARN":                 "files-mapping",
			"MIME without its boundary":              "files-boot",
			"flag that the kubelet no longer has":    "files-kubelet",
			"instance profile without a role":        "files-credentials",
			"security group lets nothing out":        "files-network",
			"image deregistered":                     "files-launch",
			"access entry of type STANDARD":          "files-entry",
			"wrong service network in the user data": "files-network-of-services",
		}[f.name]
		if chosen {
			f.breaks(t, w, group)
			asked[group] = f.want[0]
		}
	}
	if len(asked) != 10 {
		t.Fatalf("%d groups", len(asked))
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "collect.sh")
	must(t, os.WriteFile(script, []byte(collect), 0o700))
	files := filepath.Join(dir, "evidence")
	must(t, os.Mkdir(files, 0o700))
	sandbox.MustExec(t, "bash", script, files, layout.ClusterName, layout.Region)
	for _, group := range slices.Sorted(maps.Keys(asked)) {
		t.Run(group, func(t *testing.T) {
			live, later := doctor(t, group), doctor(t, group, "--from", files)
			if live.first() != asked[group] || later.first() != asked[group] || later.code != live.code {
				t.Errorf("first is %q live (exit %d) and %q from files (exit %d), want %q", live.first(), live.code, later.first(), later.code, asked[group])
			}
			if diff := cmp.Diff(statuses(live), statuses(later)); diff != "" {
				t.Errorf("the verdicts differ (-live +from files):\n%s", diff)
			}
		})
	}
}

// statuses are what each check said, with the summary of what it did not pass.
// That a kubeconfig is the cluster's own can be asked only where there is one.
func statuses(d diagnosis) map[string][]string {
	all := map[string][]string{}
	for _, finding := range d.Findings {
		if finding.Check == "target.cluster-match" {
			continue
		}
		said := string(finding.Status)
		if finding.Status != report.Pass {
			said += ": " + finding.Summary
		}
		all[finding.Check] = append(all[finding.Check], said)
	}
	for check := range all {
		slices.Sort(all[check])
	}
	return all
}
