package authmap_test

import (
	"testing"

	"sigs.k8s.io/aws-iam-authenticator/pkg/arn"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
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
	kinds := map[authmap.Principal]arn.PrincipalType{
		"": arn.NONE, authmap.PrincipalRole: arn.ROLE, authmap.PrincipalUser: arn.USER, authmap.PrincipalRoot: arn.ROOT,
		authmap.PrincipalFederatedUser: arn.FEDERATED_USER, authmap.PrincipalAssumedRole: arn.ASSUMED_ROLE,
	}
	wantKind, want, wantErr := arn.Canonicalize(s)
	kind, got, err := authmap.CanonicalARN(s)
	if kinds[kind] != wantKind || got != want || (err != nil) != (wantErr != nil) {
		t.Errorf("CanonicalARN(%q) = %q, %q, %v; the authenticator has %v, %q, %v", s, kind, got, err, wantKind, want, wantErr)
	}
	wantStripped, wantErr := arn.StripPath(s)
	stripped, err := authmap.StripPath(s)
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
