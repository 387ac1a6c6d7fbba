package authmap

import (
	"testing"

	"sigs.k8s.io/aws-iam-authenticator/pkg/arn"
)

func arnSamples() []string {
	return []string{
		"arn:aws:iam::123456789012:role/Name", "arn:aws:iam::123456789012:role/a/b/Name", "arn:aws:iam::123456789012:role", "arn:aws:iam::123456789012:role/",
		"arn:aws-cn:iam::123456789012:role/Name", "arn:aws-us-gov:sts::123456789012:assumed-role/Name/i-0abc", "arn:aws-iso-f:iam::123456789012:role/Name", "arn:aws-eusc:iam::1:role/a/N",
		"arn:aws:sts::123456789012:assumed-role/Name/session", "arn:aws:sts::123456789012:assumed-role/a/b/Name/session", "arn:aws:sts::123456789012:assumed-role/Name",
		"arn:aws:iam::123456789012:user/a/Bob", "arn:aws:iam::123456789012:root", "arn:aws:sts::123456789012:federated-user/Bob",
		"arn:aws:iam::123456789012:instance-profile/Name", "arn:aws:s3:::bucket", "arn:moon:iam::1:role/x", "", "arn", "arn:aws:iam", "ARN:aws:iam::1:role/x", "arn:aws:iam:r:1:role/x:y/z",
		"arn:aws:sts::1:role/x", "arn:aws:iam::1:assumed-role/x/y",
	}
}

func TestCanonicalARNIsTheAuthenticators(t *testing.T) {
	for _, s := range arnSamples() {
		checkARN(t, s)
	}
}

func checkARN(t *testing.T, s string) {
	t.Helper()
	kinds := map[Principal]arn.PrincipalType{
		"": arn.NONE, PrincipalRole: arn.ROLE, PrincipalUser: arn.USER, PrincipalRoot: arn.ROOT,
		PrincipalFederatedUser: arn.FEDERATED_USER, PrincipalAssumedRole: arn.ASSUMED_ROLE,
	}
	wantKind, want, wantErr := arn.Canonicalize(s)
	kind, got, err := CanonicalARN(s)
	if kinds[kind] != wantKind || got != want || (err != nil) != (wantErr != nil) {
		t.Errorf("CanonicalARN(%q) = %q, %q, %v; the authenticator has %v, %q, %v", s, kind, got, err, wantKind, want, wantErr)
	}
	wantStripped, wantErr := arn.StripPath(s)
	stripped, err := StripPath(s)
	if stripped != wantStripped || (err != nil) != (wantErr != nil) {
		t.Errorf("StripPath(%q) = %q, %v; the authenticator has %q, %v", s, stripped, err, wantStripped, wantErr)
	}
}

func FuzzCanonicalARN(f *testing.F) {
	for _, s := range arnSamples() {
		f.Add(s)
	}
	f.Fuzz(checkARN)
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
