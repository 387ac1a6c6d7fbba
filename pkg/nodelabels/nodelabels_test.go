package nodelabels_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodelabels"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

func TestParseLabels(t *testing.T) {
	tests := []struct {
		name    string
		specs   []string
		want    map[string]string
		wantErr []string // fragments, all of which the error must hold
	}{
		{name: "none", want: map[string]string{}},
		{name: "several in one string", specs: []string{"team=x,tier=web"}, want: map[string]string{"team": "x", "tier": "web"}},
		{name: "several strings", specs: []string{"team=x", "tier=web"}, want: map[string]string{"team": "x", "tier": "web"}},
		{name: "empty value", specs: []string{"spot="}, want: map[string]string{"spot": ""}},
		{name: "spaces and stray commas", specs: []string{" a=b, c=d,"}, want: map[string]string{"a": "b", "c": "d"}},
		{name: "own domain", specs: []string{"example.com/pool=a"}, want: map[string]string{"example.com/pool": "a"}},
		{name: "same pair twice", specs: []string{"a=b", "a=b"}, want: map[string]string{"a": "b"}},
		{name: "kubelet may set", specs: []string{"node.kubernetes.io/pool=a,kubelet.kubernetes.io/x=b,my.node.kubernetes.io/y=c"},
			want: map[string]string{"node.kubernetes.io/pool": "a", "kubelet.kubernetes.io/x": "b", "my.node.kubernetes.io/y": "c"}},
		{name: "kubelet's listed keys", specs: []string{"topology.kubernetes.io/zone=us-east-1a"},
			want: map[string]string{"topology.kubernetes.io/zone": "us-east-1a"}},
		{name: "looks like Kubernetes but is not", specs: []string{"notkubernetes.io/x=y"}, want: map[string]string{"notkubernetes.io/x": "y"}},

		{name: "no equals sign", specs: []string{"team"}, wantErr: []string{`"team"`, "key=value"}},
		{name: "role", specs: []string{"node-role.kubernetes.io/worker="}, wantErr: []string{"administrator", "after the node has joined", "kubectl label node NAME node-role.kubernetes.io/worker="}},
		{name: "restriction", specs: []string{"node-restriction.kubernetes.io/pool=a"}, wantErr: []string{"administrator"}},
		{name: "restriction below a domain", specs: []string{"a.node-restriction.kubernetes.io/pool=a"}, wantErr: []string{"administrator"}},
		{name: "reserved", specs: []string{"kubernetes.io/role=worker"}, wantErr: []string{"reserved", "node.kubernetes.io"}},
		{name: "reserved k8s.io", specs: []string{"k8s.io/cluster-autoscaler=x"}, wantErr: []string{"reserved"}},
		{name: "long value", specs: []string{"a=" + strings.Repeat("v", 64)}, wantErr: []string{"63"}},
		{name: "bad key", specs: []string{"a b=c"}, wantErr: []string{`label key "a b"`}},
		{name: "bad value", specs: []string{"a=b c"}, wantErr: []string{`value "b c"`}},
		{name: "two values", specs: []string{"a=b,a=c"}, wantErr: []string{"twice", `"b"`, `"c"`}},
		{name: "all faults at once", specs: []string{"team,kubernetes.io/x=y"}, wantErr: []string{`"team"`, `"kubernetes.io/x"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := nodelabels.ParseLabels(tt.specs...)
			checkError(t, err, tt.wantErr)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseTaints(t *testing.T) {
	tests := []struct {
		name    string
		specs   []string
		want    []userdata.Taint
		wantErr []string
	}{
		{name: "none"},
		{name: "value", specs: []string{"dedicated=gpu:NoSchedule"}, want: []userdata.Taint{{Key: "dedicated", Value: "gpu", Effect: "NoSchedule"}}},
		{name: "no value", specs: []string{"spot:PreferNoSchedule"}, want: []userdata.Taint{{Key: "spot", Effect: "PreferNoSchedule"}}},
		{name: "empty value", specs: []string{"spot=:NoExecute"}, want: []userdata.Taint{{Key: "spot", Effect: "NoExecute"}}},
		{name: "one key, two effects, order kept", specs: []string{"b=1:NoSchedule,b=1:NoExecute", "a:NoSchedule"}, want: []userdata.Taint{
			{Key: "b", Value: "1", Effect: "NoSchedule"}, {Key: "b", Value: "1", Effect: "NoExecute"}, {Key: "a", Effect: "NoSchedule"}}},
		{name: "Kubernetes' own key is allowed", specs: []string{"node.cilium.io/agent-not-ready=true:NoExecute"},
			want: []userdata.Taint{{Key: "node.cilium.io/agent-not-ready", Value: "true", Effect: "NoExecute"}}},

		{name: "no effect", specs: []string{"a=b"}, wantErr: []string{"key=value:Effect"}},
		{name: "no key", specs: []string{":NoSchedule"}, wantErr: []string{"key=value:Effect"}},
		{name: "lower-case effect", specs: []string{"a=b:noschedule"}, wantErr: []string{"NoSchedule, PreferNoSchedule, NoExecute"}},
		{name: "bad key", specs: []string{"a b:NoSchedule"}, wantErr: []string{`taint key "a b"`}},
		{name: "bad value", specs: []string{"a=b=c:NoSchedule"}, wantErr: []string{`value "b=c"`}},
		{name: "twice", specs: []string{"a=b:NoSchedule,a=c:NoSchedule"}, wantErr: []string{"twice"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := nodelabels.ParseTaints(tt.specs...)
			checkError(t, err, tt.wantErr)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("taints (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckLabelsNamesEveryFault(t *testing.T) {
	err := nodelabels.CheckLabels(map[string]string{"fine": "x", "kubernetes.io/b": "y", "bad key": "z"})
	checkError(t, err, []string{`"bad key"`, `"kubernetes.io/b"`})
	if err := nodelabels.CheckLabels(map[string]string{"fine": "x"}); err != nil {
		t.Errorf("a fine label was refused: %v", err)
	}
}

// FuzzParseLabels holds that what is accepted can be written out and read back equal.
func FuzzParseLabels(f *testing.F) {
	f.Add("a=b,c=d")
	f.Add("node.kubernetes.io/x=,a")
	f.Fuzz(func(t *testing.T, spec string) {
		labels, err := nodelabels.ParseLabels(spec)
		if err != nil {
			return
		}
		var pairs []string
		for k, v := range labels {
			pairs = append(pairs, k+"="+v)
		}
		again, err := nodelabels.ParseLabels(pairs...)
		if err != nil || !cmp.Equal(labels, again) {
			t.Errorf("%q: read %v, then %v (%v)", spec, labels, again, err)
		}
	})
}

// FuzzParseTaints holds that a taint's String reads back as the same taint.
func FuzzParseTaints(f *testing.F) {
	f.Add("a=b:NoSchedule")
	f.Add("a:NoExecute,b=:PreferNoSchedule")
	f.Fuzz(func(t *testing.T, spec string) {
		taints, err := nodelabels.ParseTaints(spec)
		if err != nil {
			return
		}
		for _, taint := range taints {
			again, err := nodelabels.ParseTaints(taint.String())
			if err != nil || len(again) != 1 || again[0] != taint {
				t.Errorf("%+v reads back as %v (%v)", taint, again, err)
			}
		}
	})
}

func checkError(t *testing.T, err error, want []string) {
	t.Helper()
	if (err != nil) != (len(want) > 0) {
		t.Fatalf("error %v, want one holding %q", err, want)
	}
	for _, fragment := range want {
		if !strings.Contains(err.Error(), fragment) {
			t.Errorf("error %q does not hold %q", err, fragment)
		}
	}
}
