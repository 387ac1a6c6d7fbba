package stack_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

func TestRolls(t *testing.T) {
	const group = "Resources:\n  NodeGroup:\n    Type: AWS::AutoScaling::AutoScalingGroup\n    Properties: {MinSize: !Ref Min, Name: !Join ['-', [a, !Sub '${B}']]}\n"
	for name, test := range map[string]struct {
		body string
		want bool
	}{
		"none":      {group, false},
		"rolling":   {group + "    UpdatePolicy: {AutoScalingRollingUpdate: {MaxBatchSize: 1}}\n", true},
		"replacing": {group + "    UpdatePolicy: {AutoScalingReplacingUpdate: {WillReplace: true}}\n", true},
		"schedule":  {group + "    UpdatePolicy: {AutoScalingScheduledAction: {IgnoreUnmodifiedGroupSizeProperties: true}}\n", false},
		"JSON":      {`{"Resources": {"G": {"UpdatePolicy": {"AutoScalingRollingUpdate": {}}}}}`, true},
	} {
		if got, err := stack.Rolls(test.body); err != nil || got != test.want {
			t.Errorf("%s: %t, error %v", name, got, err)
		}
	}
	if _, err := stack.Rolls("Resources: ["); err == nil {
		t.Error("a template that cannot be read is no error")
	}
	builtin, err := os.ReadFile(filepath.Join("testdata", "least.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if rolls, err := stack.Rolls(string(builtin)); err != nil || rolls {
		t.Errorf("the builtin template rolls: %t, error %v", rolls, err)
	}
}
