package front_test

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/calllog"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/faults"
)

const (
	account = "111122223333"
	region  = "us-west-2"

	aliceKey    = "AKIAALICEALICEALICE0"
	aliceSecret = "alice/secret+key"
	aliceARN    = "arn:aws:iam::111122223333:user/alice"
	nodeRole    = "arn:aws:iam::111122223333:role/team/nodes"
)

// rig is a front behind a TLS server that all AWS host names lead to.
type rig struct {
	front   *front.Front
	moto    *fakeMoto
	control *httptest.Server
	server  *httptest.Server
	client  *http.Client
}

func newRig(t *testing.T, hooks front.Hooks) *rig {
	t.Helper()
	g := &rig{moto: newFakeMoto(t)}
	var err error
	g.front, err = front.New(front.Config{
		Account: account, Region: region, Partition: "aws", Moto: g.moto.url, StateDir: t.TempDir(), Hooks: hooks,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.front.Close(); err != nil {
			t.Error(err)
		}
	})
	g.front.AddAccessKey(front.AccessKey{ID: aliceKey, Secret: aliceSecret})

	authority := newAuthority(t)
	g.server = httptest.NewUnstartedServer(g.front.Handler())
	if g.server.TLS, err = front.TLSConfig(authority); err != nil {
		t.Fatal(err)
	}
	g.server.StartTLS()
	t.Cleanup(g.server.Close)
	g.control = httptest.NewServer(g.front.Control())
	t.Cleanup(g.control.Close)

	roots := x509.NewCertPool()
	roots.AddCert(authority.Leaf)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, g.server.Listener.Addr().String())
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	g.client = &http.Client{Transport: transport}
	return g
}

// config is an SDK configuration of the user alice, with true AWS endpoints.
func (g *rig) config() aws.Config {
	return g.configFor(aws.Credentials{AccessKeyID: aliceKey, SecretAccessKey: aliceSecret})
}

func (g *rig) configFor(c aws.Credentials) aws.Config {
	return aws.Config{
		Region: region, HTTPClient: g.client, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil }),
	}
}

// send calls the control API and decodes its answer into out, if there is one.
func (g *rig) send(t *testing.T, method, path, body string, out any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.control.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := g.control.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, b, err)
		}
	}
	return resp.StatusCode
}

func (g *rig) inject(t *testing.T, rule string) faults.Rule {
	t.Helper()
	var r faults.Rule
	if status := g.send(t, "POST", "/faults", rule, &r); status != http.StatusCreated {
		t.Fatalf("inject %s: status %d", rule, status)
	}
	return r
}

func (g *rig) calls(t *testing.T, query string) []calllog.Record {
	t.Helper()
	var out []calllog.Record
	if status := g.send(t, "GET", "/calls"+query, "", &out); status != http.StatusOK {
		t.Fatalf("GET /calls%s: status %d", query, status)
	}
	return out
}

// codeOf is the code of an AWS error, "" for success; other errors fail the test.
func codeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Fatalf("not an AWS error: %v", err)
	}
	return e.ErrorCode()
}

// fakeMoto answers the calls that the front makes or passes on, with documents
// as moto gives them. Everything else gets the web page that moto gives.
type fakeMoto struct {
	url *url.URL

	mu      sync.Mutex
	answers map[string]func(form url.Values) (status int, body string)
	roleIDs map[string]string // by role name; a missing role does not exist
	trusted string            // the service that may assume roles; "" for EC2
	seen    []*http.Request
}

func newFakeMoto(t *testing.T) *fakeMoto {
	m := &fakeMoto{roleIDs: map[string]string{"nodes": "AROANODES00000000001"}}
	m.answers = map[string]func(url.Values) (int, string){
		"GetCallerIdentity": fixed(`<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>` + aliceARN +
			`</Arn><UserId>AIDAALICE</UserId><Account>` + account + `</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`),
		"GetUser": fixed(`<GetUserResponse><GetUserResult><User><Arn>` + aliceARN + `</Arn><UserId>AIDAALICE</UserId></User></GetUserResult></GetUserResponse>`),
		"GetRole": m.getRole,
		"AssumeRole": func(form url.Values) (int, string) {
			session := form.Get("RoleSessionName")
			return 200, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIASESSION000000001</AccessKeyId>` +
				`<SecretAccessKey>session/secret</SecretAccessKey><SessionToken>session+token/==</SessionToken>` +
				`<Expiration>` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `</Expiration></Credentials>` +
				`<AssumedRoleUser><Arn>arn:aws:sts::` + account + `:assumed-role/nodes/` + session + `</Arn>` +
				`<AssumedRoleId>AROANODES00000000001:` + session + `</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>`
		},
		"CreateAccessKey": fixed(`<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>alice</UserName>` +
			`<AccessKeyId>AKIANEWNEWNEWNEWNEW0</AccessKeyId><SecretAccessKey>new/secret</SecretAccessKey><Status>Active</Status>` +
			`</AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>`),
		"UpdateAccessKey": fixed(`<UpdateAccessKeyResponse/>`),
		"DeleteAccessKey": fixed(`<DeleteAccessKeyResponse/>`),
		"DescribeInstances": fixed(`<DescribeInstancesResponse><reservationSet><item><instancesSet>` +
			instanceXML("i-0aaaaaaaaaaaaaaaa", "running") + instanceXML("i-0bbbbbbbbbbbbbbbb", "stopped") +
			`</instancesSet></item></reservationSet></DescribeInstancesResponse>`),
		"RebootInstances": fixed(`<RebootInstancesResponse><return>true</return></RebootInstancesResponse>`),
		"GetConsoleOutput": func(form url.Values) (int, string) {
			if form.Get("InstanceId") != "i-0aaaaaaaaaaaaaaaa" {
				return 400, `<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>no</Message></Error></Errors></Response>`
			}
			return 200, `<GetConsoleOutputResponse/>`
		},
		"DescribeHosts": func(url.Values) (int, string) {
			return 501, `<Response><Errors><Error><Code>EksnodesSandboxNotImplemented</Code><Message>no</Message></Error></Errors></Response>`
		},
		"DescribeVpcs": fixed(`<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><vpcSet/></DescribeVpcsResponse>`),
	}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	var err error
	if m.url, err = url.Parse(server.URL); err != nil {
		t.Fatal(err)
	}
	return m
}

func fixed(body string) func(url.Values) (int, string) {
	return func(url.Values) (int, string) { return 200, body }
}

func instanceXML(id, state string) string {
	return `<item><instanceId>` + id + `</instanceId><instanceState><name>` + state + `</name></instanceState>` +
		`<privateIpAddress>10.20.16.4</privateIpAddress><privateDnsName>ip-10-20-16-4.us-west-2.compute.internal</privateDnsName>` +
		`<placement><availabilityZone>us-west-2a</availabilityZone></placement></item>`
}

func (m *fakeMoto) getRole(form url.Values) (int, string) {
	name := form.Get("RoleName")
	id, ok := m.roleIDs[name]
	if !ok {
		return 404, `<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>Role ` + name + ` not found</Message></Error></ErrorResponse>`
	}
	return 200, `<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam::` + account + `:role/team/` + name +
		`</Arn><RoleId>` + id + `</RoleId><AssumeRolePolicyDocument>` + url.QueryEscape(m.trust()) + `</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>`
}

// trust is the trust policy of all roles.
func (m *fakeMoto) trust() string {
	return `{"Statement":[{"Effect":"Allow","Principal":{"Service":"` + cmp.Or(m.trusted, "ec2.amazonaws.com") + `"},"Action":"sts:AssumeRole"}]}`
}

// setRole gives a role another unique id, or removes it.
func (m *fakeMoto) setRole(name, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.roleIDs, name)
	if id != "" {
		m.roleIDs[name] = id
	}
}

func (m *fakeMoto) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, r)
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, ok := m.answers[r.Form.Get("Action")]
	if !ok {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "<!doctype html>\n<title>500 Internal Server Error</title>")
		return
	}
	status, body := answer(r.Form)
	w.Header().Set("Content-Type", "text/html; charset=utf-8") // as moto does
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func newAuthority(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test AWS CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
