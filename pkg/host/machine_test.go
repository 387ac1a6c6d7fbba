//go:build linux

package host

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/token"
)

// The whole machine is read over real connections, and tells what it should.
func TestMachine(t *testing.T) {
	r := newRig(t)
	facts := r.Read(context.Background())
	var gaps []string
	for _, gap := range facts.Gaps {
		gaps = append(gaps, string(gap.Probe)+" "+string(gap.Reason))
	}
	slices.Sort(gaps)
	// There is no system bus, no Bottlerocket and no kernel log in the rig.
	if diff := cmp.Diff([]string{"bottlerocket absent", "units absent"}, gaps); diff != "" {
		t.Error(diff)
	}
	accepted := facts.Token != nil && facts.Token.Accepted != nil && *facts.Token.Accepted
	for name, ok := range map[string]bool{
		"system":       facts.System.InstanceID == instance && facts.System.Family == "al2023" && facts.System.Uptime == 3600,
		"imds":         facts.IMDS.RoleName == "workers-role" && facts.IMDS.CredentialsCode == "Success" && facts.IMDS.Region == "us-west-2",
		"hop limit":    facts.HopLimit.Hops == 2,
		"identity":     facts.Identity.ARN == session && facts.Identity.CanonicalARN == "arn:aws:iam::111122223333:role/workers-role" && facts.Identity.Session == instance,
		"token":        accepted && facts.Token.ARN == session && facts.Token.Claims.Cluster == "demo" && facts.Token.Claims.ClusterSigned,
		"kubeconfig":   facts.Kubeconfig.Auth == "exec" && *facts.Kubeconfig.Exec.Found && len(facts.Kubeconfig.CA) == 1,
		"api":          facts.API.Livez == 200 && facts.API.Failure == nil && *facts.API.TLS.Trusted && *facts.API.TLS.NameMatches,
		"self-review":  facts.SelfReview.Status == 201 && facts.SelfReview.Username == "system:node:n" && facts.SelfReview.Extra["arn"][0] == session,
		"exec":         facts.Exec.ExitCode == 0 && facts.Exec.APIVersion == "client.authentication.k8s.io/v1beta1",
		"proxy":        len(facts.Proxy.Units) == 1 && facts.Proxy.Units[0].HTTPS == "http://127.0.0.1:3128",
		"clock":        facts.Clock.Source == "chronyd" && len(facts.Clock.Dates) == 2,
		"nodeadm":      *facts.Nodeadm.Initialized && facts.Nodeadm.Config.Cluster == "demo",
		"cloud-init":   facts.CloudInit.Status == "error" && facts.CloudInit.InstanceID == instance,
		"kubelet":      facts.Kubelet.Running && facts.Kubelet.Healthz == 200 && facts.Kubelet.Version == "v1.34.2",
		"config":       *facts.KubeletConfig.MaxPods == 29 && facts.KubeletConfig.NodeName == "n" && len(facts.KubeletConfig.Errors) == 0,
		"certificates": len(facts.Certificates.Certificates) == 2 && facts.Certificates.Certificates[0].Subject == "CN=kubernetes",
		"runtime":      *facts.Runtime.Ready && !*facts.Runtime.NetworkReady && facts.Runtime.CgroupDriver == "systemd" && *facts.Runtime.SandboxPresent && facts.Runtime.Version == "2.1.4",
		"workloads":    len(facts.Workloads.Pods) == 1 && facts.Workloads.Containers[0] == snapshot.HostContainer{Pod: "kube-system/aws-node-x", Name: "aws-node", State: "running", Attempt: 3},
		"cni":          facts.CNI.Files[0].Network == "aws-cni" && len(facts.CNI.Missing) == 0,
		"ipamd":        facts.IPAMD.Answers && facts.IPAMD.Total == 9,
		"disks":        len(facts.Disks.Filesystems) > 0 && facts.Disks.Filesystems[0].Size > 0,
		"resources":    facts.Resources.MemoryTotal == 8000000<<10 && facts.Resources.Threads == 321,
		"processes":    facts.Processes.Count == 2 && facts.Processes.Top[0].Name == "kubelet",
		"logs":         facts.Saw("exec-failed") != nil && facts.Saw("bootstrap-nofile") != nil,
	} {
		if !ok {
			t.Errorf("%s: %+v", name, facts)
		}
	}
	if len(r.bearers) != 1 || !token.Looks(r.bearers[0]) {
		t.Errorf("the API server was shown %d tokens", len(r.bearers))
	}
}

// No secret of the machine is in a report: not its keys and tokens, and not
// what people have written into its files.
func TestNoSecretLeaves(t *testing.T) {
	r := newRig(t)
	facts := r.Read(context.Background())
	document := hostreport.New("test", facts, nil)
	var whole, compact bytes.Buffer
	if err := document.Encode(&whole); err != nil {
		t.Fatal(err)
	}
	if err := document.EncodeCompact(&compact); err != nil {
		t.Fatal(err)
	}
	made := strings.TrimPrefix(r.bearers[0], "k8s-aws-v1.")
	for name, secret := range map[string]string{"canary": canary, "access key": "ASIAIOSFODNN7EXAMPLE", "token": made[:40], "prefix": "k8s-aws-v1.", "signature": "X-Amz-Signature", "private key": "PRIVATE KEY"} {
		for form, text := range map[string]string{"report": whole.String(), "compact report": compact.String()} {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s is in the %s: …%s…", name, form, text[max(0, at-80):min(len(text), at+80)])
			}
		}
	}
	// The canary was there to be found.
	for _, name := range []string{"var/lib/kubelet/kubeconfig", "proc/900/environ", "etc/containerd/config.toml", "var/log/cloud-init-output.log"} {
		data, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil || !bytes.Contains(data, []byte(canary)) {
			t.Errorf("%s holds no canary: %v", name, err)
		}
	}
}

// What the machine cannot reach is a fact about it: which link broke.
func TestBrokenWays(t *testing.T) {
	rewrite := func(t *testing.T, r *rig, name, from, to string) {
		t.Helper()
		path := filepath.Join(r.dir, name)
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte(from)) {
			t.Fatalf("%s has no %q: %v", name, from, err)
		}
		if err := os.WriteFile(path, bytes.ReplaceAll(data, []byte(from), []byte(to)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		broken func(*testing.T, *rig)
		seen   func(*snapshot.Host) bool
	}{
		"API server is gone": {func(_ *testing.T, r *rig) { r.api.Close() }, func(h *snapshot.Host) bool {
			return h.API.Failure.Kind == snapshot.FailRefused && h.API.Dials[0].Failure != nil && h.SelfReview.Failure.Kind == snapshot.FailRefused
		}},
		"another authority": {func(t *testing.T, r *rig) {
			other := &rig{}
			other.certificates(t)
			rewrite(t, r, "etc/kubernetes/pki/ca.crt", r.ca, other.ca)
		}, func(h *snapshot.Host) bool {
			return !*h.API.TLS.Trusted && h.API.TLS.Issuer == "CN=kubernetes" && h.SelfReview.Failure.Kind == snapshot.FailTLS
		}},
		"no metadata": {func(_ *testing.T, r *rig) { r.imds = "http://127.0.0.1:9" }, func(h *snapshot.Host) bool {
			return !h.IMDS.Reachable && h.IMDS.Failure.Kind == snapshot.FailRefused && h.Identity.Failure.Kind == snapshot.FailNoCredentials && h.Token == nil
		}},
		"metadata refuses": {func(t *testing.T, r *rig) {
			r.imds = r.plain(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
		}, func(h *snapshot.Host) bool { return h.IMDS.Reachable && h.IMDS.TokenStatus == 401 }},
		"metadata is off": {func(t *testing.T, r *rig) {
			r.imds = r.plain(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		}, func(h *snapshot.Host) bool { return h.IMDS.Reachable && h.IMDS.TokenStatus == 403 }},
		"no program for tokens": {func(t *testing.T, r *rig) {
			if err := os.Remove(filepath.Join(r.dir, "usr/bin/aws")); err != nil {
				t.Fatal(err)
			}
		}, func(h *snapshot.Host) bool { return !*h.Kubeconfig.Exec.Found && h.Exec == nil }},
		"no runtime": {func(_ *testing.T, r *rig) { r.cri = []string{"/run/none.sock"} }, func(h *snapshot.Host) bool {
			return h.Runtime.Failure.Kind == snapshot.FailRefused
		}},
		"something else at the runtime's socket": {func(t *testing.T, r *rig) { r.cri = []string{"/etc/hostname"} }, func(h *snapshot.Host) bool {
			return h.Runtime.Failure != nil
		}},
		"kubelet is sick": {func(t *testing.T, r *rig) {
			r.healthz = r.plain(t, func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "not yet\x1b[2J", http.StatusInternalServerError)
			})
		}, func(h *snapshot.Host) bool { return h.Kubelet.Healthz == 500 && h.Kubelet.HealthzSays == "not yet" }},
		"in a pod": {func(_ *testing.T, r *rig) { r.inPod, r.run = true, nil }, func(h *snapshot.Host) bool {
			gap, missing := h.Gap(snapshot.ProbeExec)
			return missing && strings.Contains(gap.Detail, "from a pod") && h.Kubelet.Version == "v1.34.2" && h.System.InPod && h.Logs != nil && len(h.Logs.Missed) > 0
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			test.broken(t, r)
			facts := r.Read(context.Background())
			if !test.seen(&facts) {
				t.Errorf("imds %+v\nidentity %+v\napi %+v\nself-review %+v\nruntime %+v\nkubelet %+v", facts.IMDS, facts.Identity, facts.API, facts.SelfReview, facts.Runtime, facts.Kubelet)
			}
		})
	}
}

// Verify takes a token that somebody made; Token makes one.
func TestTokens(t *testing.T) {
	r := newRig(t)
	made, claims, err := r.Token(context.Background(), "other")
	if err != nil || claims.Cluster != "other" || !claims.ClusterSigned || claims.KeyEnd != "MPLE" {
		t.Fatalf("%+v, %v", claims, err)
	}
	verdict, err := r.Verify(context.Background(), made, Verification{})
	if err != nil || verdict.Identity == nil || verdict.Identity.ARN != session {
		t.Errorf("%+v, %v", verdict, err)
	}
	verdict, err = r.Verify(context.Background(), token.Of("k8s-aws-v1.x"), Verification{Region: "us-west-2"})
	if err != nil || token.Broken(verdict.Rules) == nil {
		t.Errorf("%+v, %v", verdict, err)
	}
	r.imds = "http://127.0.0.1:9"
	if _, _, err := r.Token(context.Background(), "demo"); err == nil {
		t.Error("a token without credentials")
	}
}
