package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// lineRow is what a known line of a machine's logs proves.
type lineRow struct {
	sig        string
	status     report.Status
	confidence report.Confidence
	// summary may have one %s, which is the value named value of the line.
	summary, value string
	// only are the values of which it must have one to mean this; nil: any.
	only []string
	fix  report.Fix
	// unless is a line beside which this one means nothing: it says more, or
	// that the machine got over it.
	unless string
	// passes: a busy machine logs it too, and is over it with the next try.
	// Once, it is only pointed at; an answer of the API server refutes it.
	passes bool
}

// answers are lines that the API server's answers make.
func answers() [3]string {
	return [3]string{"kubelet-401", "forbidden-user", "not-allowed-to-modify-node"}
}

// answered reports whether the API server has answered the machine since it
// logged the line, or may have: not every log says when.
func answered(n *snapshot.Node, line *snapshot.Seen) bool {
	for _, sig := range answers() {
		if answer := n.Saw(sig); answer != nil && (answer.Last.IsZero() || line.Last.IsZero() || !answer.Last.Before(line.Last)) {
			return true
		}
	}
	return false
}

// sawAny is what the first of the lines that the machine has logged proves.
func sawAny(n *snapshot.Node, rows []lineRow) []Result {
	for _, row := range rows {
		seen := n.Saw(row.sig)
		if seen == nil || row.unless != "" && n.Saw(row.unless) != nil {
			continue
		}
		if row.only != nil && !slices.Contains(row.only, seen.Values[row.value]) {
			continue
		}
		if row.passes && answered(n, seen) {
			continue
		}
		summary := row.summary
		if row.value != "" {
			summary = fmt.Sprintf(row.summary, cmp.Or(seen.Values[row.value], "(unnamed)"))
		}
		result := Result{
			Status: row.status, Confidence: row.confidence, Summary: summary, Fix: row.fix,
			Evidence: []report.Evidence{quotedOften(seen)},
		}
		if row.passes && seen.Count == 1 {
			result.Status, result.Confidence, result.Summary = report.Warn, report.Possible, summary+"; it may be over"
		}
		return []Result{result}
	}
	return nil
}

// linesRow is a row that decides from lines alone. A machine that is Ready has
// got over whatever it logged on the way.
func linesRow(id, title, why, ref string, link Link, rows ...lineRow) Check {
	return Check{
		ID: id, Title: title, Why: why, Ref: ref, Link: link,
		Needs: sections(snapshot.SectionConsole), Uses: sections(snapshot.SectionNodes),
		Node: func(_ *snapshot.Snapshot, n *snapshot.Node) []Result {
			if n.Kube != nil && n.Kube.Ready() {
				return pass("the machine is Ready", fact("kube/nodes", "node "+n.Kube.Name))
			}
			return sawAny(n, rows)
		},
	}
}

// proof is a line that proves a failure.
func proof(sig, summary string, fix report.Fix) lineRow {
	return lineRow{sig: sig, status: report.Fail, confidence: report.Certain, summary: summary, fix: fix}
}

// bootLineChecks are what only the machine can tell of its boot.
func bootLineChecks() []Check {
	ec2 := do("give the subnet a way to EC2's API: a NAT, or an interface endpoint for ec2 with private DNS and a security group that lets the machines in; or set nodeadm's feature gate InstanceIdNodeName")
	describe := do("hand bootstrap.sh --apiserver-endpoint, --b64-cluster-ca and --dns-cluster-ip, so that it need not ask")
	return []Check{
		symptomRow(linesRow("boot.nodeadm-ec2-unreachable", "nodeadm reaches EC2",
			"nodeadm asks EC2 for the machine's name before the kubelet starts. Without a way there it waits ten minutes and gives up.", docAL2023, LinkAWSAPI,
			proof("nodeadm-ec2-deadline", "nodeadm did not reach EC2's API, and gave up", ec2),
			lineRow{sig: "nodeadm-ec2-retry", status: report.Fail, confidence: report.Likely, summary: "nodeadm does not reach EC2's API", unless: "nodeadm-done", fix: ec2},
			proof("private-dns-wait", "the machine waits for EC2 to tell its name", ec2))),
		symptomRow(linesRow("boot.describecluster-failed", "bootstrap.sh reaches EKS",
			"AL2's bootstrap.sh asks EKS for what it was not told, three times.", docTemplate, LinkAWSAPI,
			proof("describe-exhausted", "bootstrap.sh could not describe the cluster", describe))),
		linesRow("boot.describecluster-throttled", "EKS answers bootstrap.sh",
			"Many machines that start at once ask EKS more often than it answers.", docTemplate, LinkAWSAPI,
			lineRow{sig: "too-many-requests", status: report.Fail, confidence: report.Likely, summary: "EKS refused to describe the cluster: too many requests", fix: describe}),
		symptomRow(linesRow("boot.br-pluto-timeout", "Bottlerocket learns its settings from AWS",
			"Bottlerocket asks EC2 and EKS for settings that it was not given.", docRocket, LinkAWSAPI,
			lineRow{sig: "br-pluto", status: report.Fail, confidence: report.Likely, summary: "Bottlerocket could not learn %s from AWS", value: "generator", fix: ec2})),
		linesRow("boot.nodeadm-stale-cache", "nodeadm runs with today's configuration",
			"After a reboot nodeadm may go on with what it kept of an earlier boot.", docNodeadm, LinkBoot,
			lineRow{sig: "nodeadm-cached-config", status: report.Warn, confidence: report.Likely, summary: "nodeadm went back to configuration of an earlier boot", fix: do("replace the machine")}),
	}
}
