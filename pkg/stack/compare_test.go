package stack

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	const base = `
Metadata: {a: 1}
Resources:
  NodeLaunchTemplate: {Type: "AWS::EC2::LaunchTemplate", Properties: {x: 1}}
  NodeGroup: {Type: "AWS::AutoScaling::AutoScalingGroup"}
  Rule: {Type: "AWS::EC2::SecurityGroupIngress"}
  Policy: {Type: "AWS::AutoScaling::ScalingPolicy"}
  Pool: {Type: "AWS::AutoScaling::WarmPool"}
`
	for name, test := range map[string]struct {
		edit func(string) string
		want Comparison
	}{
		"the same":               {func(s string) string { return s }, Comparison{Same: true}},
		"other metadata":         {func(s string) string { return strings.Replace(s, "a: 1", "b: 2", 1) }, Comparison{Same: true}},
		"machines start another": {func(s string) string { return strings.Replace(s, "x: 1", "x: 2", 1) }, Comparison{Launch: true}},
		"a rule goes":            {func(s string) string { return strings.Replace(s, "  Rule:", "  Other:", 1) }, Comparison{Gone: []string{"Rule"}}},
		"somebody's goes":        {func(s string) string { return strings.Replace(s, "  Policy:", "  Other:", 1) }, Comparison{Gone: []string{"Policy"}}},
		"a warm pool goes":       {func(s string) string { return strings.Replace(s, "  Pool:", "  Other:", 1) }, Comparison{}},
	} {
		got, err := Compare(base, test.edit(base))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for key, want := range map[string]bool{"a": true, "b": false} {
		if keeps, err := Keeps(base, key); err != nil || keeps != want {
			t.Errorf("keeps %s: %t, error %v", key, keeps, err)
		}
	}
	for _, pair := range [][2]string{{"[", base}, {base, "["}} {
		if _, err := Compare(pair[0], pair[1]); err == nil {
			t.Errorf("%.10q and %.10q were compared", pair[0], pair[1])
		}
	}
}
