package check

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/signature"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// absent takes the first machine's Node object away.
func absent(s *snapshot.Snapshot) { s.Nodes[0].Kube = nil }

// logged gives the first machine, which has not joined, a line: the library's
// own sample of it, read from a log of the unit that writes it.
func logged(sig string, values map[string]string) []snapshottest.Edit {
	return []snapshottest.Edit{absent, says1(sig, values)}
}

// says1 gives the first machine a line, whether it has joined or not. Values
// stand in for those of the sample where a test is about them.
func says1(sig string, values map[string]string) snapshottest.Edit {
	return func(s *snapshot.Snapshot) {
		line, ok := signature.Known(sig)
		if !ok {
			panic("the library has no line " + sig)
		}
		seen, err := signature.Scan(line.In[0], strings.NewReader(strings.Repeat(line.Match[0]+"\n", 3)))
		if err != nil {
			panic(err)
		}
		i := slices.IndexFunc(seen, func(s snapshot.Seen) bool { return s.Sig == sig })
		if i < 0 {
			panic("the sample does not match " + sig)
		}
		for name, value := range values {
			if _, has := seen[i].Values[name]; has {
				seen[i].Values[name] = value
			}
		}
		s.Nodes[0].Logs = append(s.Nodes[0].Logs, seen[i])
	}
}

func boots(text string) snapshottest.Edit {
	return group(func(g *snapshot.Group) { g.Launch.UserData = text })
}

// rewritten changes the healthy user data.
func rewritten(from, to string) snapshottest.Edit {
	return group(func(g *snapshot.Group) {
		if !strings.Contains(g.Launch.UserData, from) {
			panic("the user data has no " + from)
		}
		g.Launch.UserData = strings.Replace(g.Launch.UserData, from, to, 1)
	})
}

func onImage(name string) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { s.Catalog.Images[0].Name = name }
}

const (
	rocketImage = "bottlerocket-aws-k8s-1.34-x86_64-v1.50.0-abcdef"
	al2Image    = "amazon-eks-node-1.32-v20251120"
	bootstrap   = "#!/bin/bash\n/etc/eks/bootstrap.sh demo --kubelet-extra-args '--node-labels=a=b'\n"
)

func rocketData() string {
	return "[settings.kubernetes]\ncluster-name = \"demo\"\napi-server = \"" + snapshottest.Endpoint + "\"\ncluster-certificate = \"" + base64CA(snapshottest.Cluster) + "\"\n"
}

func base64CA(name string) string {
	return base64.StdEncoding.EncodeToString([]byte(snapshottest.CA(name)))
}

func bootRuleRows() []ruleRow {
	withKubelet := func(kubelet string) snapshottest.Edit {
		return rewritten("    cidr: 10.100.0.0/16\n", "    cidr: 10.100.0.0/16\n  kubelet:\n"+kubelet)
	}
	part := func(kind, body string) snapshottest.Edit {
		return rewritten("--//--", "--//\nContent-Type: "+kind+"\n\n"+body+"\n--//--")
	}
	rocket := []snapshottest.Edit{onImage(rocketImage), boots(rocketData())}
	edits := func(e ...snapshottest.Edit) []snapshottest.Edit { return e }
	return []ruleRow{
		{"boot.nodeconfig-missing", "is there", nil, report.Pass, "there is a NodeConfig"},
		{"boot.nodeconfig-missing", "nothing at all", edits(boots("")), report.Fail, "has no NodeConfig"},
		{"boot.nodeconfig-missing", "a script alone", edits(boots("#!/bin/bash\necho hi\n")), report.Fail, "has no NodeConfig"},
		{"boot.nodeconfig-missing", "the machine says so", logged("no-nodeconfig", nil), report.Fail, "nodeadm found no NodeConfig"},
		{"boot.nodeconfig-incomplete", "complete", nil, report.Pass, "all four"},
		{"boot.nodeconfig-incomplete", "no CIDR", edits(rewritten("    cidr: 10.100.0.0/16\n", "")), report.Fail, "does not name the cluster in full"},
		{"boot.nodeconfig-incomplete", "the machine says so", logged("nodeconfig-incomplete", map[string]string{"field": "CIDR"}), report.Fail, "CIDR is missing"},
		{"boot.nodeconfig-yaml", "is YAML", nil, report.Pass, "can be read"},
		{"boot.nodeconfig-yaml", "is not", edits(rewritten("    name: demo", "    name: demo: demo")), report.Fail, "is not YAML"},
		{"boot.nodeconfig-yaml", "unknown kind", edits(rewritten("kind: NodeConfig", "kind: Nodeconfig")), report.Fail, "a value that nodeadm does not take"},
		{"boot.nodeconfig-yaml", "unknown field", edits(rewritten("    name: demo", "    name: demo\n    names: demo")), report.Warn, "fields that nodeadm does not know"},
		{"boot.nodeconfig-yaml", "the machine says so", logged("nodeconfig-yaml", map[string]string{"what": "mapping values are not allowed"}), report.Fail, "mapping values"},
		{"boot.mime-malformed", "well-formed", nil, report.Pass, "1 parts"},
		{"boot.mime-malformed", "boundary", edits(rewritten("\n--//\n", "\n--/\n")), report.Fail, "not well-formed"},
		{"boot.mime-malformed", "no blank line", edits(rewritten("node.eks.aws\n\n", "node.eks.aws\n")), report.Fail, "not well-formed"},
		{"boot.mime-part-gzip", "plain", nil, report.Pass, "no part is compressed"},
		{"boot.mime-part-gzip", "compressed", edits(part("text/x-shellscript", "\x1f\x8b\x08")), report.Warn, "compressed by itself"},
		{"boot.userdata-not-mime", "MIME", nil, report.Pass, "mime"},
		{"boot.userdata-not-mime", "prose", edits(boots("hello world")), report.Fail, "nothing on the machine reads"},
		{"boot.userdata-not-mime", "the machine says so", logged("userdata-not-multipart", nil), report.Fail, "passed over it"},
		{"boot.userdata-encoding", "plain", nil, report.Pass, "can be decoded"},
		{"boot.userdata-encoding", "half a gzip", edits(boots("\x1f\x8b\x08\x00")), report.Fail, "cannot be decoded"},
		{"boot.al2-script-on-al2023", "NodeConfig", nil, report.Pass, "calls no bootstrap.sh"},
		{"boot.al2-script-on-al2023", "script", edits(boots(bootstrap)), report.Fail, "which AL2023 does not have"},
		{"boot.al2-script-on-al2023", "the machine says so", logged("bootstrap-removed", nil), report.Fail, "which AL2023 does not have"},
		{"boot.br-toml-invalid", "TOML", rocket, report.Pass, "is TOML"},
		{"boot.br-toml-invalid", "MIME", edits(onImage(rocketImage)), report.Fail, "is something else"},
		{"boot.br-toml-invalid", "broken", edits(onImage(rocketImage), boots(rocketData()+"x = \n")), report.Fail, "is something else"},
		{"boot.br-settings-missing", "complete", rocket, report.Pass, "are complete"},
		{"boot.br-settings-missing", "empty", edits(onImage(rocketImage), boots("")), report.Fail, "there is no user data"},
		{"boot.br-settings-missing", "no name", edits(onImage(rocketImage), boots(strings.Replace(rocketData(), "cluster-name", "cluster-nam", 1))), report.Fail, "do not name the cluster"},
		{"boot.nodeadm-called-manually", "no", nil, report.Pass, "no script"},
		{"boot.nodeadm-called-manually", "in a script", edits(part("text/x-shellscript", "#!/bin/bash\nnodeadm init\n")), report.Warn, "runs nodeadm"},
		{"boot.extra-args-quoting", "quoted", edits(onImage(al2Image), boots(bootstrap)), report.Pass, "as bootstrap.sh reads"},
		{"boot.extra-args-quoting", "joined by =", edits(onImage(al2Image), boots("#!/bin/bash\n/etc/eks/bootstrap.sh demo --kubelet-extra-args='--max-pods=9'\n")), report.Fail, "does not read an argument"},
		{"boot.userdata-failed", "none", nil, report.Pass, "nothing says"},
		{"boot.userdata-failed", "no interpreter", edits(part("text/x-shellscript", "echo hi")), report.Warn, "cannot run"},
		{"boot.userdata-failed", "no interpreter, and it is all there is", edits(onImage(al2Image), boots("#!/bin/bash\r\n/etc/eks/bootstrap.sh demo\r\n")), report.Fail, "cannot run"},
		{"boot.userdata-failed", "the machine says so", logged("userdata-script-failed", nil), report.Fail, "ended in an error"},
		{"boot.cluster-name-wrong", "the cluster's", nil, report.Pass, "is the cluster's"},
		{"boot.cluster-name-wrong", "another", edits(rewritten("name: demo", "name: dema")), report.Fail, `"dema", not "demo"`},
		{"boot.cluster-name-wrong", "in a script", edits(onImage(al2Image), boots("#!/bin/bash\n/etc/eks/bootstrap.sh other\n")), report.Fail, `"other"`},
		{"boot.endpoint-wrong", "the cluster's", nil, report.Pass, "is the cluster's"},
		{"boot.endpoint-wrong", "another", edits(rewritten("https://0123", "https://FEDC")), report.Fail, "is not the cluster's"},
		{"boot.ca-wrong", "the cluster's", nil, report.Pass, "is the cluster's"},
		{"boot.ca-wrong", "another", edits(rewritten(base64CA(snapshottest.Cluster), base64CA("former"))), report.Fail, "is not the cluster's"},
		{"boot.ca-wrong", "cut off", edits(rewritten(base64CA(snapshottest.Cluster), base64CA(snapshottest.Cluster)[:40])), report.Fail, "cut off"},
		{"boot.service-cidr-wrong", "the cluster's", nil, report.Pass, "is the cluster's"},
		{"boot.service-cidr-wrong", "another", edits(rewritten("10.100.0.0/16", "172.20.0.0/16")), report.Fail, "172.20.0.10, not 10.100.0.10"},
		{"boot.service-cidr-wrong", "no range", edits(rewritten("10.100.0.0/16", "10.100.0.0")), report.Fail, "no address range"},
		{"boot.ip-family", "the cluster's", nil, report.Pass, "is the cluster's"},
		{"boot.ip-family", "another", edits(func(s *snapshot.Snapshot) { s.Cluster.ServiceCIDR, s.Cluster.IPFamily = "fd00::/108", "ipv6" }), report.Fail, "the cluster is ipv6"},
		{"ami.not-eks", "EKS", nil, report.Pass, "named like one"},
		{"ami.not-eks", "another", edits(onImage("ubuntu/images/hvm-ssd/ubuntu-jammy-22.04"), absent), report.Warn, "is not named like a node image"},
		{"ami.not-eks", "the machine says so", logged("bootstrap-nofile", nil), report.Fail, "no /etc/eks/bootstrap.sh"},
		{"kubelet.unknown-flag", "none", nil, report.Pass, "no flag"},
		{"kubelet.unknown-flag", "of the dockershim", edits(withKubelet("    flags:\n    - --container-runtime=remote\n")), report.Fail, "no longer has"},
		{"kubelet.unknown-flag", "in-tree cloud", edits(withKubelet("    flags: [--cloud-provider=aws]\n")), report.Fail, "no longer has"},
		{"kubelet.unknown-flag", "the machine says so", logged("kubelet-unknown-flag", map[string]string{"flag": "--foo"}), report.Fail, "--foo"},
		{"kubelet.bad-labels", "none", nil, report.Pass, "a node's to set"},
		{"kubelet.bad-labels", "a role", edits(withKubelet("    flags:\n    - --node-labels=node-role.kubernetes.io/worker=true\n")), report.Fail, "may not give itself"},
		{"kubelet.bad-labels", "the machine says so", logged("kubelet-label-forbidden", nil), report.Fail, "Kubernetes' own"},
	}
}

// lineRuleRows prove a failure for every line that a row of lines alone waits
// for, with any value.
func lineRuleRows() []ruleRow {
	lines := map[string][]string{
		"boot.nodeadm-ec2-unreachable": {"nodeadm-ec2-deadline", "nodeadm-ec2-retry", "private-dns-wait"}, "boot.describecluster-failed": {"describe-exhausted"},
		"boot.describecluster-throttled": {"too-many-requests"}, "boot.br-pluto-timeout": {"br-pluto"}, "boot.nodeadm-stale-cache": {"nodeadm-cached-config"},
		"auth.node-name-mismatch": {"not-allowed-to-modify-node", "lease-wrong-name"}, "auth.anonymous": {"forbidden-user"}, "auth.clock-skew": {"clock-skew", "x509-time"},
		"iam.no-credentials": {"no-credentials"}, "iam.explicit-deny": {"explicit-deny"}, "iam.unauthorized": {"aws-unauthorized"}, "iam.sts-region-off": {"sts-region-disabled"},
		"auth.wrong-cluster-id": {"authn-sts-refused"}, "auth.token-malformed": {"authn-format"}, "auth.sts-throttled": {"authn-sts-throttled"}, "auth.dns-lookup": {"authn-ec2"},
		"auth.dns-name-changed": {"node-deny"}, "auth.unauthorized": {"kubelet-401", "authn-not-mapped", "authn-id-mismatch"}, "auth.reserved-username": {"authn-reserved"},
		"net.endpoint-nxdomain": {"dns-nxdomain", "dns-unreachable"}, "net.api-unreachable": {"api-timeout"}, "net.tls-timeout": {"tls-timeout"}, "net.tls-intercept": {"x509-unknown-ca", "x509-name"},
		"auth.exec-missing": {"exec-not-found"}, "auth.exec-apiversion": {"exec-apiversion"}, "auth.exec-fails": {"exec-failed"},
		"kubelet.config-invalid": {"kubelet-config-invalid"}, "kubelet.reserved-too-big": {"allocatable-invalid"}, "kubelet.swap-on": {"swap-on"}, "runtime.down": {"runtime-down"},
	}
	values := map[string]string{"action": "ec2:DescribeInstances"}
	var rows []ruleRow
	for _, check := range slices.Concat(bootLineChecks(), authLineChecks(), iamLineChecks(), netLineChecks(), kubeletLineChecks()) {
		rows = append(rows, ruleRow{check.ID, "Ready", nil, report.Pass, "is Ready"})
		for _, sig := range lines[check.ID] {
			want := report.Fail
			if check.ID == "boot.nodeadm-stale-cache" || check.ID == "auth.sts-throttled" {
				want = report.Warn
			}
			rows = append(rows, ruleRow{check.ID, sig, logged(sig, values), want, ""})
		}
	}
	return rows
}

// TestLinesAreKnown holds that every line that a test plants is one that the
// library finds, so that no row waits for a line that never comes.
func TestLinesAreKnown(t *testing.T) {
	known := map[string]bool{}
	for _, line := range signature.Lines() {
		known[line.ID] = true
	}
	for _, row := range slices.Concat(bootRuleRows(), lineRuleRows()) {
		for _, seen := range snapshottest.Healthy(row.edits...).Nodes[0].Logs {
			if !known[seen.Sig] {
				t.Errorf("%s: no line %s", row.check, seen.Sig)
			}
		}
	}
}

// A machine that got over a line, or is somebody else, is not judged by it.
func TestLinesThatMeanNothing(t *testing.T) {
	done := logged("nodeadm-ec2-retry", nil)
	done = append(done, logged("nodeadm-done", nil)...)
	for id, edits := range map[string][]snapshottest.Edit{
		"boot.nodeadm-ec2-unreachable": done,
		"auth.anonymous":               logged("forbidden-user", map[string]string{"user": "system:node:a"}),
		"net.api-unreachable":          append(logged("api-timeout", nil), says1("kubelet-401", nil)),
		"net.tls-timeout":              append(logged("tls-timeout", nil), says1("forbidden-user", map[string]string{"user": "system:node:a"})),
		"net.endpoint-nxdomain":        append(logged("dns-unreachable", nil), says1("not-allowed-to-modify-node", nil)),
		"auth.clock-skew":              append(logged("clock-skew", nil), func(s *snapshot.Snapshot) { s.Nodes[0].Kube = snapshottest.Healthy().Nodes[0].Kube }),
	} {
		for _, finding := range findings(Run(snapshottest.Healthy(edits...), All()), id) {
			if finding.Status != report.Pass {
				t.Errorf("%s: %+v", id, finding)
			}
		}
	}
}

// What a busy machine logs too is no cause before it stands there again, and
// none once the API server has answered.
func TestWhatPasses(t *testing.T) {
	at := func(sig string, count int, second int) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			seen := snapshot.Seen{Sig: sig, Where: "kubelet", Count: count, Line: sig, Last: snapshottest.Now().Add(time.Duration(second) * time.Second)}
			s.Nodes[0].Logs = append(s.Nodes[0].Logs, seen)
		}
	}
	for name, test := range map[string]struct {
		edits []snapshottest.Edit
		want  report.Status // "": it says nothing
	}{
		"once":                 {[]snapshottest.Edit{at("dns-unreachable", 1, 0)}, report.Warn},
		"again":                {[]snapshottest.Edit{at("dns-unreachable", 2, 0)}, report.Fail},
		"answered since":       {[]snapshottest.Edit{at("dns-unreachable", 9, 0), at("kubelet-401", 1, 1)}, ""},
		"answered before":      {[]snapshottest.Edit{at("dns-unreachable", 9, 1), at("kubelet-401", 1, 0)}, report.Fail},
		"the name is unknown":  {[]snapshottest.Edit{at("dns-nxdomain", 1, 0)}, report.Fail},
		"unknown, then it was": {[]snapshottest.Edit{at("dns-nxdomain", 1, 0), at("kubelet-401", 1, 1)}, report.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			var got report.Status
			for _, finding := range findings(Run(snapshottest.Healthy(append(test.edits, absent)...), All()), "net.endpoint-nxdomain") {
				if slices.Contains(finding.Subjects, "i-0000000000000000a") {
					got = finding.Status
				}
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// A machine's own user data counts, not what its group's template says today;
// a Ready machine has booted, whatever the template says.
func TestWhoseUserData(t *testing.T) {
	right := snapshottest.UserData(snapshottest.Cluster, snapshottest.Endpoint, snapshottest.CA(snapshottest.Cluster), "10.100.0.0/16")
	wrong := rewritten("name: demo", "name: dema")
	own := func(s *snapshot.Snapshot) { s.Nodes[0].UserData = right }
	for name, test := range map[string]struct {
		edits []snapshottest.Edit
		want  []string
	}{
		"template, machine absent":        {[]snapshottest.Edit{wrong, absent}, []string{"i-0000000000000000a"}},
		"own is right":                    {[]snapshottest.Edit{wrong, absent, own}, nil},
		"all Ready: the next one":         {[]snapshottest.Edit{wrong}, []string{snapshottest.Group}},
		"a proposed group has no machine": {[]snapshottest.Edit{wrong, snapshottest.Proposed}, []string{snapshottest.Group}},
	} {
		var failed []string
		for _, finding := range findings(Run(snapshottest.Healthy(test.edits...), All()), "boot.cluster-name-wrong") {
			if finding.Status == report.Fail {
				failed = append(failed, finding.Subjects...)
			}
		}
		if !slices.Equal(failed, test.want) {
			t.Errorf("%s: failed for %v, want %v", name, failed, test.want)
		}
	}
}

// What was not read is unknown where no other reading tells the same.
func TestUnreadUserData(t *testing.T) {
	gap := func(section snapshot.Section) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			s.Gaps = append(s.Gaps, snapshot.Gap{Section: section, Reason: snapshot.GapDenied, Detail: "access denied"})
		}
	}
	noTemplate := group(func(g *snapshot.Group) { g.Launch = snapshot.Launch{} })
	got := findings(Run(snapshottest.Healthy(noTemplate, absent, gap(snapshot.SectionLaunch)), All()), "boot.cluster-name-wrong")
	if len(got) != 1 || got[0].Status != report.Unknown {
		t.Errorf("no template: %+v", got)
	}
	got = findings(Run(snapshottest.Healthy(absent, gap(snapshot.SectionUserData)), All()), "boot.cluster-name-wrong")
	if len(got) != 1 || got[0].Status != report.Pass {
		t.Errorf("template alone: %+v", got)
	}
}
