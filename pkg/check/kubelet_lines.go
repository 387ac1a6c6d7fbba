package check

import (
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// kubeletLineChecks are the ways in which a kubelet does not start, as it says
// itself: all that is known of a machine of which nothing but its console can be
// read.
func kubeletLineChecks() []Check {
	ends := func(sig, summary, value string, fix report.Fix) lineRow {
		return lineRow{sig: sig, status: report.Fail, confidence: report.Likely, summary: summary, value: value, fix: fix, unless: "kubelet-registered"}
	}
	return []Check{
		unlessAsked(snapshot.ProbeKubeletConfig, linesRow("kubelet.config-invalid", "kubelet's configuration",
			"A kubelet ends when its configuration cannot be read, or has a value that it does not take.", docKubelet, LinkNodeObject,
			ends("kubelet-config-invalid", "the kubelet refuses its configuration: %s", "why", kubeletConfigFix()))),
		unlessAsked(snapshot.ProbeLogs, linesRow("kubelet.reserved-too-big", "what is reserved for the node",
			"A kubelet ends when more is reserved for the system than the machine has.", docReserved, LinkNodeObject,
			ends("allocatable-invalid", "more is reserved for the node than the machine has, and the kubelet ends: %s", "why", reservedFix()))),
		unlessAsked(snapshot.ProbeResources, linesRow("kubelet.swap-on", "swap is off",
			"The kubelet does not start on a machine that swaps, unless failSwapOn is false.", docSwap, LinkNodeObject,
			ends("swap-on", "the machine swaps, and the kubelet does not start on one that does", "", swapFix()))),
		unlessAsked(snapshot.ProbeRuntime, linesRow("runtime.down", "container runtime answers",
			"The kubelet ends without a runtime, and a node whose runtime stops turns NotReady.", docRuntime, LinkNodeObject,
			ends("runtime-down", "the kubelet gets no answer of the container runtime", "", runtimeFix()))),
	}
}

// unlessAsked leaves a machine alone whose own report has the facts of the
// probe: those decide, and a line may be of an earlier run.
func unlessAsked(probe snapshot.Probe, row Check) Check {
	row.Uses = append(row.Uses, snapshot.SectionHost)
	lines := row.Node
	row.Node = func(s *snapshot.Snapshot, n *snapshot.Node) []Result {
		if n.Host != nil {
			if _, missing := n.Host.Gap(probe); !missing {
				return nil
			}
		}
		return lines(s, n)
	}
	return row
}
