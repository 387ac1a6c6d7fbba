package faults

import (
	_ "embed"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
)

const (
	tokenProgram = "/usr/bin/aws"
	noToken      = `getting credentials: exec: executable \S*aws failed`
)

//go:embed testdata/stale-token.py
var staleToken string

// interposer answers 401 to whatever is asked of instance metadata, as a
// program between a machine and its metadata may.
const interposer = `systemd-run -q --unit=interposer python3 -c '
import http.server
class Refuse(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_PUT = do_GET
http.server.HTTPServer(("127.0.0.1", 8169), Refuse).serve_forever()'
iptables -w -t nat -A OUTPUT -d 169.254.169.254 -p tcp --dport 80 -j REDIRECT --to-ports 8169`

// credentialsOnNode are faults of what a machine shows to the cluster.
func credentialsOnNode() []nodeFault {
	return []nodeFault{
		{
			name: "on the node: program for tokens missing", want: "auth.exec-missing", shown: `executable \S*aws not found|aws: no such file`,
			breaks: "mv " + tokenProgram + " " + kept, mends: "mv " + kept + " " + tokenProgram,
		},
		{
			name: "on the node: program that hands out a token of 20 minutes ago", want: "auth.token-expired", shown: notLetIn,
			breaks: "mv " + tokenProgram + " " + kept + "; cat >" + tokenProgram + " <<'PROGRAM'\n" + staleToken + "PROGRAM\nchmod 755 " + tokenProgram,
			mends:  "mv " + kept + " " + tokenProgram,
		},
		{name: "on the node: instance metadata off", want: "instance.metadata", shown: noToken, outside: metadataOff},
		{
			name: "on the node: something answers 401 for instance metadata", want: "net.imds-blocked", shown: noToken,
			breaks: interposer, mends: "iptables -w -t nat -F OUTPUT; systemctl stop interposer",
		},
		{name: "on the node: role that nothing maps any more", want: "auth.role-not-mapped", shown: notLetIn, outside: unmapped},
	}
}

// metadataOff turns a machine's metadata off and waits until it is.
func metadataOff(t *testing.T, w *world, m machine) func() {
	set := func(state ec2types.InstanceMetadataEndpointState, status string) {
		_, err := w.ec2.ModifyInstanceMetadataOptions(t.Context(), &ec2.ModifyInstanceMetadataOptionsInput{
			InstanceId: &m.id, HttpEndpoint: state, HttpTokens: ec2types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(2),
		})
		must(t, err)
		harness.Eventually(t, patience, func() error {
			got := m.script(t, "curl -s -o /dev/null -w '%{http_code}' -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token")
			if got != status {
				return fmt.Errorf("the metadata of %s answers %s", m.id, got)
			}
			return nil
		})
	}
	set(ec2types.InstanceMetadataEndpointStateDisabled, "403")
	return func() { set(ec2types.InstanceMetadataEndpointStateEnabled, "200") }
}

func unmapped(t *testing.T, w *world, m machine) func() {
	w.deleteEntry(t, m.role)
	return func() { w.createEntry(t, m.role, "EC2_LINUX") }
}
