package evidence

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *Files {
	t.Helper()
	evidence, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if evidence.Files == nil {
		t.Fatal("no files")
	}
	return evidence.Files
}

// archive makes a .tar.gz of names and contents.
func archive(t *testing.T, entries ...tar.Header) string {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	out := tar.NewWriter(compressed)
	for _, header := range entries {
		text := header.Linkname
		if header.Typeflag == tar.TypeReg {
			header.Linkname, header.Size = "", int64(len(text))
		}
		if err := out.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			if _, err := out.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(out.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "case.tar.gz")
	write(t, path, packed.String())
	return path
}

// file is an entry of an archive; its text travels in Linkname.
func file(name, text string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Linkname: text, Mode: 0o600, ModTime: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func TestDirectoryDoesNotLeadOut(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "outside"), "secret")
	write(t, filepath.Join(dir, "case/kube/nodes.json"), "{}")
	if err := os.Symlink("../../outside", filepath.Join(dir, "case/kube/pods.json")); err != nil {
		t.Fatal(err)
	}
	files := open(t, filepath.Join(dir, "case"))
	if diff := cmp.Diff([]string{"kube/nodes.json"}, files.Names()); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"kube/pods.json", "../outside", "kube/../../outside", "/etc/passwd", ""} {
		if data, err := files.ReadFile(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

func TestArchive(t *testing.T) {
	for name, prefix := range map[string]string{"of the directory": "case-17/", "of what is in it": "", "made with a dot": "./"} {
		t.Run(name, func(t *testing.T) {
			files := open(t, archive(t, file(prefix+"kube/nodes.json", "{}"), file(prefix+"notes.txt", "x"),
				tar.Header{Typeflag: tar.TypeSymlink, Name: prefix + "kube/pods.json", Linkname: "/etc/passwd"},
				tar.Header{Typeflag: tar.TypeDir, Name: prefix + "aws/"}))
			if diff := cmp.Diff([]string{"kube/nodes.json", "notes.txt"}, files.Names()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"notes.txt"}, files.Unknown()); diff != "" {
				t.Error(diff)
			}
			if manifest, err := files.Manifest(); err != nil || manifest.CollectedAt.Year() != 2026 {
				t.Errorf("%+v, %v", manifest, err)
			}
		})
	}
	files := open(t, archive(t, file("../kube/nodes.json", "{}"), file("/kube/pods.json", "{}"), file("kube/csr.json", "{}")))
	if diff := cmp.Diff([]string{"kube/csr.json"}, files.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestManifestSaysNow(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/manifest.json", `{"collectedAt": "2026-02-03T04:05:06+01:00", "cluster": "demo", "region": "eu-west-1"}`)
	manifest, err := open(t, dir).Manifest()
	want := Manifest{CollectedAt: time.Date(2026, 2, 3, 3, 5, 6, 0, time.UTC), Cluster: "demo", Region: "eu-west-1"}
	if err != nil || manifest != want {
		t.Errorf("%+v, %v", manifest, err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, says string }{
		"other.json":  {`{"kind": "Report"}`, `kind "Report": want Bundle`},
		"future.json": {`{"kind": "Bundle", "apiVersion": "eksnodes/v9"}`, "eksnodes/v9"},
		"text.txt":    {"hello", "neither an archive nor a bundle"},
		"empty":       {"", "neither an archive nor a bundle"},
		"cut.gz":      {"\x1f\x8b\x08\x00\x00", "unexpected EOF"},
	} {
		write(t, filepath.Join(dir, name), c.text)
		if _, err := Open(filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	if _, err := Open(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestLogs puts lines where they belong: at their machines.
func TestLogs(t *testing.T) {
	const joined, silent = "i-0000000000000000a", "i-0000000000000000b"
	unauthorized := `E0101 "Unable to register node with API server" err="Unauthorized" node="x"` + "\n"
	collector, err := os.ReadFile(archive(t, file("eks_i-0_2026/kubelet/kubelet.log", "write /x: no space left on device\n"), file("eks_i-0_2026/system/ps.txt", "no space left on device")))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir+"/node/"+silent+"/journal-kubelet.log", unauthorized)
	write(t, dir+"/node/"+silent+"/journal-cloud-final.service.log", "Exhausted retries while describing cluster!\n")
	write(t, dir+"/node/"+silent+"/eks.tar.gz", string(collector))
	write(t, dir+"/node/i-0ffffffffffffffff/journal-kubelet.log", unauthorized)
	write(t, dir+"/control-plane/authenticator.log", `msg="access denied" arn="arn:aws:sts::111122223333:assumed-role/nodes/`+silent+`" error="identity is not mapped"`+"\n")
	snap := snapshottest.Healthy(func(s *snapshot.Snapshot) {
		s.Nodes[1].Kube = nil
		s.Gaps = append(s.Gaps, snapshot.Gap{Section: snapshot.SectionConsole, Subject: silent, Reason: snapshot.GapNoFile})
	})
	open(t, dir).AddLogs(snap)
	for sig, where := range map[string]string{"kubelet-401": "kubelet", "describe-exhausted": "cloud-init-output", "no-space": "kubelet", "authn-not-mapped": "authenticator"} {
		if seen := snap.Nodes[1].Saw(sig); seen == nil || seen.Where != where {
			t.Errorf("%s: %+v, want in %s", sig, seen, where)
		}
	}
	if len(snap.Nodes) != 2 || len(snap.Nodes[0].Logs) > 0 || snap.Nodes[0].InstanceID != joined {
		t.Errorf("lines of another machine: %+v", snap.Nodes)
	}
	if _, gap := snap.Gap(snapshot.SectionConsole, silent); gap {
		t.Error("the console is missed where there are logs")
	}
}

func TestLogsOfAnUnknownMachine(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/node/unknown/journal-kubelet.log", "no space left on device\n")
	snap := snapshottest.Healthy(func(s *snapshot.Snapshot) { s.Nodes[1].Kube = nil })
	open(t, dir).AddLogs(snap)
	if snap.Nodes[1].Saw("no-space") == nil {
		t.Error("not at the only machine that it can be")
	}
	two := snapshottest.Healthy(func(s *snapshot.Snapshot) { s.Nodes[0].Kube, s.Nodes[1].Kube = nil, nil })
	open(t, dir).AddLogs(two)
	if two.Nodes[0].Saw("no-space") != nil || two.Nodes[1].Saw("no-space") != nil {
		t.Error("guessed between two")
	}
}

func TestBundleKeepsTheFacts(t *testing.T) {
	for _, name := range []string{"case.json.gz", "case.json"} {
		path := filepath.Join(t.TempDir(), name)
		snap := snapshottest.Healthy()
		snap.Nodes[0].Host = &snapshot.Host{CollectedAt: snap.CollectedAt, IMDS: &snapshot.HostIMDS{CredentialsCode: "Success", CredentialsExpires: snap.CollectedAt}}
		if err := WriteBundle(path, "v0", snap); err != nil {
			t.Fatal(err)
		}
		back, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(snap, back.Snapshot); diff != "" {
			t.Errorf("%s changes facts:\n%s", name, diff)
		}
	}
}

// TestBundleLosesSecrets plants credentials wherever text comes from
// elsewhere.
func TestBundleLosesSecrets(t *testing.T) {
	const canary = "cAnArY7hunter2"
	secrets := map[string]string{
		"token":         "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte("https://sts.us-west-2.amazonaws.com/?"+canary)),
		"presigned URL": "https://sts.us-west-2.amazonaws.com/?Action=GetCallerIdentity&X-Amz-Credential=" + canary + "&X-Amz-Signature=" + canary,
		"access key":    "AKIAIOSFODNN7EXAMPLE", "session key": "ASIAIOSFODNN7EXAMPLE",
		"secret key":  "aws_secret_access_key = " + canary,
		"password":    "password: " + canary,
		"private key": "-----BEGIN RSA PRIVATE KEY-----\n" + canary + "\n-----END RSA PRIVATE KEY-----",
		"header":      "Authorization: Bearer " + canary,
		"web token":   "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ" + canary + "." + canary,
	}
	for name, secret := range secrets {
		t.Run(name, func(t *testing.T) {
			snap := snapshottest.Healthy(func(s *snapshot.Snapshot) {
				s.Groups[0].Launch.UserData += "\n#!/bin/bash\n" + secret + "\n"
				s.Groups[0].Tags["note"] = secret
				s.Groups[0].Tags[secret] = "x"
				s.Groups[0].Activities[0].Message = secret
				s.Nodes[0].Console = &snapshot.Console{Text: secret}
				s.Nodes[0].Logs = []snapshot.Seen{{Sig: "x", Line: secret, Values: map[string]string{"x": secret}}}
				s.Nodes[0].Kube.Conditions[0].Message = secret
				s.Access.AwsAuth.Data["mapRoles"] += "\n# " + secret
				s.Stacks = append(s.Stacks, snapshot.Stack{Parameters: map[string]string{"DBPassword": canary}})
				s.Gaps = append(s.Gaps, snapshot.Gap{Detail: secret})
			})
			document, err := encodeBundle("v0", snap)
			if err != nil {
				t.Fatal(err)
			}
			for _, trace := range []string{canary, "AKIAIOSFODNN7", "ASIAIOSFODNN7", "k8s-aws-v1.aHR0", "eyJhbGciOiJSUzI1NiJ9"} {
				if i := bytes.Index(document, []byte(trace)); i >= 0 {
					t.Errorf("survives: …%s…", document[max(0, i-200):min(len(document), i+60)])
				}
			}
		})
	}
}

func TestLayoutFits(t *testing.T) {
	for _, name := range []string{"aws/ec2/get-console-output.i-1.txt", "aws/iam/get-role.workers-role.json", "node/i-1/journal-kubelet.log", "node/i-1/eks_i-1.tar.gz", "kube/logs/kube-system.aws-node-x.aws-node.log", "manifest.json"} {
		if unknown := (&Files{names: []string{name}}).Unknown(); len(unknown) > 0 {
			t.Errorf("%s is unknown", name)
		}
	}
	if unknown := (&Files{names: []string{"aws/s3/list-buckets.json", "readme"}}).Unknown(); !slices.Equal(unknown, []string{"aws/s3/list-buckets.json", "readme"}) {
		t.Error(unknown)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"kind": "Bundle", "apiVersion": "eksnodes/v1alpha1", "snapshot": {}}`))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		evidence, err := read(bytes.NewReader(data))
		if err != nil || evidence.Files == nil {
			return
		}
		for _, name := range evidence.Files.Names() {
			if !fs.ValidPath(name) {
				t.Errorf("name %q", name)
			}
		}
	})
}
