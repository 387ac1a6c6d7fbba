package front

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"regexp"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// maxConsole is how much of the console GetConsoleOutput gives: "the most
// recent 64 KB", Amazon EC2 API Reference, GetConsoleOutput.
const maxConsole = 64 << 10

func (f *Front) serveEC2(ctx context.Context, req *request) (awsapi.Reply, error) {
	if req.call.Operation == "GetConsoleOutput" && f.cfg.Hooks.ConsoleOutput != nil {
		return f.consoleOutput(ctx, req)
	}
	reply, err := f.pass(ctx, req)
	if req.call.Operation != "RebootInstances" || f.cfg.Hooks.Reboot == nil || err != nil || awsapi.ErrorCode(reply) != "" {
		return reply, err
	}
	for name, ids := range req.call.Form {
		if !strings.HasPrefix(name, "InstanceId.") {
			continue
		}
		if err := f.cfg.Hooks.Reboot(ctx, ids[0]); err != nil {
			return awsapi.Reply{}, err
		}
	}
	return reply, nil
}

// consoleOutput lets moto judge the instance id and then gives the console of
// the node.
func (f *Front) consoleOutput(ctx context.Context, req *request) (awsapi.Reply, error) {
	reply, err := f.pass(ctx, req)
	if err != nil || awsapi.ErrorCode(reply) != "" {
		return reply, err
	}
	id := req.call.Form.Get("InstanceId")
	text, at, err := f.cfg.Hooks.ConsoleOutput(ctx, id)
	if err != nil {
		return awsapi.Reply{}, err
	}
	if len(text) > maxConsole {
		text = text[len(text)-maxConsole:]
	}
	return awsapi.XML200(struct {
		XMLName   xml.Name `xml:"http://ec2.amazonaws.com/doc/2016-11-15/ GetConsoleOutputResponse"`
		RequestID string   `xml:"requestId"`
		Instance  string   `xml:"instanceId"`
		Timestamp string   `xml:"timestamp"`
		Output    string   `xml:"output,omitempty"`
	}{
		RequestID: req.call.RequestID, Instance: id, Timestamp: at.UTC().Format(time.RFC3339),
		Output: base64.StdEncoding.EncodeToString(text),
	})
}

// osUser is the pattern of InstanceOSUser in the API reference.
var osUser = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9@._-]{0,30}[A-Za-z0-9$_-]?$`)

// serveInstanceConnect serves SendSSHPublicKey. Errors are those of the EC2
// Instance Connect API Reference.
func (f *Front) serveInstanceConnect(ctx context.Context, req *request) (awsapi.Reply, error) {
	if req.call.Operation != "SendSSHPublicKey" || f.cfg.Hooks.PushSSHKey == nil {
		return awsapi.Reply{}, awsapi.NotImplemented(req.call, "it serves SendSSHPublicKey only")
	}
	var in struct {
		InstanceID string `json:"InstanceId"`
		User       string `json:"InstanceOSUser"`
		Key        string `json:"SSHPublicKey"`
		Zone       string `json:"AvailabilityZone"`
	}
	if json.Unmarshal(req.call.Body, &in) != nil || !osUser.MatchString(in.User) || !sshKey(in.Key) {
		return awsapi.Reply{}, &awsapi.Error{Code: "InvalidArgsException", Message: "One of the parameters is not valid"}
	}
	found, err := f.moto.Instances(ctx, map[string][]string{"instance-id": {in.InstanceID}})
	switch {
	case err != nil:
		return awsapi.Reply{}, err
	case len(found) == 0 || (in.Zone != "" && found[0].Zone != in.Zone):
		return awsapi.Reply{}, &awsapi.Error{Code: "EC2InstanceNotFoundException", Message: "Instance not found"}
	case found[0].State != "running":
		return awsapi.Reply{}, &awsapi.Error{Code: "EC2InstanceStateInvalidException", Message: "Instance is not in a running state"}
	}
	if err := f.cfg.Hooks.PushSSHKey(ctx, in.InstanceID, in.User, strings.TrimSpace(in.Key)); err != nil {
		return awsapi.Reply{}, err
	}
	return awsapi.JSON200(req.call, map[string]any{"RequestId": req.call.RequestID, "Success": true})
}

// sshKey reports whether a line is a public key in OpenSSH's format, or in PEM,
// which the API takes as well.
func sshKey(s string) bool {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "-----BEGIN") {
		return true
	}
	fields := strings.Fields(s)
	if len(fields) < 2 || strings.Contains(s, "\n") {
		return false
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil || len(blob) < 4+len(fields[0]) {
		return false
	}
	return string(blob[4:4+len(fields[0])]) == fields[0]
}
