package cloud

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestUpdateStack(t *testing.T) {
	f := newFake(t)
	f.answer("UpdateStack", 200, "<UpdateStackResponse><UpdateStackResult><StackId>s</StackId></UpdateStackResult></UpdateStackResponse>")
	change := StackChange{Name: "s", Parameters: map[string]string{"B": "2", "A": "1"}, Keep: []string{"C"}, Capabilities: []string{"CAPABILITY_IAM"}, Token: "tok"}
	if err := f.client().UpdateStack(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	params := f.last("UpdateStack").params
	for key, want := range map[string]string{
		"UsePreviousTemplate": "true", "ClientRequestToken": "tok", "Parameters.member.1.ParameterKey": "A", "Parameters.member.2.ParameterValue": "2",
		"Parameters.member.3.ParameterKey": "C", "Parameters.member.3.UsePreviousValue": "true", "RoleARN": "",
	} {
		if got := params.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	f.fail("UpdateStack", 400, "ValidationError", "No updates are to be performed.")
	if err := f.client().UpdateStack(t.Context(), change); !IsKind(err, Unchanged) {
		t.Errorf("error %v", err)
	}
}

// TestProtectionInChunks: Auto Scaling takes 50 instances at once.
func TestProtectionInChunks(t *testing.T) {
	f := newFake(t)
	f.answer("SetInstanceProtection", 200, "<SetInstanceProtectionResponse><SetInstanceProtectionResult/></SetInstanceProtectionResponse>")
	ids := make([]string, 120)
	for i := range ids {
		ids[i] = fmt.Sprintf("i-%d", i)
	}
	if err := f.client().SetProtection(t.Context(), "g", true, ids...); err != nil {
		t.Fatal(err)
	}
	if n := len(f.ops()); n != 3 {
		t.Errorf("%d calls", n)
	}
	if last := f.last("SetInstanceProtection").params; last.Get("InstanceIds.member.20") != "i-119" || last.Get("ProtectedFromScaleIn") != "true" {
		t.Errorf("last call %v", last)
	}
}

// TestLeakedInterfaces: an interface counts as left behind when the CNI made
// it, nothing has it, and its instance is gone; each of these alone does not do.
func TestLeakedInterfaces(t *testing.T) {
	item := func(id, status, instance string) string {
		tag := ""
		if instance != "" {
			tag = "<tagSet><item><key>" + cniInstanceTag + "</key><value>" + instance + "</value></item></tagSet>"
		}
		return "<item><networkInterfaceId>" + id + "</networkInterfaceId><status>" + status + "</status>" + tag + "</item>"
	}
	f := newFake(t)
	f.answer("DescribeNetworkInterfaces", 200, "<R><networkInterfaceSet>"+
		item("leaked", "available", "i-gone")+item("ended", "available", "i-ended")+item("alive", "available", "i-alive")+
		item("attached", "in-use", "i-gone")+item("others", "available", "")+"</networkInterfaceSet></R>")
	f.answer("DescribeInstances", 200, "<R><reservationSet><item><instancesSet>"+
		"<item><instanceId>i-alive</instanceId><instanceState><name>running</name></instanceState></item>"+
		"<item><instanceId>i-ended</instanceId><instanceState><name>terminated</name></instanceState></item></instancesSet></item></reservationSet></R>")
	found, err := f.client().InterfacesIn(t.Context(), "sg-1")
	if err != nil {
		t.Fatal(err)
	}
	var leaked []string
	for _, one := range found {
		if one.Leaked {
			leaked = append(leaked, one.ID)
		}
	}
	if len(found) != 5 || !slices.Equal(leaked, []string{"leaked", "ended"}) {
		t.Errorf("leaked %v of %+v", leaked, found)
	}
}

func TestForeignRules(t *testing.T) {
	f := newFake(t)
	f.answerWith("DescribeSecurityGroups", func(c call) (int, string) {
		side := "ipPermissions"
		if strings.HasPrefix(c.params.Get("Filter.1.Name"), "egress") {
			side = "ipPermissionsEgress"
		}
		group := func(id string) string {
			return "<item><groupId>" + id + "</groupId><" + side + "><item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>" +
				"<groups><item><groupId>sg-1</groupId></item><item><groupId>sg-9</groupId></item></groups></item></" + side + "></item>"
		}
		return 200, "<R><securityGroupInfo>" + group("sg-1") + group("sg-other") + "</securityGroupInfo></R>"
	})
	found, err := f.client().RulesNaming(t.Context(), "sg-1")
	if err != nil {
		t.Fatal(err)
	}
	rule := snapshot.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, Peer: "sg-1"}
	want := []snapshot.ForeignRule{{GroupID: "sg-other", Rule: rule}, {GroupID: "sg-other", Egress: true, Rule: rule}}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	for _, one := range found {
		op := "RevokeSecurityGroupIngress"
		if one.Egress {
			op = "RevokeSecurityGroupEgress"
		}
		f.answer(op, 200, "<R><return>true</return></R>")
		if err := f.client().RevokeRule(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if params := f.last(op).params; params.Get("GroupId") != "sg-other" || params.Get("IpPermissions.1.Groups.1.GroupId") != "sg-1" || params.Get("IpPermissions.1.FromPort") != "443" {
			t.Errorf("%s: %v", op, params)
		}
	}
}

func TestFindRoles(t *testing.T) {
	f := newFake(t)
	f.answerWith("GetRole", func(c call) (int, string) {
		name := c.params.Get("RoleName")
		if name == "gone" {
			return 404, "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no</Message></Error></ErrorResponse>"
		}
		return 200, "<GetRoleResponse><GetRoleResult><Role><RoleName>" + name + "</RoleName><Arn>arn:aws:iam::1:role/" + name + "</Arn></Role></GetRoleResult></GetRoleResponse>"
	})
	roles, absent, err := f.client().FindRoles(t.Context(), []string{"a", "gone", "b"})
	if err != nil || len(roles) != 2 || roles[1].Name != "b" || !slices.Equal(absent, []string{"gone"}) {
		t.Errorf("%+v, %v, %v", roles, absent, err)
	}
	f.deny("GetRole")
	if _, _, err := f.client().FindRoles(t.Context(), []string{"a"}); !IsKind(err, Denied) {
		t.Errorf("error %v", err)
	}
}
