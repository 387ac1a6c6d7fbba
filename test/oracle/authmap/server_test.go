package authmap_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/sirupsen/logrus"
	"sigs.k8s.io/aws-iam-authenticator/pkg/arn"
	"sigs.k8s.io/aws-iam-authenticator/pkg/config"
	"sigs.k8s.io/aws-iam-authenticator/pkg/ec2provider"
	"sigs.k8s.io/aws-iam-authenticator/pkg/mapper"
	"sigs.k8s.io/aws-iam-authenticator/pkg/mapper/configmap"
	"sigs.k8s.io/aws-iam-authenticator/pkg/mapper/dynamicfile"
	"sigs.k8s.io/aws-iam-authenticator/pkg/server"
	"sigs.k8s.io/aws-iam-authenticator/pkg/token"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/test/oracle/generate"
)

// authenticator is the real server, whole, but for the two answers of AWS that
// it asks for: who a token belongs to, and an instance's private DNS name.
type authenticator struct {
	handlers map[authmap.Mode]http.Handler
	file     *dynamicfile.DynamicFileMapper
	watch    *watch
	caller   *caller
}

// answer is what the server says: the user, or the error for which it refuses.
type answer struct {
	Allowed  bool
	Username string
	Groups   []string
	Refusal  string
	BadARN   bool // the token's verifier refuses, before any map is asked
}

const dnsName = "ip-10-0-0-1.ec2.internal"

func newAuthenticator(t testing.TB) *authenticator {
	t.Helper()
	a := &authenticator{handlers: map[authmap.Mode]http.Handler{}, caller: &caller{}, watch: newWatch(t)}
	cfg := config.Config{
		ClusterID: "demo", PartitionID: "aws", Hostname: "127.0.0.1", Address: "127.0.0.1",
		StateDir: t.TempDir(), KubeconfigPregenerated: true, Master: a.watch.url, DynamicFileUserIDStrict: true,
	}
	var err error
	if a.file, err = dynamicfile.NewDynamicFileMapper(cfg); err != nil {
		t.Fatal(err)
	}
	fromMap, err := configmap.NewConfigMapMapper(cfg)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	if err := fromMap.Start(stop); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	for mode, mappers := range map[authmap.Mode][]mapper.Mapper{
		authmap.ModeAPI: {a.file}, authmap.ModeConfigMap: {fromMap}, authmap.ModeAPIAndConfigMap: {a.file, fromMap},
	} {
		s := server.New(ctx, cfg)
		t.Cleanup(s.Close)
		handler := reflect.ValueOf(s).Elem().FieldByName("internalHandler")
		set[token.Verifier](handler.Elem().FieldByName("verifier"), a.caller)
		set[ec2provider.EC2Provider](handler.Elem().FieldByName("ec2Provider"), a.caller)
		set(handler.Elem().FieldByName("backendMapper").FieldByName("mappers"), mappers)
		a.handlers[mode] = reflect.NewAt(handler.Type(), unsafe.Pointer(handler.UnsafeAddr())).Elem().Interface().(http.Handler)
	}
	return a
}

// set writes a field that the package keeps to itself: the server offers no
// way to stand in for AWS.
func set[T any](field reflect.Value, value T) {
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(&value).Elem())
}

// load puts a cluster's entries and map in force.
func (a *authenticator) load(t testing.TB, c generate.Cluster) {
	t.Helper()
	a.watch.load(t, c.AWSAuth)
	file, err := json.Marshal(entriesFile(c.Entries))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.file.CallBackForFileLoad(file); err != nil {
		t.Fatal(err)
	}
}

// entriesFile writes access entries as the file that the authenticator's
// DynamicFile backend reads, with what EKS documents each type to stand for.
func entriesFile(entries []authmap.AccessEntry) map[string]any {
	roles, users := []config.RoleMapping{}, []config.UserMapping{}
	for _, e := range entries {
		id, username, groups := e.PrincipalID, e.Username, e.Groups
		stripped, err := arn.StripPath(e.PrincipalARN)
		if id == "" && err == nil {
			id = generate.UniqueID(stripped)
		}
		parts := strings.Split(stripped, ":")
		role, isRole := strings.CutPrefix(parts[len(parts)-1], "role/")
		switch {
		case e.Type == "EC2_LINUX":
			username, groups = "system:node:{{EC2PrivateDNSName}}", []string{"system:nodes"}
		case e.Type == "FARGATE_LINUX":
			username, groups = "system:node:{{SessionName}}", []string{"system:nodes"}
		case username == "" && isRole:
			username = fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/{{SessionName}}", parts[1], parts[4], role)
		case username == "":
			username = e.PrincipalARN
		}
		if isRole {
			roles = append(roles, config.RoleMapping{RoleARN: e.PrincipalARN, Username: username, Groups: groups, UserId: id})
		} else {
			users = append(users, config.UserMapping{UserARN: e.PrincipalARN, Username: username, Groups: groups, UserId: id})
		}
	}
	return map[string]any{"mapRoles": roles, "mapUsers": users}
}

// ask sends a token review to the server in one of the modes.
func (a *authenticator) ask(t testing.TB, mode authmap.Mode, c generate.Caller) answer {
	t.Helper()
	a.caller.is, a.watch.refusal = c, ""
	rec := httptest.NewRecorder()
	a.handlers[mode].ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/authenticate", strings.NewReader(`{"spec": {"token": "t"}}`)))
	var review struct {
		Status struct {
			Authenticated bool
			User          struct {
				Username string
				Groups   []string
			}
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &review); err != nil {
		t.Fatalf("status %d: %v", rec.Code, err)
	}
	return answer{
		Allowed: review.Status.Authenticated, Username: review.Status.User.Username, Groups: review.Status.User.Groups,
		Refusal: a.watch.refusal, BadARN: a.caller.bad,
	}
}

// caller stands in for STS and EC2. What STS says becomes an identity by the
// authenticator's own rules.
type caller struct {
	is  generate.Caller
	bad bool
}

func (c *caller) Verify(string) (*token.Identity, error) {
	id := &token.Identity{
		ARN: c.is.ARN, AccountID: c.is.AccountID, UserID: c.is.UserID, SessionName: c.is.SessionName, AccessKeyID: c.is.AccessKeyID,
	}
	var err error
	_, id.CanonicalARN, err = arn.Canonicalize(id.ARN)
	c.bad = err != nil
	return id, err
}

func (c *caller) GetPrivateDNSName(context.Context, string) (string, error) { return dnsName, nil }

func (c *caller) StartEc2DescribeBatchProcessing(context.Context) {}

// watch is the API server as far as the authenticator's ConfigMap backend
// needs it: a watch of aws-auth.
type watch struct {
	url    string
	events chan []byte
	seen   chan struct{}
	// refusal is why the server turned the last caller down.
	refusal string
}

func newWatch(t testing.TB) *watch {
	t.Helper()
	w := &watch{events: make(chan []byte), seen: make(chan struct{})}
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json;stream=watch")
		rw.WriteHeader(http.StatusOK)
		for {
			select {
			case <-done:
				return
			case event := <-w.events:
				if _, err := rw.Write(event); err != nil {
					t.Error(err)
				}
				rw.(http.Flusher).Flush()
			}
		}
	}))
	w.url = server.URL
	hooks := logrus.StandardLogger().ReplaceHooks(logrus.LevelHooks{logrus.ErrorLevel: {w}, logrus.WarnLevel: {w}})
	t.Cleanup(func() {
		logrus.StandardLogger().ReplaceHooks(hooks)
		close(done)
		server.Close()
	})
	return w
}

// load hands a map to the backend and waits until it is in use: the backend
// takes one event after the other, and says so when it takes an error.
func (w *watch) load(t testing.TB, data map[string]string) {
	t.Helper()
	w.send(t, "MODIFIED", map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "aws-auth"}, "data": data})
	w.send(t, "ERROR", map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": "the map before is in use"})
	<-w.seen
}

func (w *watch) send(t testing.TB, kind string, object any) {
	t.Helper()
	event, err := json.Marshal(map[string]any{"type": kind, "object": object})
	if err != nil {
		t.Fatal(err)
	}
	w.events <- append(event, '\n')
}

// Levels and Fire are logrus' hook.
func (w *watch) Levels() []logrus.Level { return []logrus.Level{logrus.ErrorLevel, logrus.WarnLevel} }

// Fire listens to what the server logs.
func (w *watch) Fire(e *logrus.Entry) error {
	switch e.Message {
	case "received a watch error":
		w.seen <- struct{}{}
	case "access denied":
		w.refusal = fmt.Sprint(e.Data[logrus.ErrorKey])
	}
	return nil
}

func TestMain(m *testing.M) {
	// Nobody's machine, credentials or proxy must decide what the server does.
	for name, value := range map[string]string{"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1", "AWS_CA_BUNDLE": ""} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	logrus.SetOutput(io.Discard)
	logrus.SetLevel(logrus.WarnLevel)
	os.Exit(m.Run())
}

func jsonSafe(texts ...string) bool {
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}
