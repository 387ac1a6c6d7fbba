package backend

import "testing"

func TestTrusts(t *testing.T) {
	statement := func(effect, principal, action string) string {
		return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":` + action + `}`
	}
	const ec2, assume = `{"Service":"ec2.amazonaws.com"}`, `"sts:AssumeRole"`
	for name, tt := range map[string]struct {
		statements string
		want       bool
	}{
		"a node's":        {statement("Allow", ec2, assume), true},
		"lists":           {statement("Allow", `{"Service":["eks.amazonaws.com","ec2.amazonaws.com"]}`, `["sts:TagSession","sts:AssumeRole"]`), true},
		"another service": {statement("Allow", `{"Service":"lambda.amazonaws.com"}`, assume), false},
		"an account":      {statement("Allow", `{"AWS":"111122223333"}`, assume), false},
		"another action":  {statement("Allow", ec2, `"sts:TagSession"`), false},
		"denied besides":  {statement("Allow", ec2, assume) + "," + statement("Deny", ec2, assume), false},
		"nothing":         {"", false},
	} {
		got, err := trusts(`{"Version":"2012-10-17","Statement":[`+tt.statements+`]}`, "ec2.amazonaws.com")
		if err != nil || got != tt.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := trusts("no policy", "ec2.amazonaws.com"); err == nil {
		t.Error("text that is no policy gave no error")
	}
}
