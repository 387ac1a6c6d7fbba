package cloud

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

const roadID = "i-0123456789abcdef0"

// TestOpenPort: the rule carries its tags from the first moment, for one
// address, and is taken back by its own id.
func TestOpenPort(t *testing.T) {
	f := newFake(t)
	f.answer("AuthorizeSecurityGroupIngress", 200, `<R><return>true</return><securityGroupRuleSet><item><securityGroupRuleId>sgr-1</securityGroupRuleId></item></securityGroupRuleSet></R>`)
	until := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	opening, err := f.client().OpenPort(t.Context(), Opening{GroupID: "sg-1", From: netip.MustParsePrefix("2001:db8::1/128"), Owner: "arn:me", Until: until, Process: "here/1/2"})
	if err != nil || opening.RuleID != "sgr-1" {
		t.Fatalf("%+v, %v", opening, err)
	}
	sent := f.last("AuthorizeSecurityGroupIngress").params
	for key, want := range map[string]string{
		"IpPermissions.1.Ipv6Ranges.1.CidrIpv6": "2001:db8::1/128", "IpPermissions.1.FromPort": "22", "IpPermissions.1.ToPort": "22",
		"TagSpecification.1.ResourceType": "security-group-rule", "TagSpecification.1.Tag.1.Value": "arn:me", "TagSpecification.1.Tag.2.Value": "2026-06-01T12:00:00Z",
	} {
		if got := sent.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	f.answer("AuthorizeSecurityGroupIngress", 400, refusedBy("InvalidPermission.Duplicate"))
	if _, err := f.client().OpenPort(t.Context(), opening); !IsKind(err, Exists) {
		t.Errorf("error %v", err)
	}
	f.answer("RevokeSecurityGroupIngress", 200, "<R><return>true</return></R>")
	if err := f.client().ClosePort(t.Context(), opening); err != nil || f.last("RevokeSecurityGroupIngress").params.Get("SecurityGroupRuleId.1") != "sgr-1" {
		t.Errorf("error %v, sent %v", err, f.last("RevokeSecurityGroupIngress").params)
	}
	f.answer("RevokeSecurityGroupIngress", 400, refusedBy("InvalidSecurityGroupRuleId.NotFound"))
	if err := f.client().ClosePort(t.Context(), opening); err != nil {
		t.Errorf("one that is gone: %v", err)
	}
}

// refusedBy is an error as EC2 words it.
func refusedBy(code string) string {
	return "<Response><Errors><Error><Code>" + code + "</Code><Message>no</Message></Error></Errors><RequestID>r</RequestID></Response>"
}

// TestOpenings reads only what carries our tags; a time that cannot be read
// counts as over.
func TestOpenings(t *testing.T) {
	f := newFake(t)
	rule := func(id, tags string) string {
		return "<item><securityGroupRuleId>" + id + "</securityGroupRuleId><groupId>sg-1</groupId><isEgress>false</isEgress><cidrIpv4>192.0.2.7/32</cidrIpv4><tagSet>" + tags + "</tagSet></item>"
	}
	tag := func(key, value string) string {
		return "<item><key>" + key + "</key><value>" + value + "</value></item>"
	}
	f.answer("DescribeSecurityGroupRules", 200, "<R><securityGroupRuleSet>"+
		rule("ours", tag(tagOpenedBy, "arn:me")+tag(tagOpenedUntil, "2026-06-01T12:00:00Z")+tag(tagOpenedFrom, "here/1/2"))+
		rule("broken", tag(tagOpenedUntil, "soon"))+rule("others", tag("Name", "x"))+"</securityGroupRuleSet></R>")
	got, err := f.client().Openings(t.Context())
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if o := got[0]; o.RuleID != "ours" || o.Owner != "arn:me" || o.Until.Hour() != 12 || o.Process != "here/1/2" || o.From.String() != "192.0.2.7/32" {
		t.Errorf("%+v", o)
	}
	if !got[1].Until.IsZero() {
		t.Errorf("%+v", got[1])
	}
	if name := f.last("DescribeSecurityGroupRules").params.Get("Filter.1.Name"); name != "tag:"+tagOpenedUntil {
		t.Errorf("filter %q", name)
	}
}

// TestRunCommand waits for the end of a command that SSM does not know at
// first.
func TestRunCommand(t *testing.T) {
	f := newFake(t)
	f.answer("SendCommand", 200, `{"Command": {"CommandId": "c"}}`)
	looks := 0
	f.answerWith("GetCommandInvocation", func(call) (int, string) {
		looks++
		switch looks {
		case 1:
			return 400, `{"__type": "InvocationDoesNotExist"}`
		case 2:
			return 200, `{"Status": "InProgress"}`
		}
		return 200, `{"Status": "Success", "StandardOutputContent": "out", "StandardErrorContent": "err"}`
	})
	out, errOut, err := f.client().RunCommand(t.Context(), roadID, "echo out", time.Minute)
	if err != nil || out != "out" || errOut != "err" {
		t.Errorf("%q, %q, %v", out, errOut, err)
	}
	if body := f.last("SendCommand").body; !strings.Contains(body, `"executionTimeout":["60"]`) || !strings.Contains(body, runShellScript) {
		t.Errorf("sent %s", body)
	}
	f.answer("GetCommandInvocation", 200, `{"Status": "Failed", "StatusDetails": "Failed", "ResponseCode": 3, "StandardErrorContent": "token k8s-aws-v1.canary"}`)
	if _, _, err := f.client().RunCommand(t.Context(), roadID, "exit 3", time.Minute); err == nil || !strings.Contains(err.Error(), "exit code 3") || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v", err)
	}
	f.fail("SendCommand", 400, "InvalidInstanceId", "not in a valid state")
	if _, _, err := f.client().RunCommand(t.Context(), roadID, "true", time.Minute); err == nil || !strings.Contains(err.Error(), "not in a valid state") {
		t.Errorf("error %v", err)
	}
}

func TestOnline(t *testing.T) {
	f := newFake(t)
	f.answer("DescribeInstanceInformation", 200, `{"InstanceInformationList": [{"InstanceId": "i-a", "PingStatus": "Online"}, {"InstanceId": "i-b", "PingStatus": "ConnectionLost"}]}`)
	online, err := f.client().Online(t.Context(), []string{"i-a", "i-b", "i-c"})
	if err != nil || !online["i-a"] || online["i-b"] || online["i-c"] || len(f.ops()) != 1 {
		t.Errorf("%v, %v, %q", online, err, f.ops())
	}
}

// TestPushSSHKey names the permission by its own prefix.
func TestPushSSHKey(t *testing.T) {
	f := newFake(t)
	f.answer("SendSSHPublicKey", 200, `{"Success": true}`)
	if err := f.client().PushSSHKey(t.Context(), roadID, "us-west-2a", "ec2-user", "ssh-ed25519 AAAA"); err != nil {
		t.Fatal(err)
	}
	f.fail("SendSSHPublicKey", 400, "AccessDeniedException", "no")
	if err := f.client().PushSSHKey(t.Context(), roadID, "", "ec2-user", "ssh-ed25519 AAAA"); err == nil || err.Error() != "access denied: ec2-instance-connect:SendSSHPublicKey" {
		t.Errorf("error %v", err)
	}
}
