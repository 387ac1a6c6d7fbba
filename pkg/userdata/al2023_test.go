package userdata_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

var update = flag.Bool("update", false, "write the golden files anew")

func cluster() userdata.Cluster {
	return userdata.Cluster{
		Name:     "demo",
		Endpoint: "https://0123456789ABCDEF0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com",
		CA:       base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")),
		CIDR:     "10.100.0.0/16",
	}
}

// full uses every field that AL2023 knows.
func full() userdata.Config {
	return userdata.Config{
		Cluster: cluster(),
		Labels:  map[string]string{"team": "web", "eksnodes.dev/nodegroup": "blue", "b": "", "a": "1"},
		Taints: []userdata.Taint{
			{Key: "dedicated", Value: "web", Effect: "NoSchedule"},
			{Key: "dedicated", Value: "web", Effect: "NoExecute"},
			{Key: "spot", Effect: "PreferNoSchedule"},
		},
		MaxPods:           58,
		MaxPodsExpression: "max_pods + 10",
		KubeletConfig:     map[string]any{"evictionHard": map[string]any{"memory.available": "5%"}, "maxPods": 7},
		KubeletFlags:      []string{"--v=4"},
		ContainerdConfig:  "[metrics]\naddress = '127.0.0.1:1338'\n",
		LocalStorage:      "RAID0",
		FeatureGates:      map[string]bool{"FastImagePull": true},
		PreBootstrap:      []string{"sysctl -w net.core.somaxconn=4096", "echo ready >/etc/motd\r\n"},
		PostBootstrap:     []string{"logger joined"},
		BeaconDelay:       userdata.DefaultBeaconDelay,
	}
}

func TestAL2023Golden(t *testing.T) {
	ipv6 := userdata.Config{Cluster: cluster()}
	ipv6.Cluster.CIDR = "fd00:1234:5678::/108"
	mixed := userdata.Config{Cluster: cluster(), Labels: map[string]string{"pool": "a"}, User: [][]byte{
		[]byte("apiVersion: node.eks.aws/v1alpha1\r\nkind: NodeConfig\r\nspec:\r\n  cluster: {name: other}\r\n  kubelet:\r\n    flags: [--node-labels=mine=1]\r\n"),
		[]byte("yum install -y tmux\r\n"),
		[]byte("#cloud-config\npackages: [htop]\n"),
		[]byte("#!/usr/bin/env python3\nprint('grüße')\n"),
		[]byte("Content-Type: multipart/mixed; boundary=\"EKSNODES\"\nMIME-Version: 1.0\n\n--EKSNODES\nContent-Type: text/x-shellscript; charset=\"utf-8\"\nContent-Transfer-Encoding: base64\n\nIyEvYmluL2Jhc2gKZWNobyBoaQo=\n--EKSNODES\nContent-Type: text/cloud-config\n\nruncmd: [date]\n--EKSNODES--\n"),
	}}
	for name, config := range map[string]userdata.Config{
		"least":      {Cluster: cluster()},
		"full":       full(),
		"ipv6":       ipv6,
		"user-parts": mixed,
	} {
		t.Run(name, func(t *testing.T) {
			got := render(t, config)
			golden(t, filepath.Join("testdata", "al2023", name+".mime"), got)
			if again := render(t, config); !bytes.Equal(got, again) {
				t.Error("rendering the same configuration again gives other bytes")
			}
			if bytes.Contains(got, []byte("\r")) {
				t.Error("a carriage return was left in")
			}
		})
	}
}

func TestAL2023DoesNotChangeItsInput(t *testing.T) {
	config := full()
	render(t, config)
	if diff := cmp.Diff(full(), config); diff != "" {
		t.Errorf("rendering changed the configuration (-want +got):\n%s", diff)
	}
}

func TestAL2023Refuses(t *testing.T) {
	tests := []struct {
		name string
		edit func(*userdata.Config)
		want string
	}{
		{"no name", func(c *userdata.Config) { c.Cluster.Name = "" }, "cluster name is missing"},
		{"no endpoint", func(c *userdata.Config) { c.Cluster.Endpoint = "" }, "not an https URL"},
		{"plain http", func(c *userdata.Config) { c.Cluster.Endpoint = "http://x" }, "not an https URL"},
		{"PEM in place of base64", func(c *userdata.Config) { c.Cluster.CA = "-----BEGIN" }, "not base64"},
		{"no CIDR", func(c *userdata.Config) { c.Cluster.CIDR = "" }, "not an address range"},
		{"a YAML map that is no NodeConfig", func(c *userdata.Config) { c.User = [][]byte{[]byte("spec: {}\n")} }, "must be a NodeConfig"},
		{"a NodeConfig that is not YAML", func(c *userdata.Config) {
			c.User = [][]byte{[]byte("apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n\tcluster: {}\n")}
		}, "NodeConfig, line 4"},
		{"a NodeConfig with a list for a mapping", func(c *userdata.Config) {
			c.User = [][]byte{[]byte("apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: []\n")}
		}, "NodeConfig, line 3: spec is a list where a mapping is due"},
		{"Bottlerocket's settings", func(c *userdata.Config) { c.User = [][]byte{[]byte("[settings]\n")} }, "Bottlerocket"},
		{"PowerShell", func(c *userdata.Config) { c.User = [][]byte{[]byte("<powershell>\n</powershell>\n")} }, "Windows"},
		{"local storage", func(c *userdata.Config) { c.LocalStorage = "raid0" }, "RAID0, RAID10, Mount"},
		{"containerd", func(c *userdata.Config) { c.ContainerdConfig = "a = b" }, "not TOML"},
		{"max pods", func(c *userdata.Config) { c.MaxPods = -1 }, "negative"},
		{"user's broken MIME", func(c *userdata.Config) {
			c.User = [][]byte{[]byte("Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nunended")}
		}, "user data 1 of 1"},
		{"bomb", func(c *userdata.Config) { c.User = [][]byte{gzipped(t, make([]byte, 2<<20))} }, "longer than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := full()
			tt.edit(&config)
			if _, err := userdata.AL2023(config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one holding %q", err, tt.want)
			}
		})
	}
}

func TestSizeLimit(t *testing.T) {
	config := userdata.Config{Cluster: cluster(), PreBootstrap: []string{"x"}}
	room := userdata.MaxSize - len(render(t, config))
	config.PreBootstrap[0] += strings.Repeat("x", room)
	if got := len(render(t, config)); got != userdata.MaxSize {
		t.Fatalf("filled up to %d bytes, want exactly the limit", got)
	}
	config.PreBootstrap[0] += "x"
	_, err := userdata.AL2023(config)
	var tooLarge *userdata.TooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Size != userdata.MaxSize+1 || tooLarge.Limit != userdata.MaxSize {
		t.Errorf("error %v, want a TooLargeError one byte over", err)
	}
}

func TestUserDataMayBeGzippedBase64(t *testing.T) {
	script := []byte("#!/bin/bash\necho packed\n")
	packed := base64.StdEncoding.EncodeToString(gzipped(t, script))
	got := render(t, userdata.Config{Cluster: cluster(), User: [][]byte{[]byte(packed)}})
	if !bytes.Contains(got, script) {
		t.Errorf("the script is not in\n%s", got)
	}
}

func TestPostBootstrapSurvivesItsOwnHeredocWord(t *testing.T) {
	got := render(t, userdata.Config{Cluster: cluster(), PostBootstrap: []string{"cat <<EKSNODES_END\nhi\nEKSNODES_END"}})
	if !bytes.Contains(got, []byte("<<'EKSNODES_END_'\n")) || !bytes.Contains(got, []byte("\nEKSNODES_END_\n")) {
		t.Errorf("the heredoc would end too early:\n%s", got)
	}
}

func TestClusterDNS(t *testing.T) {
	for cidr, want := range map[string]string{
		"10.100.0.0/16":        "10.100.0.10",
		"172.20.0.0/16":        "172.20.0.10",
		"10.0.16.0/20":         "10.0.16.10",
		"fd00:1234:5678::/108": "fd00:1234:5678::a",
	} {
		if got, err := userdata.ClusterDNS(cidr); err != nil || got != want {
			t.Errorf("%s gives %s (%v), want %s", cidr, got, err, want)
		}
	}
	for _, bad := range []string{"", "10.100.0.0", "10.100.0.0/30", "banana"} {
		if got, err := userdata.ClusterDNS(bad); err == nil {
			t.Errorf("%q gives %s, want an error", bad, got)
		}
	}
}

func TestBeaconDelayMustBePositive(t *testing.T) {
	for _, delay := range []time.Duration{0, -time.Second} {
		if _, err := userdata.Beacon(delay); err == nil {
			t.Errorf("delay %s was accepted", delay)
		}
	}
	script, err := userdata.Beacon(1500 * time.Millisecond)
	if err != nil || !strings.Contains(script, "--on-active=2 ") {
		t.Errorf("1.5 s is not rounded up to 2: %v\n%s", err, script)
	}
}

func render(t *testing.T, config userdata.Config) []byte {
	t.Helper()
	document, err := userdata.AL2023(config)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
