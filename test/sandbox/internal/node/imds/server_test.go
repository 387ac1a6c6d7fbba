package imds

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func example() Instance {
	return Instance{
		ID: "i-0123456789abcdef0", ImageID: "ami-0123456789abcdef0", Type: "m5.large", Architecture: "x86_64",
		Account: "111122223333", Partition: "aws", Region: "us-west-2", Zone: "us-west-2a", ZoneID: "usw2-az1",
		DNSSuffix: "amazonaws.com", ReservationID: "r-1", LaunchTime: time.Unix(1_700_000_000, 0), Lifecycle: "on-demand",
		PrivateIP: "10.20.16.7", PrivateDNS: "ip-10-20-16-7.us-west-2.compute.internal",
		MAC: "02:01:02:03:04:05", InterfaceID: "eni-1", SubnetID: "subnet-1", SubnetCIDR: "10.20.16.0/20",
		VPCID: "vpc-1", VPCCIDR: "10.20.0.0/16", Groups: []Group{{ID: "sg-1", Name: "cluster"}, {ID: "sg-2", Name: "ssh"}},
		KeyName: "alice", PublicKey: "ssh-ed25519 AAAA alice", UserData: []byte("#!/bin/sh\n"),
		Profile: &Profile{ARN: "arn:aws:iam::111122223333:instance-profile/nodes", ID: "AIPA1",
			RoleARN: "arn:aws:iam::111122223333:role/team/nodes", RoleName: "nodes"},
		Tags:        map[string]string{"Name": "demo"},
		TargetState: "InService",
		Options:     Options{TokensRequired: true, HopLimit: 2},
	}
}

// service is a server with a clock that the test sets.
type service struct {
	*Server
	clock time.Time
	log   bytes.Buffer
}

func newService(instance Instance, credentials CredentialSource) *service {
	s := &service{clock: time.Unix(1_700_000_100, 0)}
	s.Server = New(instance, credentials, &s.log)
	s.now = func() time.Time { return s.clock }
	return s
}

// ask sends one request; header is name, value, name, value and so on.
func (s *service) ask(method, path string, header ...string) (int, string) {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		panic(err)
	}
	return w.Code, string(body)
}

func (s *service) token(t *testing.T) string {
	t.Helper()
	status, token := s.ask(http.MethodPut, "/latest/api/token", ttlHeader, "60")
	if status != http.StatusOK || token == "" {
		t.Fatalf("token: %d %q", status, token)
	}
	return token
}

func (s *service) get(t *testing.T, path string) (int, string) {
	t.Helper()
	return s.ask(http.MethodGet, path, tokenHeader, s.token(t))
}

func TestPaths(t *testing.T) {
	s := newService(example(), nil)
	mac := "/latest/meta-data/network/interfaces/macs/02:01:02:03:04:05/"
	for path, want := range map[string]string{
		"/latest/meta-data/instance-id":                        "i-0123456789abcdef0",
		"/2021-03-23/meta-data/instance-id":                    "i-0123456789abcdef0",
		"/latest/user-data":                                    "#!/bin/sh\n",
		"/latest/meta-data/placement/":                         "availability-zone\navailability-zone-id\nregion",
		"/latest/meta-data/placement":                          "availability-zone\navailability-zone-id\nregion",
		"/latest/meta-data/public-keys/":                       "0=alice",
		"/latest/meta-data/public-keys/0/":                     "openssh-key",
		"/latest/meta-data/public-keys/0/openssh-key":          "ssh-ed25519 AAAA alice",
		"/latest/meta-data/security-groups":                    "cluster\nssh",
		"/latest/meta-data/iam/":                               "info\nsecurity-credentials/",
		"/latest/meta-data/iam/security-credentials/":          "nodes",
		"/latest/meta-data/network/interfaces/macs/":           "02:01:02:03:04:05/",
		mac + "subnet-ipv4-cidr-block":                         "10.20.16.0/20",
		mac + "security-group-ids":                             "sg-1\nsg-2",
		"/latest/dynamic/instance-identity/":                   "document",
		"/latest/":                                             "dynamic\nmeta-data\nuser-data",
		"/latest/meta-data/autoscaling/target-lifecycle-state": "InService",
	} {
		if status, got := s.get(t, path); status != http.StatusOK || got != want {
			t.Errorf("%s: %d %q, want %q", path, status, got, want)
		}
	}
	for _, path := range []string{
		"/latest/meta-data/public-ipv4", "/latest/meta-data/nothing", "/latest/meta-data/tags/instance/Name",
		"/latest/meta-data/iam/security-credentials/other", "/nonsense/meta-data/instance-id", "/latest/meta-data/spot/instance-action",
	} {
		if status, got := s.get(t, path); status != http.StatusNotFound {
			t.Errorf("%s: %d %q, want 404", path, status, got)
		}
	}
}

func TestTokens(t *testing.T) {
	s := newService(example(), nil)
	const path = "/latest/meta-data/instance-id"
	if status, _ := s.ask(http.MethodGet, path); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d, want 401", status)
	}
	if status, _ := s.ask(http.MethodGet, path, tokenHeader, "invented"); status != http.StatusUnauthorized {
		t.Errorf("with an invented token: %d, want 401", status)
	}
	token := s.token(t)
	s.clock = s.clock.Add(61 * time.Second)
	if status, _ := s.ask(http.MethodGet, path, tokenHeader, token); status != http.StatusUnauthorized {
		t.Errorf("with a token that is over: %d, want 401", status)
	}
	for _, ttl := range []string{"", "0", "21601", "ten"} {
		if status, _ := s.ask(http.MethodPut, "/latest/api/token", ttlHeader, ttl); status != http.StatusBadRequest {
			t.Errorf("token for %q seconds: %d, want 400", ttl, status)
		}
	}
	if status, _ := s.ask(http.MethodPut, "/latest/api/token", ttlHeader, "60", "X-Forwarded-For", "10.0.0.1"); status != http.StatusForbidden {
		t.Errorf("token through a proxy: %d, want 403", status)
	}
}

func TestOptions(t *testing.T) {
	i := example()
	i.Options = Options{Tags: true}
	s := newService(i, nil)
	if status, got := s.ask(http.MethodGet, "/latest/meta-data/tags/instance/Name"); status != http.StatusOK || got != "demo" {
		t.Errorf("version 1 with tags on: %d %q", status, got)
	}
	if status, _ := s.ask(http.MethodGet, "/latest/user-data", tokenHeader, "wrong"); status != http.StatusUnauthorized {
		t.Errorf("a wrong token where none is needed: %d, want 401", status)
	}
	i.Options.Disabled = true
	s.Update(i)
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		if status, _ := s.ask(method, "/latest/api/token", ttlHeader, "60"); status != http.StatusForbidden {
			t.Errorf("%s while disabled: %d, want 403", method, status)
		}
	}
}

func TestInstanceWithLittle(t *testing.T) {
	i := example()
	i.Profile, i.UserData, i.PublicKey = nil, nil, ""
	s := newService(i, nil)
	for _, path := range []string{
		"/latest/user-data", "/latest/meta-data/iam/", "/latest/meta-data/iam/info",
		"/latest/meta-data/iam/security-credentials/", "/latest/meta-data/public-keys/",
	} {
		if status, got := s.get(t, path); status != http.StatusNotFound {
			t.Errorf("%s: %d %q, want 404", path, status, got)
		}
	}
	if _, got := s.get(t, "/latest/"); got != "dynamic\nmeta-data" {
		t.Errorf("top: %q", got)
	}
}

func TestIdentityDocument(t *testing.T) {
	_, text := newService(example(), nil).get(t, "/latest/dynamic/instance-identity/document")
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"accountId": "111122223333", "region": "us-west-2", "instanceType": "m5.large",
		"privateIp": "10.20.16.7", "architecture": "x86_64", "version": "2017-09-30", "kernelId": nil,
	} {
		if diff := cmp.Diff(want, got[key]); diff != "" {
			t.Errorf("%s (-want +got): %s", key, diff)
		}
	}
}

func TestCredentials(t *testing.T) {
	const path = "/latest/meta-data/iam/security-credentials/nodes"
	var asked []string
	fail := false
	var s *service
	s = newService(example(), func(_ context.Context, role, session string) (Credentials, error) {
		asked = append(asked, role+" "+session)
		if fail {
			return Credentials{}, errors.New("not authorized to perform sts:AssumeRole")
		}
		return Credentials{AccessKeyID: "ASIA1", SecretAccessKey: "canary-secret", SessionToken: "canary-token",
			Expiration: s.clock.Add(time.Hour)}, nil
	})
	read := func() map[string]string {
		status, text := s.get(t, path)
		var c map[string]string
		if err := json.Unmarshal([]byte(text), &c); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s: %v", status, text, err)
		}
		return c
	}
	if c := read(); c["Code"] != "Success" || c["SecretAccessKey"] != "canary-secret" || c["Token"] != "canary-token" {
		t.Errorf("credentials %v", c)
	}
	read()
	s.clock = s.clock.Add(56 * time.Minute)
	read()
	want := []string{"arn:aws:iam::111122223333:role/team/nodes i-0123456789abcdef0", "arn:aws:iam::111122223333:role/team/nodes i-0123456789abcdef0"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("sessions: one at first, one shortly before the end (-want +got):\n%s", diff)
	}
	fail = true
	s.clock = s.clock.Add(time.Hour)
	if c := read(); c["Code"] != "AssumeRoleUnauthorizedAccess" || c["AccessKeyId"] != "" {
		t.Errorf("refused role: %v", c)
	}
	if log := s.log.String(); strings.Contains(log, "canary") || !strings.Contains(log, "GET "+path+" 200") {
		t.Errorf("log: %s", log)
	}
}

func TestPushedKeys(t *testing.T) {
	s := newService(example(), nil)
	const path = "/latest/meta-data/managed-ssh-keys/active-keys/"
	if status, _ := s.get(t, path); status != http.StatusNotFound {
		t.Errorf("before any key: %d, want 404", status)
	}
	s.PushKey("ec2-user", "ssh-ed25519 BBBB first\n")
	s.clock = s.clock.Add(40 * time.Second)
	s.PushKey("ec2-user", "ssh-ed25519 CCCC second")
	if _, got := s.get(t, path); got != "ec2-user" {
		t.Errorf("users: %q", got)
	}
	if _, got := s.get(t, path+"ec2-user/"); got != "ssh-ed25519 BBBB first\nssh-ed25519 CCCC second" {
		t.Errorf("keys: %q", got)
	}
	s.clock = s.clock.Add(25 * time.Second)
	if _, got := s.get(t, path+"ec2-user"); got != "ssh-ed25519 CCCC second" {
		t.Errorf("after 65 s: %q", got)
	}
	if status, _ := s.get(t, path+"root"); status != http.StatusNotFound {
		t.Errorf("another user: %d, want 404", status)
	}
}
