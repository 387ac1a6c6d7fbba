package groupconfig

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const head = "apiVersion: " + APIVersion + "\nkind: " + Kind + "\nmetadata: {name: workers}\n"

func number(n int) *int { return &n }

func truth(b bool) *bool { return &b }

func TestDecode(t *testing.T) {
	text := head + `spec:
  desired: 2
  instanceType: m7g.large
  ami: 1.10
  volumeEncrypted: false
  subnets: [subnet-a, subnet-b]
  labels: {team: yes, tier: 1}
  taints:
    - team=a:NoSchedule
  kubeletConfig: {maxPods: 58, evictionHard: {memory.available: 5%}}
  nodeConfig: |
    #!/bin/sh
    true
  preBootstrap: ["echo a, b"]
`
	got, err := Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := New("workers")
	want.Spec = Spec{
		Desired: number(2), InstanceType: Texts{"m7g.large"}, AMI: "1.10", VolumeEncrypted: truth(false), Subnets: []string{"subnet-a", "subnet-b"},
		Labels: map[string]string{"team": "yes", "tier": "1"}, Taints: []string{"team=a:NoSchedule"},
		KubeletConfig: map[string]any{"maxPods": 58.0, "evictionHard": map[string]any{"memory.available": "5%"}},
		NodeConfig:    "#!/bin/sh\ntrue\n", PreBootstrap: []string{"echo a, b"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"unknown key":      {head + "spec:\n  desired: 2\n  instancetypes: m5.large\n", "line 6: unknown key spec.instancetypes: did you mean instanceType?"},
		"far from any":     {"name: x\n" + head, "line 1: unknown key name; there are apiVersion, kind, metadata, spec"},
		"kebab":            {head + "spec: {volume-size: 20}\n", "line 4: unknown key spec.volume-size: did you mean volumeSize?"},
		"twice":            {head + "spec:\n  min: 1\n  min: 2\n", "line 6: spec.min stands on line 5 already"},
		"no number":        {head + "spec:\n  min: three\n", `line 5: spec.min: a whole number is needed, not "three"`},
		"fraction":         {head + "spec:\n  min: 1.5\n", `line 5: spec.min: a whole number is needed, not "1.5"`},
		"quoted number":    {head + "spec:\n  min: \"1\"\n", `line 5: spec.min: a whole number is needed, not "1"`},
		"no truth":         {head + "spec:\n  private: yes\n", `line 5: spec.private: true or false is needed, not "yes"`},
		"no list":          {head + "spec:\n  subnets: subnet-a\n", `line 5: spec.subnets: a list is needed, not "subnet-a"`},
		"null":             {head + "spec:\n  labels:\n    a:\n", "line 6: spec.labels.a: a text is needed, not nothing"},
		"keys for types":   {head + "spec:\n  instanceType: {a: b}\n", "line 5: spec.instanceType: a list is needed, not keys with values"},
		"list for a text":  {head + "spec:\n  ami: [a]\n", "line 5: spec.ami: a text is needed, not a list"},
		"no keys":          {"- a\n", "line 1: the file: keys with values are needed, not a list"},
		"anchor":           {head + "spec:\n  subnets: &s [a]\n  cidr: *s\n", "line 5: spec.subnets: anchors and aliases are not read"},
		"deep anchor":      {head + "spec:\n  kubeletConfig:\n    a: {b: &b 1}\n", "line 6: spec.kubeletConfig: anchors and aliases are not read"},
		"empty":            {"# nothing\n", "line 1: the file is empty"},
		"two":              {head + "---\n" + head, "a second document"},
		"version":          {strings.Replace(head, APIVersion, "eksnodes/v9", 1), `line 1: apiVersion "eksnodes/v9": this version reads ` + APIVersion},
		"no version":       {"kind: " + Kind + "\n", "line 1: apiVersion: " + APIVersion + " is missing"},
		"another kind":     {strings.Replace(head, Kind, "NodeGroup", 1), `line 2: kind "NodeGroup": this is read of ` + Kind + " only"},
		"no YAML":          {"a: [\n", "it is not YAML: "},
		"all are told":     {head + "spec: {mix: 1, max: x}\n", "line 4: spec.max: a whole number is needed"},
		"a text too long":  {head + "spec: {max: " + strings.Repeat("x", 300) + "}\n", `not "` + strings.Repeat("x", 40) + `"...`},
		"key is no text":   {head + "spec: {[a]: 1}\n", "line 4: spec: a key must be a text"},
		"kubelet is a map": {head + "spec: {kubeletConfig: 5}\n", "line 4: spec.kubeletConfig: keys with values are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestRoundTrip: a file that was written is read as what it was, and every
// setting comes through its flag.
func TestRoundTrip(t *testing.T) {
	config := New("workers")
	for _, field := range config.Spec.Fields() {
		if field.Inline == "" {
			if err := config.Spec.SetTexts(field.Name, []string{sample(field.Name)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	config.Spec.NodeConfig, config.Spec.KubeletConfig = "---\na: 'b'\n# yes", map[string]any{"a": []any{true, "yes"}}
	for _, field := range config.Spec.Fields() {
		if field.Inline == "" && (len(field.Texts) != 1 || field.Texts[0] != sample(field.Name)) {
			t.Errorf("%s came out as %q", field.Name, field.Texts)
		}
	}
	text, err := config.Encode("of a group", "with a note\nof two lines")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "# of a group\n# with a note\n# of two lines\napiVersion: ") {
		t.Errorf("comments: %s", text)
	}
	got, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config, got); diff != "" {
		t.Error(diff)
	}
}

// sample is a value that any reader but that of its own kind would change.
func sample(name string) string {
	switch name {
	case "desired", "min", "max", "volumeSize", "volumeIops", "volumeThroughput", "hopLimit", "maxPods", "onDemandBase", "warmPool", "warmPoolMax":
		return "7"
	case "volumeEncrypted", "private", "public", "isolatedSg", "noBeacon", "autoscalerTags", "spot", "groupMetrics":
		return "true"
	case "labels", "tags", "subnetTag":
		return "on=1e3"
	}
	return "0x10"
}

// TestOneOrMore: a text alone is a list of one, and is written so.
func TestOneOrMore(t *testing.T) {
	for text, want := range map[string]Texts{"m5.large": {"m5.large"}, "[m5.large]": {"m5.large"}, "[a, b]": {"a", "b"}} {
		config, err := Decode([]byte(head + "spec: {instanceType: " + text + "}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, config.Spec.InstanceType); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		written, err := config.Encode()
		if alone := strings.Contains(string(written), "instanceType: m5.large\n"); err != nil || alone != (len(want) == 1) {
			t.Errorf("%s is written as %s (%v)", text, written, err)
		}
	}
}

func TestSetTextsRefuses(t *testing.T) {
	var spec Spec
	for name, texts := range map[string][]string{"min": {"x"}, "ami": {"a", "b"}, "wings": {"2"}} {
		if err := spec.SetTexts(name, texts); err == nil {
			t.Errorf("%s = %q was taken", name, texts)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"instanceType", "maxPods", "max", "name"}
	for word, want := range map[string]string{
		"instancetype": "instanceType", "instanceTypes": "instanceType", "max-pods": "maxPods", "mix": "max", "wings": "", "": "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(head + "spec: {desired: 2, labels: {a: b}, kubeletConfig: {a: [1]}}\n"))
	f.Add([]byte(head + "spec: {taints: &a [x], cidr: *a}\n"))
	f.Add([]byte("{\"apiVersion\": \"" + APIVersion + "\"}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		config, err := Decode(text)
		if err != nil {
			return
		}
		written, err := config.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(written)
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v\n%s", err, written)
		}
		if diff := cmp.Diff(config.Metadata, again.Metadata); diff != "" {
			t.Error(diff)
		}
	})
}
