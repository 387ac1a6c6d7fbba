package check

import (
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// All lists every rule, family by family.
func All() []Check {
	// That a machine is absent comes last: every other symptom says more.
	return append(withReports(slices.Concat(
		targetChecks(),
		launchChecks(),
		imageChecks(),
		netChecks(),
		iamChecks(),
		iamLineChecks(),
		authChecks(),
		rbacChecks(),
		bootChecks(),
		userDataChecks(),
		clusterDataChecks(),
		bootLineChecks(),
		amiChecks(),
		kubeletDataChecks(),
		kubeletLineChecks(),
		authLineChecks(),
		launchGroupChecks(),
		launchFailureChecks(),
		stackChecks(),
		entryChecks(),
		clusterChecks(),
		clusterRoleChecks(),
		instanceChecks(),
		wayOutChecks(),
		familyChecks(),
		endpointChecks(),
		aclChecks(),
		groupRuleChecks(),
		dnsChecks(),
		netLineChecks(),
		nodeObjectChecks(),
		cniChecks(),
		cniFitChecks(),
		cniConfigChecks(),
		cniRoleChecks(),
		cniEventChecks(),
		nodeReadyChecks(),
		capacityChecks(),
		kubeChecks(),
	), slices.Concat(
		hostBootRows(),
		hostIAMRows(),
		hostNetRows(),
		hostAuthRows(),
		hostKubeletRows(),
		hostRuntimeRows(),
		hostCNIRows(),
		osRows(),
	)), joinChecks()...)
}

// Preflight lists the rules that `add` runs over the group it proposes.
func Preflight() []Check {
	return slices.DeleteFunc(All(), func(c Check) bool { return !c.Preflight })
}

// Standing lists the rules that `doctor` runs over what stands.
func Standing() []Check {
	return slices.DeleteFunc(All(), func(c Check) bool { return c.PlanOnly })
}

// Needs lists the sections that the checks read, sorted.
func Needs(checks []Check) []snapshot.Section {
	var all []snapshot.Section
	for _, check := range checks {
		all = append(all, check.Needs...)
		all = append(all, check.Uses...)
		if check.Host != nil {
			all = append(all, snapshot.SectionHost)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// The helpers below keep the rules short: one result each.

func pass(summary string, evidence ...report.Evidence) []Result {
	return []Result{{Status: report.Pass, Confidence: report.Certain, Summary: summary, Evidence: evidence}}
}

func warn(confidence report.Confidence, summary string, fix report.Fix, evidence ...report.Evidence) []Result {
	return []Result{{Status: report.Warn, Confidence: confidence, Summary: summary, Fix: fix, Evidence: evidence}}
}

func fail(confidence report.Confidence, summary string, fix report.Fix, evidence ...report.Evidence) []Result {
	return []Result{{Status: report.Fail, Confidence: confidence, Summary: summary, Fix: fix, Evidence: evidence}}
}

// fact quotes one fact and where it was read.
func fact(source, text string) report.Evidence { return report.Evidence{Source: source, Fact: text} }

// do is a fix in words and commands to paste.
func do(summary string, commands ...string) report.Fix {
	return report.Fix{Summary: summary, Commands: commands}
}
