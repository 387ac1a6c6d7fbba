package check

import (
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// group edits the group of the healthy snapshot.
func group(edit func(*snapshot.Group)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { edit(&s.Groups[0]) }
}

func subnet(id string, edit func(*snapshot.Subnet)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { edit(s.Network.Subnet(id)) }
}

// natRoute edits the default route of the private subnets.
func natRoute(edit func(*snapshot.Route)) snapshottest.Edit {
	return func(s *snapshot.Snapshot) { edit(&s.Network.RouteTables[2].Routes[1]) }
}

// TestPreflight breaks one thing of a healthy plan at a time.
func TestPreflight(t *testing.T) {
	for _, row := range preflightRows() {
		t.Run(row.check+"/"+row.name, func(t *testing.T) {
			snap := snapshottest.Healthy(append([]snapshottest.Edit{snapshottest.Proposed}, row.edits...)...)
			got := Run(snap, only(Preflight(), row.check)).Findings
			for _, finding := range got {
				if finding.Status == row.want && strings.Contains(finding.Summary, row.summary) {
					if finding.Confidence == "" || len(finding.Evidence) == 0 {
						t.Errorf("finding without confidence or evidence: %+v", finding)
					}
					if row.want != report.Pass && finding.Fix.Summary == "" {
						t.Errorf("finding without fix: %+v", finding)
					}
					return
				}
			}
			t.Errorf("got %+v, want %s %q", got, row.want, row.summary)
		})
	}
}

func findings(r report.Report, id string) []report.Finding {
	var found []report.Finding
	for _, finding := range r.Findings {
		if finding.Check == id {
			found = append(found, finding)
		}
	}
	return found
}

type preflightRow struct {
	check, name string
	want        report.Status
	summary     string
	edits       []snapshottest.Edit
}

func preflightRows() []preflightRow {
	var rows []preflightRow
	add := func(check, name string, want report.Status, summary string, edits ...snapshottest.Edit) {
		rows = append(rows, preflightRow{check, name, want, summary, edits})
	}
	targetRows(add)
	launchRows(add)
	netRows(add)
	authRows(add)
	bootRows(add)
	return rows
}

type addRow func(check, name string, want report.Status, summary string, edits ...snapshottest.Edit)

func targetRows(add addRow) {
	target := func(edit func(*snapshot.Target)) snapshottest.Edit {
		return func(s *snapshot.Snapshot) { edit(&s.Target) }
	}
	status := func(status string) snapshottest.Edit {
		return func(s *snapshot.Snapshot) { s.Cluster.Status = status }
	}
	add("target.cluster-match", "the same", report.Pass, "are the same")
	add("target.cluster-match", "spelling of the URL does not count", report.Pass, "are the same",
		target(func(t *snapshot.Target) { t.Server = strings.ToLower(t.Server) + ":443/" }))
	add("target.cluster-match", "another endpoint", report.Fail, "is not the endpoint",
		target(func(t *snapshot.Target) { t.Server = "https://FEDC.gr7.us-west-2.eks.amazonaws.com" }))
	add("target.cluster-match", "another authority", report.Fail, "another certificate authority",
		target(func(t *snapshot.Target) { t.ServerCA = snapshottest.CA("other") }))
	add("target.cluster-match", "no authority in the kubeconfig", report.Fail, "another certificate authority",
		target(func(t *snapshot.Target) { t.ServerCA = "" }))
	add("target.cluster-match", "an authority too many", report.Fail, "another certificate authority",
		target(func(t *snapshot.Target) { t.ServerCA += snapshottest.CA("other") }))
	add("target.cluster-match", "no authority at EKS", report.Fail, "no certificate authority",
		func(s *snapshot.Snapshot) { s.Cluster.CA, s.Target.ServerCA = "", "" })
	add("target.cluster-active", "active", report.Pass, "ACTIVE")
	add("target.cluster-active", "updating", report.Warn, "UPDATING", status("UPDATING"))
	add("target.cluster-active", "creating", report.Fail, "never register", status("CREATING"))
	add("target.cluster-active", "deleting", report.Fail, "DELETING", status("DELETING"))
}

func launchRows(add addRow) {
	image := func(edit func(*snapshot.Image)) snapshottest.Edit {
		return func(s *snapshot.Snapshot) { edit(&s.Catalog.Images[0]) }
	}
	add("launch.sizes", "in order", report.Pass, "2 of 1 to 4")
	add("launch.sizes", "desired below minimum", report.Fail, "desired size 2", group(func(g *snapshot.Group) { g.Min = 3 }))
	add("launch.sizes", "desired above maximum", report.Fail, "maximum 1", group(func(g *snapshot.Group) { g.Max = 1 }))
	add("launch.update-room", "one to spare", report.Pass, "", group(func(g *snapshot.Group) { g.Max = 3 }))
	add("launch.update-room", "full", report.Warn, "maximum 2", group(func(g *snapshot.Group) { g.Max = 2 }))
	add("launch.update-room", "an empty group needs none", report.Pass, "", group(func(g *snapshot.Group) { g.Min, g.Desired, g.Max = 0, 0, 0 }))
	add("launch.type-exists", "exists", report.Pass, snapshottest.Type)
	add("launch.type-exists", "does not", report.Fail, "m9z.huge does not exist in us-west-2",
		group(func(g *snapshot.Group) { g.Launch.InstanceTypes = []string{"m9z.huge"} }))
	add("launch.type-offered", "in both zones", report.Pass, "every zone")
	add("launch.type-offered", "in one", report.Fail, "m7i.large is not sold in us-west-2b",
		func(s *snapshot.Snapshot) { s.Catalog.Offerings[snapshottest.Type] = []string{"us-west-2a"} })
	add("launch.key-pair", "exists", report.Pass, `"ops"`)
	add("launch.key-pair", "does not", report.Fail, `"lost"`, group(func(g *snapshot.Group) { g.Launch.KeyName = "lost" }))
	add("launch.vcpu-quota", "enough", report.Pass, "112 vCPUs are left")
	add("launch.vcpu-quota", "enough to the last vCPU", report.Pass, "8 vCPUs are left", func(s *snapshot.Snapshot) { *s.Catalog.VCPUInUse = 120 })
	add("launch.vcpu-quota", "not for the maximum", report.Warn, "8 vCPUs, the quota leaves 7", func(s *snapshot.Snapshot) { *s.Catalog.VCPUInUse = 121 })
	add("launch.vcpu-quota", "not for the start", report.Fail, "4 vCPUs, the quota leaves 3", func(s *snapshot.Snapshot) { *s.Catalog.VCPUInUse = 125 })
	add("launch.vcpu-quota", "overdrawn", report.Fail, "the quota leaves 0", func(s *snapshot.Snapshot) { *s.Catalog.VCPUInUse = 300 })
	add("launch.image-available", "available", report.Pass, snapshottest.Image)
	add("launch.image-available", "gone", report.Fail, "does not exist", func(s *snapshot.Snapshot) { s.Catalog.Images = nil })
	add("launch.image-available", "pending", report.Fail, "is pending", image(func(i *snapshot.Image) { i.State = "pending" }))
	add("launch.image-available", "deprecated", report.Warn, "2026-05-02", image(func(i *snapshot.Image) { i.DeprecatedAt = snapshottest.Now().AddDate(0, 0, -30) }))
	add("launch.image-architecture", "the same", report.Pass, "x86_64")
	add("launch.image-architecture", "another", report.Fail, "is arm64", image(func(i *snapshot.Image) { i.Architecture = "arm64" }))
	add("launch.volume-size", "larger", report.Pass, "80 GiB")
	add("launch.volume-size", "equal", report.Pass, "20 GiB", group(func(g *snapshot.Group) { g.Launch.VolumeSizeGiB = 20 }))
	add("launch.volume-size", "smaller", report.Fail, "19 GiB is smaller", group(func(g *snapshot.Group) { g.Launch.VolumeSizeGiB = 19 }))
}

func netRows(add addRow) {
	yes := true
	internet := natRoute(func(r *snapshot.Route) { r.Target = "igw-0a" })
	noRoute := natRoute(func(r *snapshot.Route) { r.Destination = "192.168.0.0/16" })
	publicOnly := func(s *snapshot.Snapshot) { s.Cluster.EndpointPrivate = false }
	tag := func(s *snapshot.Snapshot) {
		s.Network.SecurityGroups[1].Tags = map[string]string{"kubernetes.io/cluster/demo": "owned"}
	}
	add("net.subnets", "in the VPC", report.Pass, "2 subnets in us-west-2a, us-west-2b")
	add("net.subnets", "of another VPC", report.Fail, "subnet-0privateb is in vpc-0b", subnet("subnet-0privateb", func(n *snapshot.Subnet) { n.VPCID = "vpc-0b" }))
	add("net.subnets", "unknown", report.Fail, "subnet-0gone does not exist", group(func(g *snapshot.Group) { g.Subnets = []string{"subnet-0gone"} }))
	add("net.subnets", "none", report.Fail, "no subnet", group(func(g *snapshot.Group) { g.Subnets = nil }))
	add("net.free-addresses", "plenty", report.Pass, "400 addresses")
	add("net.free-addresses", "one subnet full", report.Warn, "no address is free in subnet-0privatea", subnet("subnet-0privatea", func(n *snapshot.Subnet) { n.FreeAddresses = 0 }))
	add("net.free-addresses", "not for the maximum", report.Warn, "2 free addresses for up to 4",
		subnet("subnet-0privatea", func(n *snapshot.Subnet) { n.FreeAddresses = 1 }), subnet("subnet-0privateb", func(n *snapshot.Subnet) { n.FreeAddresses = 1 }))
	add("net.free-addresses", "not for the start", report.Fail, "1 free addresses for 2",
		subnet("subnet-0privatea", func(n *snapshot.Subnet) { n.FreeAddresses = 1 }), subnet("subnet-0privateb", func(n *snapshot.Subnet) { n.FreeAddresses = 0 }))
	add("net.route-out", "through a NAT", report.Pass, "leads out")
	add("net.route-out", "through a transit gateway", report.Pass, "leads out", natRoute(func(r *snapshot.Route) { r.Target = "tgw-0a" }))
	add("net.route-out", "internet gateway and public addresses", report.Pass, "leads out", internet, group(func(g *snapshot.Group) { g.Launch.PublicIP = &yes }))
	add("net.route-out", "black hole", report.Fail, "nat-0a is gone", natRoute(func(r *snapshot.Route) { r.State = "blackhole" }))
	add("net.route-out", "internet gateway, no public address", report.Fail, "machines get no public address", internet, publicOnly)
	add("net.route-out", "internet gateway, subnet gives none, private endpoint", report.Warn, "only with endpoints", internet, group(func(g *snapshot.Group) { g.Launch.PublicIP = nil }))
	add("net.route-out", "internet gateway, subnet gives addresses", report.Pass, "leads out", internet,
		group(func(g *snapshot.Group) { g.Launch.PublicIP, g.Subnets = nil, []string{"subnet-0publica"} }))
	add("net.route-out", "no default route", report.Fail, "no default route, and the API server", noRoute, publicOnly)
	add("net.route-out", "no default route, private endpoint", report.Warn, "no default route: machines join only", noRoute)
	add("net.security-groups", "in the VPC", report.Pass, "2 security groups")
	add("net.security-groups", "unknown", report.Fail, "sg-0gone does not exist", group(func(g *snapshot.Group) { g.Launch.SecurityGroupIDs = []string{"sg-0gone"} }))
	add("net.security-groups", "of another VPC", report.Fail, "sg-0extra is in vpc-0b", func(s *snapshot.Snapshot) { s.Network.SecurityGroups[1].VPCID = "vpc-0b" })
	add("net.one-tagged-group", "the cluster's", report.Pass, "at most one")
	add("net.one-tagged-group", "two", report.Warn, "2 security groups", tag)
	add("net.one-tagged-group", "the stack's own and another", report.Warn, "2 security groups", tag,
		group(func(g *snapshot.Group) { g.Launch.SecurityGroupIDs = []string{snapshottest.ExtraSG} }))
}

func authRows(add addRow) {
	role := func(edit func(*snapshot.Role)) snapshottest.Edit {
		return func(s *snapshot.Snapshot) { edit(&s.Roles[0]) }
	}
	policy := func(text string) snapshottest.Edit { return role(func(r *snapshot.Role) { r.TrustPolicy = text }) }
	mode := func(mode snapshot.AuthMode) snapshottest.Edit {
		return func(s *snapshot.Snapshot) { s.Cluster.AuthMode = mode }
	}
	broken := func(s *snapshot.Snapshot) { s.Access.AwsAuth.Data["mapRoles"] = "- rolearn: [\n" }
	add("iam.trust-not-ec2", "trusted", report.Pass, "EC2 may assume")
	add("iam.trust-not-ec2", "as a list, in China", report.Pass, "EC2 may assume",
		policy(`{"Statement":{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com.cn"]},"Action":["sts:AssumeRole"]}}`))
	add("iam.trust-not-ec2", "another service", report.Fail, "does not let EC2", policy(strings.Replace(snapshottest.TrustPolicy, "ec2.", "eks.", 1)))
	add("iam.trust-not-ec2", "another action", report.Fail, "does not let EC2", policy(strings.Replace(snapshottest.TrustPolicy, "sts:AssumeRole", "sts:TagSession", 1)))
	add("iam.trust-not-ec2", "denied", report.Fail, "does not let EC2", policy(strings.Replace(snapshottest.TrustPolicy, "Allow", "Deny", 1)))
	add("iam.trust-not-ec2", "an AWS principal", report.Fail, "does not let EC2", policy(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`))
	add("iam.trust-not-ec2", "not JSON", report.Fail, "does not let EC2", policy(`{`))
	add("iam.trust-not-ec2", "gone", report.Fail, "does not exist", func(s *snapshot.Snapshot) { s.Roles = nil })
	add("iam.wrong-role-used", "its own", report.Pass, "is not the cluster's")
	add("iam.wrong-role-used", "the cluster's", report.Fail, "is the cluster's own", func(s *snapshot.Snapshot) { s.Cluster.RoleARN = snapshottest.RoleARN })
	add("auth.entry-type", "EC2_LINUX", report.Pass, "lets the role in")
	add("auth.entry-type", "STANDARD", report.Fail, "of type STANDARD", mode(snapshot.AuthAPI), func(s *snapshot.Snapshot) { s.Access.Entries[0].Type = "STANDARD" })
	add("auth.entry-stale-role", "younger", report.Pass, "lets the role in")
	add("auth.entry-stale-role", "role made again", report.Fail, "was made after its access entry", mode(snapshot.AuthAPI), role(func(r *snapshot.Role) { r.CreatedAt = snapshottest.Now().Add(-time.Hour) }))
	add("auth.awsauth-parse", "parses", report.Pass, "lets the role in")
	add("auth.awsauth-parse", "broken, and all that counts", report.Fail, "drops every role", broken, mode(snapshot.AuthConfigMap))
	add("auth.awsauth-parse", "broken beside entries", report.Warn, "drops", broken)
}

func bootRows(add addRow) {
	named := func(name string) snapshottest.Edit {
		return func(s *snapshot.Snapshot) { s.Catalog.Images[0].Name = name }
	}
	add("boot.user-data-size", "small", report.Pass, "bytes")
	add("boot.user-data-size", "at the limit", report.Pass, "16384 bytes", group(func(g *snapshot.Group) { g.Launch.UserData = strings.Repeat("x", 16384) }))
	add("boot.user-data-size", "over it", report.Fail, "1 bytes too long", group(func(g *snapshot.Group) { g.Launch.UserData = strings.Repeat("x", 16385) }))
	add("ami.al2-eol", "AL2023", report.Pass, "not of the AL2 line")
	add("ami.al2-eol", "AL2", report.Warn, "has ended", named("amazon-eks-node-1.32-v20251120"))
	add("ami.wrong-minor", "the same", report.Pass, "kubelet 1.34")
	add("ami.wrong-minor", "newer", report.Fail, "1.35 is newer", named("amazon-eks-node-al2023-x86_64-standard-1.35-v20260520"))
	add("ami.wrong-minor", "three older", report.Warn, "1.31 is older", named("bottlerocket-aws-k8s-1.31-x86_64-v1.50.0-abcdef"))
	add("ami.wrong-minor", "four older", report.Fail, "more than 3 versions older", named("bottlerocket-aws-k8s-1.30-aarch64-v1.50.0-abcdef"))
	add("boot.hop-limit", "two", report.Pass, "2 hops")
	add("boot.hop-limit", "one", report.Warn, "cannot read instance metadata", group(func(g *snapshot.Group) { g.Launch.HopLimit = 1 }))
}
