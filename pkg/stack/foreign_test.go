package stack_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// summarize reads a template file as GetTemplateSummary would.
func summarize(t *testing.T, name string) stack.Summary {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "foreign", name))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Parameters yaml.Node `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(body, &template); err != nil {
		t.Fatal(err)
	}
	summary := stack.Summary{Capabilities: []string{stack.CapabilityIAM}}
	for i := 0; i < len(template.Parameters.Content); i += 2 {
		var declared struct {
			Type          string   `yaml:"Type"`
			Default       *string  `yaml:"Default"`
			AllowedValues []string `yaml:"AllowedValues"`
		}
		if err := template.Parameters.Content[i+1].Decode(&declared); err != nil {
			t.Fatal(err)
		}
		summary.Parameters = append(summary.Parameters, stack.Declared{Key: template.Parameters.Content[i].Value,
			Type: declared.Type, Default: declared.Default, Allowed: declared.AllowedValues})
	}
	return summary
}

func TestFitAL2023Edition(t *testing.T) {
	in := least(t)
	in.KeyName = "ops"
	fitted, err := stack.Fit(in, summarize(t, "al2023.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if fitted.Edition != stack.EditionAL2023 {
		t.Errorf("edition %s", fitted.Edition)
	}
	golden(t, "testdata/foreign/al2023.parameters", parameterLines(fitted.Parameters))
	if diff := cmp.Diff([]string{"BootstrapArguments"}, fitted.LeftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

func TestFitAL2Edition(t *testing.T) {
	in := least(t)
	in.KeyName = "ops"
	in.Boot.Labels["team"] = "web"
	in.Boot.Taints = []userdata.Taint{{Key: "spot", Effect: "NoSchedule"}}
	in.Boot.MaxPods = 20
	fitted, err := stack.Fit(in, summarize(t, "al2.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if fitted.Edition != stack.EditionAL2 {
		t.Errorf("edition %s", fitted.Edition)
	}
	golden(t, "testdata/foreign/al2.parameters", parameterLines(fitted.Parameters))
	want := []string{"NodeVolumeType", "ApiServerEndpoint", "CertificateAuthorityData", "ServiceCidr", "AuthenticationMode"}
	if diff := cmp.Diff(want, fitted.LeftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

// TestFitSaysWhatATemplateCannotDo asks for one thing at a time.
func TestFitSaysWhatATemplateCannotDo(t *testing.T) {
	yes := true
	for words, edit := range map[string]func(*stack.Input){
		"it needs a value for KeyName":           func(in *stack.Input) { in.KeyName = "" },
		"the bottlerocket family":                func(in *stack.Input) { in.Family = stack.Bottlerocket },
		"the group's own user data":              func(in *stack.Input) { in.Boot.User = [][]byte{[]byte("x")} },
		"node labels":                            func(in *stack.Input) { in.Boot.Labels["a"] = "b" },
		"node taints":                            func(in *stack.Input) { in.Boot.Taints = []userdata.Taint{{Key: "a", Effect: "NoSchedule"}} },
		"a pod limit":                            func(in *stack.Input) { in.Boot.MaxPods = 10 },
		"a pod limit by expression":              func(in *stack.Input) { in.Boot.MaxPodsExpression = "max_pods" },
		"kubelet configuration":                  func(in *stack.Input) { in.Boot.KubeletConfig = map[string]any{"a": 1} },
		"kubelet flags":                          func(in *stack.Input) { in.Boot.KubeletFlags = []string{"--v=4"} },
		"containerd configuration":               func(in *stack.Input) { in.Boot.ContainerdConfig = "a = 1" },
		"local storage":                          func(in *stack.Input) { in.Boot.LocalStorage = "RAID0" },
		"nodeadm feature gates":                  func(in *stack.Input) { in.Boot.FeatureGates = map[string]bool{"FastImagePull": true} },
		"bootstrap commands":                     func(in *stack.Input) { in.Boot.PostBootstrap = []string{"date"} },
		"a hop limit":                            func(in *stack.Input) { in.HopLimit = 1 },
		"volume IOPS or throughput":              func(in *stack.Input) { in.Volume.IOPS = 4000 },
		"a KMS key":                              func(in *stack.Input) { in.Volume.KMSKey = "alias/x" },
		"the volume's device":                    func(in *stack.Input) { in.Volume.Device = "/dev/sda1" },
		"an existing role or instance profile":   func(in *stack.Input) { in.Role.ARN = "arn:aws:iam::111122223333:role/r" },
		"the role's path, boundary or policies":  func(in *stack.Input) { in.Role.Path = "/a/" },
		"further security groups":                func(in *stack.Input) { in.Network.SecurityGroups = []string{"sg-1"} },
		"ingress rules":                          func(in *stack.Input) { in.Network.Ingress = []stack.Rule{{Protocol: "-1", CIDR: "10.0.0.0/8"}} },
		"public addresses on or off":             func(in *stack.Input) { in.Network.PublicIP = &yes },
		"IPv6 addresses":                         func(in *stack.Input) { in.IPv6 = true },
		"lifecycle hooks":                        func(in *stack.Input) { in.LifecycleHooks = []stack.LifecycleHook{{Name: "a", Seconds: 60}} },
		"a warm pool":                            func(in *stack.Input) { in.WarmPool, in.Boot.WarmPool = &stack.WarmPool{Min: 1, Prepared: 1}, true },
		"metrics of the group":                   func(in *stack.Input) { in.GroupMetrics = true },
		"the cluster autoscaler's tags":          func(in *stack.Input) { in.AutoscalerTags = true },
		"it does not allow AuthenticationMode=X": func(in *stack.Input) { in.AuthenticationMode = "X" },
	} {
		t.Run(words, func(t *testing.T) {
			in := least(t)
			in.KeyName = "ops"
			edit(&in)
			_, err := stack.Fit(in, summarize(t, "al2023.yaml"))
			var unfit *stack.UnfitError
			if !errors.As(err, &unfit) || !strings.Contains(err.Error(), words) {
				t.Fatalf("error %v, want an UnfitError that says %q", err, words)
			}
			if n := len(unfit.Missing) + len(unfit.Refused) + len(unfit.Wishes); n != 1 {
				t.Errorf("%d reasons for one fault: %v", n, err)
			}
		})
	}
}

func TestFitVolumeOfATemplateWithoutOne(t *testing.T) {
	in := least(t)
	in.KeyName, in.Volume.Type = "ops", "io2"
	_, err := stack.Fit(in, summarize(t, "al2.yaml"))
	if err == nil || !strings.Contains(err.Error(), "the volume type") {
		t.Errorf("error %v, want one about the volume type", err)
	}
}

func TestNotes(t *testing.T) {
	in := least(t)
	in.KeyName, in.Max, in.Boot.BeaconDelay = "ops", in.Desired, userdata.DefaultBeaconDelay
	fitted, err := stack.Fit(in, summarize(t, "al2023.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(fitted.Notes, "\n")
	for _, want := range []string{"no boot beacon", "not attached", "encrypted is up to", "max 3 and desired 3"} {
		if !strings.Contains(got, want) {
			t.Errorf("no note holds %q:\n%s", want, got)
		}
	}
}

func TestAuthenticationModeIsSpeltAsTheTemplateTakesIt(t *testing.T) {
	in := least(t)
	for mode, display := range map[string]string{"API": "EKS API", "API_AND_CONFIG_MAP": "EKS API and ConfigMap", "CONFIG_MAP": "ConfigMap"} {
		in.AuthenticationMode = mode
		for _, spelling := range [][]string{{"EKS API", "EKS API and ConfigMap", "ConfigMap"}, {"API", "API_AND_CONFIG_MAP", "CONFIG_MAP"}} {
			summary := stack.Summary{Parameters: []stack.Declared{{Key: "AuthenticationMode", Allowed: spelling}}}
			fitted, missing, refused := stack.Intersect(stack.Parameters(in), summary)
			if len(missing)+len(refused) > 0 || len(fitted.Parameters) != 1 {
				t.Fatalf("mode %s, allowed %q: missing %q, refused %q, fitted %v", mode, spelling, missing, refused, fitted.Parameters)
			}
			if got := fitted.Parameters[0].Value; (got != mode && got != display) || !slices.Contains(spelling, got) {
				t.Errorf("mode %s is sent as %q where %q are allowed", mode, got, spelling)
			}
		}
	}
}

func TestUnknownEdition(t *testing.T) {
	none := "x"
	fitted, missing, _ := stack.Intersect(nil, stack.Summary{Parameters: []stack.Declared{{Key: "Own"}, {Key: "Optional", Default: &none}}})
	if fitted.Edition != stack.EditionUnknown || !slices.Equal(missing, []string{"Own"}) {
		t.Errorf("edition %s, missing %q", fitted.Edition, missing)
	}
}

func parameterLines(parameters []stack.Parameter) string {
	var b strings.Builder
	for _, p := range parameters {
		fmt.Fprintf(&b, "%s=%s\n", p.Key, p.Value)
	}
	return b.String()
}
