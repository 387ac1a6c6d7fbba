package faults

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// row is a line of docs/faults.md.
type row struct {
	fault, cause string
	took         time.Duration
}

// TestFaults breaks one thing at a time. It is one test because a cluster has
// one aws-auth; the faults that share nothing run at the same time.
func TestFaults(t *testing.T) {
	w := settle(t)
	var rows []row
	add := func(fault string, d diagnosis) { rows = append(rows, row{fault, d.first(), d.took}) }
	t.Run("nothing", func(t *testing.T) {
		if got := doctor(t, "healthy"); got.code != 0 {
			t.Errorf("exit %d, first %s", got.code, got.first())
		}
	})
	for i, fault := range mappingFaults() {
		t.Run(fault.name, func(t *testing.T) { add(fault.name, w.mapping(t, fmt.Sprintf("group-a%d", i), fault)) })
	}
	for i, fault := range templateFaults(otherAuthority(t)) {
		t.Run(fault.name, func(t *testing.T) { add(fault.name, w.template(t, fmt.Sprintf("group-b%d", i), fault)) })
	}
	t.Run("role made again", func(t *testing.T) { add("role made again under its name", w.roleMadeAgain(t)) })
	t.Run("two at once", w.twoAtOnce)
	t.Run("before a machine is started", w.wouldJoin)
	t.Run("group at zero", func(t *testing.T) {
		w.group(t, "group-c0", 0, nil)
		add("group at zero", expect(t, "launch.at-zero", "group-c0"))
	})
	t.Run("launch process suspended", func(t *testing.T) {
		w.group(t, "group-c1", 0, nil)
		name := aws.String("group-c1")
		_, err := w.asg.SuspendProcesses(t.Context(), &autoscaling.SuspendProcessesInput{AutoScalingGroupName: name, ScalingProcesses: []string{"Launch"}})
		must(t, err)
		_, err = w.asg.SetDesiredCapacity(t.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: name, DesiredCapacity: aws.Int32(1)})
		must(t, err)
		add("launch process suspended", expect(t, "launch.suspended", "group-c1"))
	})
	t.Run("reading is denied", deniedReads)
	t.Run("nothing any more", func(t *testing.T) {
		if got := doctor(t, "healthy"); got.code != 0 {
			t.Errorf("exit %d, first %s", got.code, got.first())
		}
	})
	writeTable(t, rows)
}

// expect runs the doctor and holds it to its first finding and exit code.
func expect(t *testing.T, want string, args ...string) diagnosis {
	t.Helper()
	got := doctor(t, args...)
	if got.first() != want {
		t.Errorf("first is %s, want %s", got.first(), want)
	}
	if i := slices.IndexFunc(got.Findings, func(f report.Finding) bool { return f.Status == report.Fail }); i >= 0 && got.code != 3 {
		t.Errorf("exit %d, want 3", got.code)
	}
	return got
}

// mappingFault is a wrong mapping of the healthy group's role.
type mappingFault struct {
	name string
	// mapRoles is written to aws-auth in place of the access entry, with ROLE
	// for the role's ARN; "" leaves none.
	mapRoles string
	// entry is the type of the entry that is made instead.
	entry string
	want  string
}

func mappingFaults() []mappingFault {
	const good = "- rolearn: ROLE\n  username: system:node:{{EC2PrivateDNSName}}\n  groups:\n  - system:bootstrappers\n  - system:nodes\n"
	return []mappingFault{
		{name: "mapping removed", want: "auth.role-not-mapped"},
		{name: "access entry of type STANDARD", entry: "STANDARD", want: "auth.entry-type"},
		{name: "aws-auth does not parse", mapRoles: strings.Replace(good, "  username", " username", 1), want: "auth.awsauth-parse"},
		{name: "path in the role's ARN", mapRoles: strings.Replace(good, "ROLE", strings.Replace("ROLE", "ROLE", "PATHROLE", 1), 1), want: "auth.arn-path"},
		{name: "wrong groups", mapRoles: strings.Replace(good, "  - system:bootstrappers\n  - system:nodes\n", "  - system:masters-of-nothing\n", 1), want: "auth.groups-wrong"},
		{name: "wrong user name", mapRoles: strings.Replace(good, "system:node:{{EC2PrivateDNSName}}", "node-{{EC2PrivateDNSName}}", 1), want: "auth.username-template"},
		{name: "mapped twice, the last wrong", mapRoles: good + "- rolearn: ROLE\n  username: nobody\n  groups: []\n", want: "auth.duplicate"},
	}
}

// mapping breaks the role's mapping, starts a machine, asks, and mends it: the
// machine that did not join must become Ready, so that what was broken was the
// cause.
func (w *world) mapping(t *testing.T, name string, fault mappingFault) diagnosis {
	t.Helper()
	w.deleteEntry(t, w.role)
	mended := false
	mend := func() {
		if mended {
			return
		}
		mended = true
		if fault.entry != "" {
			w.deleteEntry(t, w.role)
		}
		setAwsAuth(t, "")
		w.createEntry(t, w.role, "EC2_LINUX")
	}
	t.Cleanup(mend)
	if fault.entry != "" {
		w.createEntry(t, w.role, fault.entry)
	}
	withPath := strings.Replace(w.role, ":role/", ":role/nodes/", 1)
	setAwsAuth(t, strings.ReplaceAll(strings.ReplaceAll(fault.mapRoles, "PATHROLE", withPath), "ROLE", w.role))
	w.group(t, name, 1, nil)
	id := w.running(t, name)
	got := expect(t, fault.want, name)
	if node(t, id) != nil {
		t.Errorf("%s has joined: nothing was broken", id)
	}
	mend()
	ready(t, id)
	return got
}

// templateFault is something wrong in the launch template.
type templateFault struct {
	name, want string
	edit       func(*template)
}

func templateFaults(otherAuthority string) []templateFault {
	replace := func(old, with string) func(*template) {
		return func(in *template) { in.userData = strings.Replace(in.userData, old, with, 1) }
	}
	return []templateFault{
		{"wrong cluster name in the user data", "boot.cluster-name-wrong", replace("name: "+layout.ClusterName, "name: other")},
		{"wrong endpoint in the user data", "boot.endpoint-wrong",
			replace(layout.EndpointHost, "FEDCBA9876543210FEDCBA9876543210.gr7."+layout.Region+".eks.amazonaws.com")},
		{"wrong certificate authority in the user data", "boot.ca-wrong", func(in *template) {
			in.userData = authority.ReplaceAllString(in.userData, "certificateAuthority: "+otherAuthority)
		}},
		{"NodeConfig that is no YAML", "boot.nodeconfig-yaml", replace("kind: NodeConfig", "kind: [NodeConfig")},
		{"MIME without its boundary", "boot.mime-malformed", func(in *template) {
			in.userData = strings.Replace(in.userData, "boundary=", "border=", 1)
		}},
		{"bootstrap.sh on AL2023", "boot.al2-script-on-al2023", func(in *template) {
			in.userData = "#!/bin/bash\n/etc/eks/bootstrap.sh " + layout.ClusterName + "\n"
		}},
		{"no user data", "boot.nodeconfig-missing", func(in *template) { in.userData = "" }},
	}
}

// authority finds the certificate authority in a NodeConfig.
var authority = regexp.MustCompile(`certificateAuthority: \S+`)

// template starts a machine from a broken template and asks.
func (w *world) template(t *testing.T, name string, fault templateFault) diagnosis {
	t.Helper()
	w.group(t, name, 1, fault.edit)
	id := w.running(t, name)
	got := expect(t, fault.want, name)
	if node(t, id) != nil {
		t.Errorf("%s has joined: nothing was broken", id)
	}
	return got
}

// deniedReads denies the user one call after the other: what depends on it is
// unknown, and nothing that was read is taken for broken.
func deniedReads(t *testing.T) {
	for _, call := range []string{"eks:ListAccessEntries", "iam:GetRole", "ec2:DescribeLaunchTemplateVersions", "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"} {
		t.Run(call, func(t *testing.T) {
			sandbox.Driver(t, "fault", "inject", "deny", call)
			t.Cleanup(func() { sandbox.Driver(t, "fault", "clear") })
			got := doctor(t)
			if got.code != 4 || got.Counts.Unknown == 0 || got.Counts.Fail > 0 {
				t.Errorf("exit %d, %+v, first %s", got.code, got.Counts, got.first())
			}
			if !slices.ContainsFunc(got.Findings, func(f report.Finding) bool { return strings.Contains(f.Summary, call) }) {
				t.Errorf("no finding names %s", call)
			}
		})
	}
}

// twoAtOnce breaks two things that have nothing to do with each other: both
// are named, the one that a machine meets earlier first.
func (w *world) twoAtOnce(t *testing.T) {
	w.deleteEntry(t, w.role)
	t.Cleanup(func() { w.createEntry(t, w.role, "EC2_LINUX") })
	w.group(t, "group-d0", 1, func(in *template) {
		in.userData = strings.Replace(in.userData, "name: "+layout.ClusterName, "name: other", 1)
	})
	w.running(t, "group-d0")
	got := expect(t, "boot.cluster-name-wrong", "group-d0")
	if !slices.ContainsFunc(got.Findings, func(f report.Finding) bool {
		return f.Check == "auth.role-not-mapped" && f.Status == report.Fail
	}) {
		t.Error("the mapping is not named")
	}
}

// wouldJoin asks about templates that nothing was started from.
func (w *world) wouldJoin(t *testing.T) {
	w.group(t, "group-e0", 0, func(in *template) {
		in.userData = strings.Replace(in.userData, "name: "+layout.ClusterName, "name: other", 1)
	})
	expect(t, "boot.cluster-name-wrong", "group-e0", "--would-join")
	if got := doctor(t, "healthy", "--would-join"); got.Counts.Fail > 0 {
		t.Errorf("the healthy group fails: %s", got.first())
	}
	templates, err := w.ec2.DescribeLaunchTemplates(t.Context(), &ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{"group-e0"}})
	must(t, err)
	expect(t, "boot.cluster-name-wrong", "--launch-template", aws.ToString(templates.LaunchTemplates[0].LaunchTemplateId)+":1")
}
