package faults_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/faults"
)

func TestJudgeCounts(t *testing.T) {
	for name, tc := range map[string]struct {
		rule faults.Rule
		want string // one letter a call: . passes, x is hit
	}{
		"every call":     {faults.Rule{Kind: faults.Deny, Target: "eks:ListClusters"}, "xxxx"},
		"first two":      {faults.Rule{Kind: faults.Deny, Target: "EKS:list*", Count: 2}, "xx.."},
		"third only":     {faults.Rule{Kind: faults.Throttle, Target: "*:*", Count: 1, After: 2}, "..x."},
		"another one":    {faults.Rule{Kind: faults.Deny, Target: "eks:ListCluster"}, "...."},
		"this principal": {faults.Rule{Kind: faults.Deny, Target: "eks:*", Principal: "arn:aws:iam::*:user/al?ce"}, "xxxx"},
		"nodes only":     {faults.Rule{Kind: faults.Deny, Target: "eks:*", Principal: "*:assumed-role/*"}, "...."},
	} {
		t.Run(name, func(t *testing.T) {
			var e faults.Engine
			if _, err := e.Add(tc.rule); err != nil {
				t.Fatal(err)
			}
			got := ""
			for range tc.want {
				if e.Judge("eks", "ListClusters", "arn:aws:iam::111122223333:user/alice").Fault != nil {
					got += "x"
				} else {
					got += "."
				}
			}
			if got != tc.want {
				t.Errorf("calls = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestJudgeAddsDelaysAndKeepsTheFirstFault(t *testing.T) {
	var e faults.Engine
	for _, r := range []faults.Rule{
		{Kind: faults.Delay, Target: "ec2:*", Delay: faults.Duration(time.Second)},
		{Kind: faults.Throttle, Target: "ec2:*", Count: 1},
		{Kind: faults.Deny, Target: "ec2:*"},
		{Kind: faults.Delay, Target: "ec2:*", Delay: faults.Duration(time.Minute)},
	} {
		if _, err := e.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	v := e.Judge("ec2", "RunInstances", "")
	if v.Delay != time.Minute+time.Second || v.Fault == nil || v.Fault.Kind != faults.Throttle {
		t.Errorf("first call: %+v", v)
	}
	if v = e.Judge("ec2", "RunInstances", ""); v.Fault == nil || v.Fault.Kind != faults.Deny || v.Fault.Seen != 1 {
		t.Errorf("second call: %+v", v)
	}
	if !e.Remove("3") || e.Remove("3") {
		t.Error("Remove does not tell whether there was a rule")
	}
	if v = e.Judge("ec2", "RunInstances", ""); v.Fault != nil {
		t.Errorf("third call: %+v", v)
	}
	e.Clear()
	if len(e.List()) != 0 {
		t.Errorf("List after Clear = %v", e.List())
	}
}

func TestAddRefuses(t *testing.T) {
	for name, r := range map[string]faults.Rule{
		"kind":           {Kind: "explode", Target: "ec2:*"},
		"target":         {Kind: faults.Deny, Target: "ec2"},
		"negative count": {Kind: faults.Deny, Target: "ec2:*", Count: -1},
		"no delay":       {Kind: faults.Delay, Target: "ec2:*"},
		"success status": {Kind: faults.Error, Target: "ec2:*", Status: 200},
		"code for deny":  {Kind: faults.Deny, Target: "ec2:*", Code: "X"},
	} {
		var e faults.Engine
		if got, err := e.Add(r); err == nil {
			t.Errorf("%s: Add = %+v, want an error", name, got)
		}
	}
}

func TestRuleJSON(t *testing.T) {
	var r faults.Rule
	if err := json.Unmarshal([]byte(`{"kind":"delay","target":"ec2:*","delay":"1m30s"}`), &r); err != nil {
		t.Fatal(err)
	}
	if time.Duration(r.Delay) != 90*time.Second {
		t.Errorf("delay = %v", r.Delay)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"id":"","kind":"delay","target":"ec2:*","delay":"1m30s","seen":0,"hits":0}`; string(b) != want {
		t.Errorf("Marshal = %s, want %s", b, want)
	}
}
