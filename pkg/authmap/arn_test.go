package authmap

import "testing"

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
