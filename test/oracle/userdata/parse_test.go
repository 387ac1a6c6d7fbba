package userdata_test

import (
	"encoding/json"
	"flag"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
	"github.com/eksnodes/kubectl-eksnodes/test/oracle/generate"
)

var (
	documents = flag.Uint64("documents", 150, "generated user data to compare, at least")
	compare   = flag.Duration("for", 0, "go on comparing for so long")
	first     = flag.Uint64("seed", 0, "seed of the first")
)

// TestParseAgreesWithNodeadm asks nodeadm and Parse about the same user data:
// can a NodeConfig be read, which field is missing, and when all is there, what
// are the cluster, the kubelet's flags and the feature gate.
func TestParseAgreesWithNodeadm(t *testing.T) {
	n := newNodeadm(t)
	var valid, incomplete, unreadable uint64
	start := time.Now()
	seed := *first
	for ; seed < *first+*documents || time.Since(start) < *compare; seed++ {
		raw := generate.New(seed).UserData()
		want := n.check(t, raw)
		switch {
		case !want.Reads:
			unreadable++
		case want.Missing != "":
			incomplete++
		default:
			valid++
		}
		checkVerdict(t, raw, want)
		if want.Reads && want.Missing == "" {
			checkValues(t, raw, n.dump(t, raw))
		}
		if t.Failed() {
			t.Fatalf("seed %d\n%q\n%s", seed, raw, raw)
		}
	}
	t.Logf("%d documents equal in %s: %d valid, %d with a field missing, %d unreadable", seed-*first, time.Since(start).Round(time.Second), valid, incomplete, unreadable)
	if least := (seed - *first) / 20; valid < least || incomplete < least || unreadable < least {
		t.Error("of one kind there were few: the comparison shows little")
	}
}

func checkVerdict(t *testing.T, raw []byte, want answer) {
	t.Helper()
	doc := userdata.Parse(raw)
	got := answer{Reads: doc.NodeConfigs > 0 && doc.Refused == nil}
	if got.Reads {
		for _, fault := range doc.Faults {
			if field, ok := strings.CutSuffix(fault.Detail, " is not set"); ok && fault.Kind == userdata.FaultMissing && got.Missing == "" {
				got.Missing = field
			}
		}
	}
	if got.Reads != want.Reads || got.Missing != want.Missing {
		t.Errorf("nodeadm: reads %v, missing %q: %s\n  Parse: reads %v, missing %q, refused %+v, %+v", want.Reads, want.Missing, want.Error, got.Reads, got.Missing, doc.Refused, doc)
	}
}

func checkValues(t *testing.T, raw, dumped []byte) {
	t.Helper()
	var want config
	if err := json.Unmarshal(dumped, &want); err != nil {
		t.Fatal(err)
	}
	doc := userdata.Parse(raw)
	cluster := userdata.Cluster{
		Name: want.Spec.Cluster.Name, Endpoint: want.Spec.Cluster.APIServerEndpoint, CA: want.Spec.Cluster.CertificateAuthority, CIDR: want.Spec.Cluster.CIDR,
	}
	if doc.Cluster != cluster {
		t.Errorf("nodeadm reads %+v, Parse %+v", cluster, doc.Cluster)
	}
	if gate := want.Spec.FeatureGates["InstanceIdNodeName"]; gate != doc.InstanceName {
		t.Errorf("nodeadm has the gate %v, Parse %v", gate, doc.InstanceName)
	}
	checkKubelet(t, doc, want)
}

// checkKubelet compares what the kubelet is started with. A limit that is not a
// number stops the kubelet, not nodeadm; Parse takes it for none.
func checkKubelet(t *testing.T, doc userdata.Document, want config) {
	t.Helper()
	var pods int32
	if err := json.Unmarshal(want.Spec.Kubelet.Config["maxPods"], &pods); err != nil || pods < 0 {
		pods = 0
	}
	labels := map[string]string{}
	for _, flag := range want.Spec.Kubelet.Flags {
		switch name, value, _ := strings.Cut(flag, "="); name {
		case "--max-pods":
			if limit, err := strconv.ParseInt(value, 10, 32); err == nil {
				pods = int32(limit)
			}
		case "--node-labels":
			for pair := range strings.SplitSeq(value, ",") {
				key, value, _ := strings.Cut(pair, "=")
				labels[key] = value
			}
		}
	}
	if int(pods) != doc.MaxPods {
		t.Errorf("nodeadm has %d pods, Parse %d", pods, doc.MaxPods)
	}
	if len(labels) != len(doc.Labels) || labels["a"] != doc.Labels["a"] || labels["c"] != doc.Labels["c"] {
		t.Errorf("nodeadm has the labels %v, Parse %v", labels, doc.Labels)
	}
}

// FuzzParse lets the fuzzer write the user data, within EC2's limit.
func FuzzParse(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(generate.New(seed).UserData())
	}
	n := newNodeadm(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) <= userdata.MaxSize {
			checkVerdict(t, raw, n.check(t, raw))
		}
	})
}
