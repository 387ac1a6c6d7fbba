package faults

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// goodMap is a right mapping of ROLE.
const goodMap = `- rolearn: ROLE
  username: system:node:{{EC2PrivateDNSName}}
  groups:
  - system:bootstrappers
  - system:nodes
`

// notLetIn is what a kubelet says when the API server refuses it.
const notLetIn = `Unable to register node with API server.*(Unauthorized|forbidden)`

// mapping is how a role is mapped.
type mapping struct {
	entry    string    // type of its access entry; "" for none
	mapRoles string    // its lines of aws-auth, with ROLE for its ARN and GROUP for its name
	edit     [2]string // what is then replaced, and by what
}

func mappingFaults() []fault {
	in := func(old, with string) mapping { return mapping{mapRoles: goodMap, edit: [2]string{old, with}} }
	return []fault{
		mappingFault("mapping removed", "auth.role-not-mapped", mapping{}),
		mappingFault("access entry of type STANDARD", "auth.entry-type", mapping{entry: "STANDARD"}),
		mappingFault("access entry of type STANDARD over a right aws-auth", "auth.entry-shadows", mapping{entry: "STANDARD", mapRoles: goodMap}),
		mappingFault("path in the role's ARN", "auth.arn-path", in("role/", "role/nodes/")),
		mappingFault("instance profile in place of the role", "auth.arn-instance-profile", in(":role/", ":instance-profile/")),
		mappingFault("session in place of the role", "auth.arn-assumed-role", mapping{
			mapRoles: strings.Replace(goodMap, "ROLE", "arn:aws:sts::"+layout.Account+":assumed-role/GROUP/i-0123456789abcdef0", 1)}),
		mappingFault("role of another account", "auth.arn-wrong-account", in(layout.Account, "444455556666")),
		mappingFault("wrong groups", "auth.groups-wrong", in("  - system:bootstrappers\n  - system:nodes\n", "  - system:masters-of-nothing\n")),
		mappingFault("wrong user name", "auth.username-template", in("system:node:{{EC2PrivateDNSName}}", "node-{{EC2PrivateDNSName}}")),
		mappingFault("mapped twice, the last wrong", "auth.duplicate", mapping{mapRoles: goodMap + "- rolearn: ROLE\n  username: nobody\n  groups: []\n"}),
		{name: "role made again under its name", want: []string{"auth.entry-stale-role"}, breaks: roleMadeAgain},
	}
}

// wholeMapFaults break aws-auth for everybody in it.
func wholeMapFaults() []fault {
	return []fault{
		mappingFault("aws-auth does not parse", "auth.awsauth-parse", mapping{mapRoles: strings.Replace(goodMap, "  username", " username", 1)}),
		mappingFault("aws-auth ends before the role", "auth.awsauth-indentation", mapping{
			mapRoles: "- rolearn: arn:aws:iam::" + layout.Account + ":role/deployer\n  username: deployer\n---\n" + goodMap}),
	}
}

// mappingFault maps a role of the group's own so.
func mappingFault(name, want string, how mapping) fault {
	return fault{name: name, want: []string{want}, breaks: func(t *testing.T, w *world, group string) func() {
		role, profile := w.ownRole(t, group)
		w.mapRole(t, group, role, how)
		w.group(t, group, 1, func(in *template) { in.profile = profile })
		id := w.running(t, group)
		w.refused(t, id, notLetIn)
		return func() {
			w.mapRole(t, group, role, mapping{entry: "EC2_LINUX"})
			ready(t, id)
		}
	}}
}

// mapRole maps a role so, and in no other way.
func (w *world) mapRole(t *testing.T, group, role string, how mapping) {
	t.Helper()
	lines := strings.NewReplacer("ROLE", role, "GROUP", group).Replace(how.mapRoles)
	w.maps.set(t, group, strings.Replace(lines, how.edit[0], how.edit[1], 1))
	t.Cleanup(func() { w.maps.set(t, group, "") })
	w.deleteEntry(t, role)
	if how.entry != "" {
		w.createEntry(t, role, how.entry)
	}
}

// roleMadeAgain deletes a role that has an access entry, and makes it again
// under the same name: the entry looks right and lets nobody in.
func roleMadeAgain(t *testing.T, w *world, group string) func() {
	role, profile := w.ownRole(t, group)
	w.createEntry(t, role, "EC2_LINUX")
	entered := time.Now()
	w.deleteRole(t, group)
	harness.Eventually(t, time.Minute, func() error { // times in IAM have seconds
		if time.Since(entered) < 2*time.Second {
			return fmt.Errorf("the entry is too young")
		}
		return nil
	})
	w.makeRole(t, group)
	w.addToProfile(t, group, group)
	w.group(t, group, 1, func(in *template) { in.profile = profile })
	id := w.running(t, group)
	w.refused(t, id, notLetIn)
	return func() {
		w.deleteEntry(t, role)
		w.createEntry(t, role, "EC2_LINUX")
		ready(t, id)
	}
}

// modeFaults move the cluster to the mode API, from where there is no way back.
func modeFaults() []fault {
	return []fault{{name: "mode API and a mapping in aws-auth only", want: []string{"auth.mode-api"}, breaks: func(t *testing.T, w *world, group string) func() {
		role, profile := w.ownRole(t, group)
		w.mapRole(t, group, role, mapping{mapRoles: goodMap})
		_, err := w.eks.UpdateClusterConfig(t.Context(), &eks.UpdateClusterConfigInput{
			Name: aws.String(layout.ClusterName), AccessConfig: &ekstypes.UpdateAccessConfigRequest{AuthenticationMode: ekstypes.AuthenticationModeApi},
		})
		must(t, err)
		w.group(t, group, 1, func(in *template) { in.profile = profile })
		id := w.running(t, group)
		w.refused(t, id, notLetIn)
		return func() {
			w.createEntry(t, role, "EC2_LINUX")
			ready(t, id)
		}
	}}}
}
