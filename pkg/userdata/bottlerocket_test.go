package userdata_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

func bottlerocketFull() userdata.Config {
	c := full()
	return userdata.Config{Cluster: c.Cluster, Labels: c.Labels, Taints: c.Taints, MaxPods: 58, AdminContainer: true,
		BeaconDelay: userdata.DefaultBeaconDelay}
}

func TestBottlerocketGolden(t *testing.T) {
	merged := bottlerocketFull()
	merged.User = [][]byte{[]byte("[settings.kubernetes]\r\ncluster-name = \"other\"\nallowed-unsafe-sysctls = [\"net.core.*\"]\n" +
		"[settings.kubernetes.node-labels]\n\"team\" = \"theirs\"\n\"example.com/own\" = \"1\"\n[settings.motd]\nx = 1\n")}
	for name, config := range map[string]userdata.Config{
		"least":  {Cluster: cluster()},
		"full":   bottlerocketFull(),
		"merged": merged,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := userdata.Bottlerocket(config)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "bottlerocket", name+".toml"), got)
			for range 20 { // the tables are maps: their order must not show
				again, err := userdata.Bottlerocket(config)
				if err != nil || !bytes.Equal(got, again) {
					t.Fatalf("rendering again gives other bytes (%v)", err)
				}
			}
		})
	}
}

// TestBottlerocketKeysWithDots reads the result as Bottlerocket does: a label key is one key, not a path of tables.
func TestBottlerocketKeysWithDots(t *testing.T) {
	document, err := userdata.Bottlerocket(bottlerocketFull())
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Settings struct {
			Kubernetes struct {
				Name   string              `toml:"cluster-name"`
				DNS    string              `toml:"cluster-dns-ip"`
				Labels map[string]string   `toml:"node-labels"`
				Taints map[string][]string `toml:"node-taints"`
				Pods   int                 `toml:"max-pods"`
			} `toml:"kubernetes"`
		} `toml:"settings"`
	}
	if err := toml.Unmarshal(document, &got); err != nil {
		t.Fatal(err)
	}
	kubernetes := got.Settings.Kubernetes
	if kubernetes.Name != "demo" || kubernetes.DNS != "10.100.0.10" || kubernetes.Pods != 58 {
		t.Errorf("settings %+v", kubernetes)
	}
	if diff := cmp.Diff(full().Labels, kubernetes.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	wantTaints := map[string][]string{"dedicated": {"web:NoSchedule", "web:NoExecute"}, "spot": {":PreferNoSchedule"}}
	if diff := cmp.Diff(wantTaints, kubernetes.Taints); diff != "" {
		t.Errorf("taints (-want +got):\n%s", diff)
	}
}

func TestBottlerocketRefuses(t *testing.T) {
	tests := []struct {
		name string
		edit func(*userdata.Config)
		want string
	}{
		{"MIME", func(c *userdata.Config) { c.User = [][]byte{[]byte("MIME-Version: 1.0\n\n")} }, "must be TOML"},
		{"a value for a table", func(c *userdata.Config) { c.User = [][]byte{[]byte("[settings]\nkubernetes = 1\n")} }, "settings.kubernetes is a table in one place"},
		{"too large", func(c *userdata.Config) {
			c.User = [][]byte{[]byte("[settings]\nmotd = '" + strings.Repeat("x", userdata.MaxSize) + "'\n")}
		}, "limit of 16384"},
		{"no cluster", func(c *userdata.Config) { c.Cluster = userdata.Cluster{} }, "cluster name is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := bottlerocketFull()
			tt.edit(&config)
			if _, err := userdata.Bottlerocket(config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one holding %q", err, tt.want)
			}
		})
	}
}

func TestWhatNeedsAShellIsUnsupported(t *testing.T) {
	_, err := userdata.Bottlerocket(full())
	var unsupported *userdata.UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Fatalf("error %v, want an UnsupportedError", err)
	}
	want := []string{"a pod limit by expression", "kubelet configuration", "kubelet flags", "containerd configuration",
		"local storage", "nodeadm feature gates", "bootstrap commands"}
	if diff := cmp.Diff(want, unsupported.Wishes); diff != "" {
		t.Errorf("wishes (-want +got):\n%s", diff)
	}
}

func TestCustom(t *testing.T) {
	own := []byte("#!/bin/sh\r\n/opt/join ${PLACEHOLDER} {{ .Name }} caf\xe9\n")
	got, err := userdata.Custom(userdata.Config{Cluster: cluster(), User: [][]byte{own}, BeaconDelay: userdata.DefaultBeaconDelay})
	if err != nil || !bytes.Equal(got, own) {
		t.Errorf("the user's own was changed (%v): %q", err, got)
	}

	got, err = userdata.Custom(full())
	if err != nil || !bytes.Equal(got, render(t, full())) {
		t.Errorf("without user data a custom image is not treated as AL2023: %v", err)
	}

	config := full()
	config.User = [][]byte{own}
	var unsupported *userdata.UnsupportedError
	if _, err := userdata.Custom(config); !errors.As(err, &unsupported) || len(unsupported.Wishes) != 10 {
		t.Errorf("error %v, want an UnsupportedError with every wish", err)
	}
	if _, err := userdata.Custom(userdata.Config{User: [][]byte{own, own}}); err == nil {
		t.Error("two pieces were accepted")
	}
	if _, err := userdata.Custom(userdata.Config{User: [][]byte{make([]byte, userdata.MaxSize+1)}}); err == nil {
		t.Error("user data over the limit was accepted")
	}
}

// FuzzBottlerocket holds that whatever settings the user brings, what is rendered reads back with the cluster we meant.
func FuzzBottlerocket(f *testing.F) {
	f.Add([]byte("[settings.motd]\nx = 1\n"))
	f.Add([]byte("[settings.kubernetes]\ncluster-name = 'other'\nnode-labels = {a = 'b'}\n"))
	f.Add([]byte("[[settings.kubernetes]]\na.b.c = 1979-05-27\n"))
	f.Fuzz(func(t *testing.T, own []byte) {
		config := userdata.Config{Cluster: cluster(), User: [][]byte{own}}
		document, err := userdata.Bottlerocket(config)
		if err != nil {
			return
		}
		want := cluster()
		want.CIDR = ""
		if got := userdata.Parse(document); got.Cluster != want {
			t.Errorf("with %q the node would look for %+v\n%s", own, got.Cluster, document)
		}
	})
}
