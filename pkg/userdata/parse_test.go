package userdata_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// TestParseReadsWhatIsRendered holds that rendering and reading agree, whatever is around the text.
func TestParseReadsWhatIsRendered(t *testing.T) {
	text := render(t, full())
	for name, raw := range map[string][]byte{
		"plain":       text,
		"base64":      []byte(base64.StdEncoding.EncodeToString(text)),
		"gzip":        gzipped(t, text),
		"gzip base64": []byte(base64.StdEncoding.EncodeToString(gzipped(t, text))),
		"CRLF":        []byte(strings.ReplaceAll(string(text), "\n", "\r\n")),
	} {
		t.Run(name, func(t *testing.T) {
			got := userdata.Parse(raw)
			if diff := cmp.Diff(full().Cluster, got.Cluster); diff != "" {
				t.Errorf("cluster (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(full().Labels, got.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(full().Taints, got.Taints); diff != "" {
				t.Errorf("taints (-want +got):\n%s", diff)
			}
			if got.Format != userdata.FormatMIME || got.MaxPods != 58 || got.NodeConfigs != 1 || !got.Beacon || len(got.Parts) != 4 {
				t.Errorf("format %s, max pods %d, NodeConfigs %d, beacon %v, parts %v", got.Format, got.MaxPods, got.NodeConfigs, got.Beacon, got.Parts)
			}
			if got.Base64 != strings.Contains(name, "base64") || got.Gzip != strings.Contains(name, "gzip") {
				t.Errorf("base64 %v, gzip %v", got.Base64, got.Gzip)
			}
			if name != "CRLF" && len(got.Faults) > 0 {
				t.Errorf("faults in our own user data: %v", got.Faults)
			}
		})
	}
}

func TestParseReadsRenderedBottlerocket(t *testing.T) {
	document, err := userdata.Bottlerocket(bottlerocketFull())
	if err != nil {
		t.Fatal(err)
	}
	got := userdata.Parse(document)
	want := userdata.Document{Format: userdata.FormatBottlerocket, Size: len(document), Cluster: cluster(), MaxPods: 58,
		Labels: full().Labels, Taints: full().Taints}
	want.Cluster.CIDR = "" // Bottlerocket is told the DNS address instead
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

const (
	caLine  = "    certificateAuthority: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==\n"
	healthy = "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster:\n    name: demo\n" +
		"    apiServerEndpoint: https://x.example.com\n" + caLine + "    cidr: 10.100.0.0/16\n"
)

// wrapped puts a body into a MIME document; the body's first line is the document's sixth.
func wrapped(mediaType, body string) string {
	return "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: " + mediaType + "\n\n" + body + "\n--B--\n"
}

func TestParseFaults(t *testing.T) {
	shell := "#!/bin/bash\n"
	tests := []struct {
		name string
		text string
		want []string // "line kind"
	}{
		{"healthy NodeConfig", healthy, nil},
		{"healthy MIME", wrapped("application/node.eks.aws", healthy), nil},
		{"healthy script", shell + "/etc/eks/bootstrap.sh demo\n", nil},
		{"empty", " \n", nil},
		{"cloud-config", "#cloud-config\npackages: [a]\n", nil},
		{"PowerShell", "<powershell>\n$x = 1\n</powershell>\n", nil},
		{"prose", "please join\nthe cluster\n", []string{"1 not-read"}},

		{"blank line before MIME", "\n\n" + wrapped("application/node.eks.aws", healthy), []string{"1 leading-space"}},
		{"blank line before a script", "\n#!/bin/bash\ntrue\n", []string{"1 leading-space"}},
		{"no blank line after the headers", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=B\n--B\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n--B--\n", []string{"3 mime"}},
		{"no blank line after a part's headers", "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/x-shellscript\n#!/bin/sh\n--B--\n", []string{"4 mime"}},
		{"no boundary parameter", "Content-Type: multipart/mixed\n\n--B\n\nx\n--B--\n", []string{"1 mime"}},
		{"other boundary", "Content-Type: multipart/mixed; boundary=A\n\n--B\n\nx\n--B--\n", []string{"6 mime"}},
		{"never closed", "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n", []string{"6 mime"}},
		{"part without a type", "Content-Type: multipart/mixed; boundary=B\n\n--B\n\nx\n--B--\n", []string{"5 mime"}},
		{"NodeConfig under another type", wrapped("text/plain", healthy), []string{"7 mime"}},
		{"part in broken base64", "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/x-shellscript\nContent-Transfer-Encoding: base64\n\n!!!\n--B--\n", []string{"7 encoding", "7 interpreter"}},

		{"YAML syntax", "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster:\n   name: demo\n  bad\n", []string{"6 yaml"}},
		{"YAML syntax inside MIME", wrapped("application/node.eks.aws", strings.Replace(healthy, "    name: demo", "\tname: demo", 1)),
			[]string{"11 yaml"}},
		{"JSON that is none", "{apiVersion: node.eks.aws/v1alpha1, kind: NodeConfig}", []string{"1 yaml"}},
		{"number for a name", strings.Replace(healthy, "name: demo", "name: 2024", 1), []string{"5 value", "5 missing"}},
		{"kind in another letter case, as nodeadm takes it", strings.Replace(healthy, "kind:", "Kind:", 1), []string{"2 unknown-field"}},
		{"Outpost without an id", healthy + "    enableOutpost: true\n", []string{"5 missing"}},
		{"empty CA, which nodeadm takes", strings.Replace(healthy, caLine, "    certificateAuthority: ''\n", 1), []string{"7 value"}},
		{"a tab behind JSON, which only the decoder takes", `{"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": {"cluster": {"name": "demo"}}}` + "\n\t\n", []string{"1 missing", "1 missing", "1 missing"}},
		{"label that is a number", "metadata: {labels: {a: 1}}\n" + healthy, []string{"1 value"}},
		{"second containerd configuration is not TOML", "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: application/node.eks.aws\n\n" + healthy + "  containerd: {config: 'a = 1'}\n" +
			"\n--B\nContent-Type: application/node.eks.aws\n\n" + healthy + "  containerd: {config: 'a = b'}\n\n--B--\n", []string{"27 value"}},
		{"alias bomb", "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\na: &a " + strings.Repeat("x", 5000) + "\nspec: [" + strings.Repeat("*a,", 2000) + "]\n", []string{"1 yaml", "3 unknown-field"}},
		{"wrong kind", strings.Replace(healthy, "NodeConfig", "Nodeconfig", 1), []string{"1 value"}},
		{"field misspelt", strings.Replace(healthy, "apiServerEndpoint", "apiserverEndpoint", 1), []string{"5 missing", "6 unknown-field"}},
		{"no CIDR", strings.Replace(healthy, "    cidr: 10.100.0.0/16\n", "", 1), []string{"5 missing"}},
		{"bad CIDR", strings.Replace(healthy, "10.100.0.0/16", "not-a-cidr", 1), []string{"8 value"}},
		{"CA is PEM", strings.Replace(healthy, caLine, "    certificateAuthority: '-----BEGIN CERTIFICATE-----'\n", 1), []string{"7 value"}},
		{"plain http", strings.Replace(healthy, "https:", "http:", 1), []string{"6 value"}},
		{"flags as text", healthy + "  kubelet:\n    flags: --node-labels=a=b\n", []string{"10 value"}},
		{"max pods as text", healthy + "  kubelet:\n    config:\n      maxPods: many\n", []string{"11 value"}},
		{"cluster as a list", "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster: [a]\n",
			[]string{"4 value", "4 missing", "4 missing", "4 missing", "4 missing"}},

		{"TOML syntax", "[settings.kubernetes]\ncluster-name = demo\n", []string{"2 toml"}},
		{"TOML without a name", "[settings.kubernetes]\napi-server = 'https://x'\ncluster-certificate = 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=='\n", []string{"1 missing"}},
		{"TOML, odd endpoint", "# mine\n[settings.kubernetes]\ncluster-name = 'd'\napi-server = 'x'\ncluster-certificate = 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=='\n", []string{"4 value"}},

		{"Windows line ends", "#!/bin/bash\r\ntrue\r\n", []string{"1 crlf"}},
		{"script part without interpreter", wrapped("text/x-shellscript", "yum update\n"), []string{"7 interpreter"}},
		{"script runs nodeadm", shell + "true\nsudo /usr/bin/nodeadm init -c file://x\n", []string{"3 calls-nodeadm"}},
		{"comment names nodeadm", shell + "# nodeadm init\n", nil},
		{"argument with equals sign", shell + "\n/etc/eks/bootstrap.sh demo \\\n  --dns-cluster-ip=10.100.0.10\n", []string{"3 argument"}},
		{"bootstrap with http", shell + "/etc/eks/bootstrap.sh demo --apiserver-endpoint http://x\n", []string{"2 value"}},

		{"too large", shell + strings.Repeat("#\n", userdata.MaxSize/2), []string{"0 too-large"}},
		{"far too large", strings.Repeat("x", 2<<20), []string{"0 encoding"}},
		{"broken gzip", "\x1f\x8bnothing", []string{"0 encoding"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, fault := range userdata.Parse([]byte(tt.text)).Faults {
				got = append(got, fmt.Sprintf("%d %s", fault.Line, fault.Kind))
				if fault.Detail == "" {
					t.Errorf("fault %v has no words", fault)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseMergesNodeConfigsAsNodeadmDoes(t *testing.T) {
	first := healthy + "  kubelet:\n    config: {maxPods: 10, registerWithTaints: [{key: a, effect: NoSchedule}]}\n    flags: [--node-labels=a=1, --v=2]\n"
	second := "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster: {name: later}\n" +
		"  kubelet:\n    config: {registerWithTaints: [{key: b, value: c, effect: NoExecute}]}\n    flags: [\"--node-labels\", \"b=2,a=3\"]\n"
	text := "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: application/node.eks.aws\n\n" + first +
		"\n--B\nContent-Type: application/node.eks.aws\n\n" + second + "\n--B--\n"
	got := userdata.Parse([]byte(text))
	want := userdata.Document{
		Format: userdata.FormatMIME, Size: len(text), NodeConfigs: 2,
		Parts: []userdata.Part{
			{Type: "application/node.eks.aws", Format: userdata.FormatNodeConfig, Line: 6, Size: len(first)},
			{Type: "application/node.eks.aws", Format: userdata.FormatNodeConfig, Line: 21, Size: len(second)},
		},
		Cluster: userdata.Cluster{Name: "later", Endpoint: "https://x.example.com", CA: "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==", CIDR: "10.100.0.0/16"},
		Labels:  map[string]string{"a": "3", "b": "2"},
		Taints:  []userdata.Taint{{Key: "b", Value: "c", Effect: "NoExecute"}},
		MaxPods: 10, KubeletFlags: []string{"--v=2"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

func TestParseBootstrapArguments(t *testing.T) {
	text := `#!/bin/bash
set -ex
B64=LS0t
/etc/eks/bootstrap.sh demo --apiserver-endpoint "https://x.example.com" --b64-cluster-ca $B64 \
  --kubelet-extra-args '--node-labels=a=b,c=d --register-with-taints=k=v:NoSchedule,x:NoExecute --max-pods=17 --v=4' \
  --use-max-pods false && echo done # finished
`
	got := userdata.Parse([]byte(text))
	want := userdata.Document{
		Format: userdata.FormatShell, Size: len(text), Bootstrap: &userdata.Location{Line: 4},
		Cluster:      userdata.Cluster{Name: "demo", Endpoint: "https://x.example.com"}, // the CA is a variable
		Labels:       map[string]string{"a": "b", "c": "d"},
		Taints:       []userdata.Taint{{Key: "k", Value: "v", Effect: "NoSchedule"}, {Key: "x", Effect: "NoExecute"}},
		MaxPods:      17,
		KubeletFlags: []string{"--max-pods=17", "--v=4"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

// TestParseReadsRenderedBootstrapArguments joins the two halves that know AL2's script.
func TestParseReadsRenderedBootstrapArguments(t *testing.T) {
	config := userdata.Config{Labels: full().Labels, Taints: full().Taints, MaxPods: 20}
	got := userdata.Parse([]byte("#!/bin/bash\n/etc/eks/bootstrap.sh demo " + userdata.BootstrapArguments(config) + "\n"))
	if diff := cmp.Diff(config.Labels, got.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(config.Taints, got.Taints); diff != "" {
		t.Errorf("taints (-want +got):\n%s", diff)
	}
	if got.MaxPods != 20 || got.Cluster.Name != "demo" || len(got.Faults) > 0 {
		t.Errorf("%+v", got)
	}
}

// TestHostilePartsTakeBoundedWork: a kilobyte of gzip is a megabyte, and a document holds a thousand of them.
func TestHostilePartsTakeBoundedWork(t *testing.T) {
	bomb := string(gzipped(t, []byte("# "+strings.Repeat("x", 1<<20-100)+"\n"+healthy[:50])))
	text := "Content-Type: multipart/mixed; boundary=B\n\n"
	for range 50 {
		text += "--B\nContent-Type: application/node.eks.aws\n\n" + base64.StdEncoding.EncodeToString([]byte(bomb)) + "\n"
	}
	document := userdata.Parse([]byte(text + "--B--\n"))
	decoded := 0
	for _, part := range document.Parts {
		decoded += part.Size
	}
	if decoded > 6<<20 || document.Refused == nil || len(document.Faults) > 50 {
		t.Errorf("%d bytes decoded, %d faults, refused: %v", decoded, len(document.Faults), document.Refused)
	}
}

func TestParseKeepsTheUsersTextToItself(t *testing.T) {
	for _, text := range []string{
		"#!/bin/bash\nexport PASSWORD=CANARY\nnodeadm init --x=CANARY\n",
		"apiVersion: node.eks.aws/v1alpha1\nkind: CANARY\nspec:\n  cluster: CANARY\n  kubelet: {config: {maxPods: CANARY}, flags: {a: CANARY}}\n",
		"[settings]\nCANARY = CANARY\n",
		"CANARY words\n",
		strings.Replace(healthy, "name: demo", "name: {CANARY: CANARY}", 1),
		healthy + "  featureGates: {CANARY: CANARY}\n  kubelet: {config: {CANARY: CANARY}, flags: [--v=2, {CANARY: 1}]}\n",
		healthy + "? {CANARY: x}\n: y\n",
		"{\"apiVersion\": \"node.eks.aws/v1alpha1\", \"CANARY\": CANARY}",
		wrapped("text/x-shellscript", "curl -H 'x: CANARY' example.com"),
		"MIME-Version: 1.0\nCANARY\n\n",
	} {
		if got := fmt.Sprintf("%+v", userdata.Parse([]byte(text))); strings.Contains(got, "CANARY") {
			t.Errorf("%q is quoted in %s", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(healthy))
	f.Add([]byte(wrapped("application/node.eks.aws", healthy)))
	f.Add([]byte(wrapped("text/x-shellscript", "/etc/eks/bootstrap.sh demo --kubelet-extra-args '--node-labels=a=b'")))
	f.Add([]byte("[settings.kubernetes]\ncluster-name = 'demo'\n[settings.kubernetes.node-taints]\na = 'b:NoSchedule'\n"))
	f.Add([]byte("IyEvYmluL2Jhc2gK"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		document := userdata.Parse(raw)
		if document.Format == "" || len(document.Faults) > 50 {
			t.Errorf("format %q, %d faults", document.Format, len(document.Faults))
		}
		if document.Base64 || document.Gzip {
			return
		}
		lines := strings.Count(string(raw), "\n") + 1
		for _, fault := range document.Faults {
			if fault.Line < 0 || fault.Line > lines {
				t.Errorf("fault %+v in a text of %d lines", fault, lines)
			}
		}
	})
}

// FuzzUserParts holds that whatever the user brings, what is rendered reads back with the cluster we meant.
func FuzzUserParts(f *testing.F) {
	f.Add([]byte("echo hi"))
	f.Add([]byte(healthy))
	f.Add([]byte(wrapped("text/x-shellscript", "#!/bin/sh")))
	f.Add([]byte("--EKSNODES--\n"))
	f.Fuzz(func(t *testing.T, own []byte) {
		document, err := userdata.AL2023(userdata.Config{Cluster: cluster(), User: [][]byte{own}})
		if err != nil {
			return
		}
		if got := userdata.Parse(document); got.Cluster != cluster() {
			t.Errorf("with %q the node would look for %+v\n%s", own, got.Cluster, document)
		}
	})
}
