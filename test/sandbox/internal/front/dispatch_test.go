package front_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

func itoa(n int) string { return strconv.Itoa(n) }

// signedPost sends a JSON call as an SDK would.
func signedPost(t *testing.T, g *rig, service, host, target, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+host+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	sum := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: aliceKey, SecretAccessKey: aliceSecret}
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := g.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestCallsThatNobodyImplements(t *testing.T) {
	g := newRig(t, front.Hooks{})
	cfg := g.config()
	cfg.RetryMaxAttempts = 3 // the SDK must not try again
	calls := map[string]error{}
	_, calls["EKS operation"] = eks.NewFromConfig(cfg).ListInsights(t.Context(), &eks.ListInsightsInput{ClusterName: aws.String("demo")})
	_, calls["web page of moto's"] = ec2.NewFromConfig(cfg).DescribeSpotFleetRequests(t.Context(), nil)
	_, calls["operation that moto's repairs refuse"] = ec2.NewFromConfig(cfg).DescribeHosts(t.Context(), nil)
	_, calls["operation without its hook"] = ssm.NewFromConfig(cfg).DescribeInstanceInformation(t.Context(), nil)
	for name, err := range calls {
		if got := statusAndCode(t, err); got != "501 "+awsapi.CodeNotImplemented {
			t.Errorf("%s: %s", name, got)
		}
	}
	status, answer := signedPost(t, g, "kms", "kms.us-west-2.amazonaws.com", "TrentService.CreateKey", "{}")
	if status != http.StatusNotImplemented || !strings.Contains(answer, `"__type":"`+awsapi.CodeNotImplemented) {
		t.Errorf("service that is not played: %d %s", status, answer)
	}
	got := g.calls(t, "?unimplemented=true")
	if len(got) != 5 {
		t.Fatalf("%d calls logged as unimplemented, want 5: %+v", len(got), got)
	}
	if last := got[4]; last.Service != "kms" || last.Operation != "CreateKey" || last.ErrorCode != awsapi.CodeNotImplemented || !last.Write {
		t.Errorf("logged as %+v", last)
	}
}

func TestPassingToMoto(t *testing.T) {
	g := newRig(t, front.Hooks{})
	if _, err := ec2.NewFromConfig(g.config()).DescribeVpcs(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	g.moto.mu.Lock()
	last := g.moto.seen[len(g.moto.seen)-1]
	g.moto.mu.Unlock()
	if last.Host != "ec2.us-west-2.amazonaws.com" || !strings.Contains(last.Header.Get("Authorization"), aliceKey) {
		t.Errorf("moto was asked as %s", last.Host)
	}
	if got := g.calls(t, ""); len(got) != 1 || got[0].Service != "ec2" || got[0].Operation != "DescribeVpcs" || got[0].Region != region {
		t.Errorf("logged as %+v", got)
	}
}

func TestUnsignedRequest(t *testing.T) {
	g := newRig(t, front.Hooks{})
	for host, want := range map[string]string{
		"sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity": "MissingAuthenticationToken",
		"eks.us-west-2.amazonaws.com/clusters":                  "MissingAuthenticationTokenException",
		"checkip.amazonaws.com/":                                "",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := g.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if string(body) != "127.0.0.1\n" {
				t.Errorf("%s: %s", host, body)
			}
			continue
		}
		got := awsapi.ErrorCode(awsapi.Reply{Status: resp.StatusCode, Header: resp.Header, Body: body})
		if got != want || resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d %q, want %q", host, resp.StatusCode, got, want)
		}
	}
}

func TestProxyReachesAWSHostsOnly(t *testing.T) {
	g := newRig(t, front.Hooks{})
	proxy := httptest.NewServer(g.front.Proxy(g.server.Listener.Addr().String()))
	t.Cleanup(proxy.Close)
	connect := func(hostPort string) (net.Conn, int) {
		t.Helper()
		c, err := net.Dial("tcp", proxy.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", hostPort, hostPort); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodConnect})
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return c, resp.StatusCode
	}
	for hostPort, want := range map[string]int{
		"sts.us-west-2.amazonaws.com:443":     http.StatusOK,
		"eks.us-west-2.api.aws:443":           http.StatusOK,
		"ec2.cn-north-1.amazonaws.com.cn:443": http.StatusOK,
		"sts.us-west-2.amazonaws.com:22":      http.StatusForbidden,
		"example.com:443":                     http.StatusForbidden,
		"amazonaws.com.example.com:443":       http.StatusForbidden,
		"notamazonaws.com:443":                http.StatusForbidden,
		"169.254.169.254:443":                 http.StatusForbidden,
	} {
		if _, got := connect(hostPort); got != want {
			t.Errorf("CONNECT %s: status %d, want %d", hostPort, got, want)
		}
	}
}

func TestConsoleOutput(t *testing.T) {
	long := strings.Repeat("x", 70_000) + "the end\n"
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	g := newRig(t, front.Hooks{ConsoleOutput: consoleOf(long, at)})
	client := ec2.NewFromConfig(g.config())
	out, err := client.GetConsoleOutput(t.Context(), &ec2.GetConsoleOutputInput{InstanceId: aws.String("i-0aaaaaaaaaaaaaaaa"), Latest: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(*out.Output)
	if err != nil || len(text) != 64<<10 || !strings.HasSuffix(string(text), "the end\n") || !out.Timestamp.Equal(at) {
		t.Errorf("%d bytes at %v, %v", len(text), out.Timestamp, err)
	}
	_, err = client.GetConsoleOutput(t.Context(), &ec2.GetConsoleOutputInput{InstanceId: aws.String("i-0cccccccccccccccc")})
	if got := codeOf(t, err); got != "InvalidInstanceID.NotFound" {
		t.Errorf("absent instance: code %q", got)
	}
}

func TestReboot(t *testing.T) {
	var rebooted []string
	g := newRig(t, front.Hooks{Reboot: func(_ context.Context, id string) error { rebooted = append(rebooted, id); return nil }})
	ids := []string{"i-0aaaaaaaaaaaaaaaa", "i-0bbbbbbbbbbbbbbbb"}
	if _, err := ec2.NewFromConfig(g.config()).RebootInstances(t.Context(), &ec2.RebootInstancesInput{InstanceIds: ids}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(rebooted)
	if !slices.Equal(rebooted, ids) {
		t.Errorf("rebooted %v", rebooted)
	}
}

func TestInstanceConnect(t *testing.T) {
	var pushed []string
	g := newRig(t, front.Hooks{PushSSHKey: recordKeys(&pushed)})
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHr8xbN8kYkPzVJ6oJ0F9mY9kq9q1o3m5W3m7n8p9q0r me"
	send := func(user, key string) string {
		body := fmt.Sprintf(`{"InstanceId":"i-0aaaaaaaaaaaaaaaa","InstanceOSUser":%q,"SSHPublicKey":%q}`, user, key)
		_, answer := signedPost(t, g, "ec2-instance-connect", "ec2-instance-connect.us-west-2.amazonaws.com",
			"AWSEC2InstanceConnectService.SendSSHPublicKey", body)
		return answer
	}
	if got := send("ec2-user", key); !strings.Contains(got, `"Success":true`) || len(pushed) != 1 || pushed[0] != "i-0aaaaaaaaaaaaaaaa ec2-user "+key {
		t.Errorf("answer %s, pushed %v", got, pushed)
	}
	for _, tc := range [][2]string{{"ec2-user", "ssh-ed25519 nonsense"}, {"ec2-user", key + "\n" + key}, {"no such; user", key}} {
		if got := send(tc[0], tc[1]); !strings.Contains(got, "InvalidArgsException") {
			t.Errorf("user %q, key %q: %s", tc[0], tc[1], got)
		}
	}
	if len(pushed) != 1 {
		t.Errorf("pushed %v", pushed)
	}
}
