package authmap

import "testing"

// TestCanonicalARN has its expectations from the authenticator (test/oracle).
func TestCanonicalARN(t *testing.T) {
	const refused = ""
	for arn, want := range map[string]struct {
		kind                Principal
		canonical, stripped string
	}{
		"arn:aws:iam::123456789012:role/Name":                     {PrincipalRole, "arn:aws:iam::123456789012:role/Name", "arn:aws:iam::123456789012:role/Name"},
		"arn:aws:iam::123456789012:role/a/b/Name":                 {PrincipalRole, "arn:aws:iam::123456789012:role/a/b/Name", "arn:aws:iam::123456789012:role/Name"},
		"arn:aws-cn:sts::123456789012:assumed-role/Name/i-0abc":   {PrincipalAssumedRole, "arn:aws-cn:iam::123456789012:role/Name", "arn:aws-cn:sts::123456789012:assumed-role/Name/i-0abc"},
		"arn:aws:sts::123456789012:assumed-role/a/b/Name/session": {PrincipalAssumedRole, "arn:aws:iam::123456789012:role/a/b/Name", "arn:aws:sts::123456789012:assumed-role/a/b/Name/session"},
		"arn:aws:sts::123456789012:assumed-role/Name":             {"", refused, "arn:aws:sts::123456789012:assumed-role/Name"},
		"arn:aws:iam::123456789012:user/a/Bob":                    {PrincipalUser, "arn:aws:iam::123456789012:user/a/Bob", "arn:aws:iam::123456789012:user/a/Bob"},
		"arn:aws:iam::123456789012:root":                          {PrincipalRoot, "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"},
		"arn:aws:sts::123456789012:federated-user/Bob":            {PrincipalFederatedUser, "arn:aws:sts::123456789012:federated-user/Bob", "arn:aws:sts::123456789012:federated-user/Bob"},
		"arn:aws:iam::123456789012:instance-profile/Name":         {"", refused, "arn:aws:iam::123456789012:instance-profile/Name"},
		"arn:aws-eusc:iam::1:role/a/N":                            {PrincipalRole, "arn:aws-eusc:iam::1:role/a/N", "arn:aws-eusc:iam::1:role/N"},
		"arn:moon:iam::1:role/x":                                  {"", refused, refused},
		"ARN:aws:iam::1:role/x":                                   {"", refused, refused},
		"":                                                        {"", refused, refused},
	} {
		kind, canonical, err := CanonicalARN(arn)
		if kind != want.kind || canonical != want.canonical || (err != nil) != (want.canonical == refused) {
			t.Errorf("CanonicalARN(%q) = %q, %q, %v", arn, kind, canonical, err)
		}
		stripped, err := StripPath(arn)
		if stripped != want.stripped || (err != nil) != (want.stripped == refused) {
			t.Errorf("StripPath(%q) = %q, %v", arn, stripped, err)
		}
	}
}

func TestMappingARNOfARoleNamedRole(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:role/node-role"
	if got, err := MappingARN(arn); got != arn || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range []string{"arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role"} {
		if got, err := MappingARN(bad); err == nil {
			t.Errorf("%q gives %q", bad, got)
		}
	}
}

func TestMappingARN(t *testing.T) {
	for in, want := range map[string]string{
		"arn:aws:iam::123456789012:role/a/b/Name":              "arn:aws:iam::123456789012:role/Name",
		"arn:aws-cn:sts::123456789012:assumed-role/Name/i-0ab": "arn:aws-cn:iam::123456789012:role/Name",
	} {
		if got, err := MappingARN(in); got != want || err != nil {
			t.Errorf("MappingARN(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}
