package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// imageFamily is what reads the user data on a machine.
type imageFamily string

const (
	familyAL2023       imageFamily = "AL2023"
	familyAL2          imageFamily = "AL2"
	familyBottlerocket imageFamily = "Bottlerocket"
	familyWindows      imageFamily = "Windows"
	familyOther        imageFamily = "" // an image of one's own, or not known
)

// familyOf goes by the names that AWS gives its node images.
func familyOf(image *snapshot.Image) imageFamily {
	if image == nil {
		return familyOther
	}
	switch name := image.Name; {
	case strings.HasPrefix(name, "amazon-eks-node-al2023-"):
		return familyAL2023
	case strings.HasPrefix(name, "amazon-eks-node-"), strings.HasPrefix(name, "amazon-eks-gpu-node-"), strings.HasPrefix(name, "amazon-eks-arm64-node-"):
		return familyAL2
	case strings.HasPrefix(name, "bottlerocket-aws-"):
		return familyBottlerocket
	case strings.HasPrefix(name, "Windows_Server-"):
		return familyWindows
	}
	return familyOther
}

// bootView is what a machine boots from: its image and its user data, read as
// the machine would.
type bootView struct {
	snap   *snapshot.Snapshot
	image  *snapshot.Image
	family imageFamily
	doc    userdata.Document
	source string
}

// bootSource says where user data was found.
const (
	fromMachine  = "ec2:DescribeInstanceAttribute"
	fromTemplate = "ec2:DescribeLaunchTemplateVersions"
)

// userDataRow is a row about user data. It is asked about machines that are
// not Ready: one that is has booted from something right, which need not be
// what its group's template says today.
func userDataRow(id, title, why, ref string, rule func(*bootView) []Result, sigs ...lineRow) Check {
	return Check{
		ID: id, Title: title, Why: why, Ref: ref, Link: LinkBoot,
		Needs: sections(snapshot.SectionCluster),
		Uses: sections(snapshot.SectionGroups, snapshot.SectionLaunch, snapshot.SectionInstances, snapshot.SectionNodes,
			snapshot.SectionImages, snapshot.SectionUserData, snapshot.SectionConsole),
		Join: perUserData(rule, sigs),
	}
}

// perUserData runs the rule once for each user data and image in use. A line
// on the machine's console that says the same is proof, and comes first.
func perUserData(rule func(*bootView) []Result, sigs []lineRow) func(*snapshot.Snapshot) func(Joiner) []Result {
	type key struct{ text, image string }
	return func(s *snapshot.Snapshot) func(Joiner) []Result {
		said := map[key][]Result{}
		return func(j Joiner) []Result {
			if j.Node != nil {
				if j.Node.Kube != nil && j.Node.Kube.Ready() {
					return nil
				}
				if seen := sawAny(j.Node, sigs); seen != nil {
					return seen
				}
			}
			text, image, source := bootOf(j)
			if source == "" {
				return j.unread(s, snapshot.SectionUserData, snapshot.SectionLaunch, snapshot.SectionGroups)
			}
			k := key{text, image}
			if _, done := said[k]; !done {
				view := &bootView{snap: s, image: s.Catalog.Image(image), doc: userdata.Parse([]byte(text)), source: source}
				view.family = familyOf(view.image)
				said[k] = rule(view)
			}
			if j.Node == nil && proven(s, j.Group) {
				return nonetheless(said[k], fact(fromTemplate, fmt.Sprintf("a machine of %s version %d is Ready", j.Group.Launch.TemplateID, j.Group.Launch.TemplateNumber)))
			}
			return said[k]
		}
	}
}

// nonetheless makes warnings of failures that something speaks against.
func nonetheless(results []Result, against report.Evidence) []Result {
	out := slices.Clone(results)
	for i := range out {
		if out[i].Status == report.Fail {
			out[i].Status = report.Warn
			out[i].Evidence = append(slices.Clip(out[i].Evidence), against)
		}
	}
	return out
}

// proven reports whether a machine that was started from just this version of
// the group's template is Ready: whatever a rule makes of the user data, it
// has booted from it.
func proven(s *snapshot.Snapshot, g *snapshot.Group) bool {
	if g.Proposed || g.Launch.TemplateNumber == 0 {
		return false
	}
	return slices.ContainsFunc(s.Nodes, func(n snapshot.Node) bool {
		return n.Group == g.Name && n.Cloud != nil && n.Kube != nil && n.Kube.Ready() && n.Cloud.Tags[templateVersionTag] == strconv.Itoa(g.Launch.TemplateNumber)
	})
}

// bootOf is the user data and the image of a joiner: a machine's own where it
// was read, else its group's template. source is "" when neither was.
func bootOf(j Joiner) (text, image, source string) {
	if j.Group != nil && (j.Group.Launch.ImageID != "" || j.Group.Launch.UserData != "") {
		text, image, source = j.Group.Launch.UserData, j.Group.Launch.ImageID, fromTemplate
	}
	if j.Node == nil {
		return text, image, source
	}
	if j.Node.Cloud != nil && j.Node.Cloud.ImageID != "" {
		image = j.Node.Cloud.ImageID
	}
	if j.Node.UserData != "" {
		text, source = j.Node.UserData, fromMachine
	}
	return text, image, source
}

// faults are those of the kinds, as evidence with their lines.
func (v *bootView) faults(kinds ...userdata.FaultKind) []report.Evidence {
	var found []report.Evidence
	for _, fault := range v.doc.Faults {
		for _, kind := range kinds {
			if fault.Kind == kind {
				found = append(found, fact(v.source, fmt.Sprintf("user data line %d: %s", fault.Line, fault.Detail)))
			}
		}
	}
	return found
}

// readable reports whether the document could be taken apart, so that what it
// lacks is really not there.
func (v *bootView) readable() bool {
	return len(v.faults(userdata.FaultMIME, userdata.FaultEncoding, userdata.FaultYAML, userdata.FaultTOML, userdata.FaultNotRead)) == 0
}

func (v *bootView) imageName() string {
	if v.image == nil {
		return "an image that was not read"
	}
	return v.image.Name
}

// template is the fix for anything in user data.
func (v *bootView) template(summary string) report.Fix {
	return do(summary+", in a new version of the launch template; then replace the machine: user data is read at the first boot only",
		fmt.Sprintf("aws eks describe-cluster --region %s --name %s --query 'cluster.{name:name,endpoint:endpoint,ca:certificateAuthority.data,network:kubernetesNetworkConfig}'", v.snap.Target.Region, v.snap.Cluster.Name))
}
