package life

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// accessEventually is how long a change may take to reach the authenticator and
// for the API server's cache of reviews to forget.
const accessEventually = 40 * time.Second

// makeRole makes an IAM role below a path and returns its ARN.
func makeRole(t *testing.T, path, name string) string {
	t.Helper()
	out, err := iam.NewFromConfig(sandbox.AWS(t)).CreateRole(t.Context(), &iam.CreateRoleInput{
		Path: &path, RoleName: &name, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.Role.Arn)
}

// user is who the API server takes somebody for.
type user struct {
	name   string
	groups []string
}

// policyGroup begins the groups by which the sandbox's RBAC plays access
// policies.
const policyGroup = "eks-access-policy:"

// asked takes a session of the role, makes a token with the real client and
// asks the API server whose it is; nobody's when it is refused.
func asked(t *testing.T, roleARN, session string) user {
	t.Helper()
	out, err := sts.NewFromConfig(sandbox.AWS(t)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &roleARN, RoleSessionName: &session})
	if err != nil {
		t.Fatal(err)
	}
	review, err := sandbox.Kube(t).AuthenticationV1().TokenReviews().Create(t.Context(),
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token(t, out.Credentials)}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !review.Status.Authenticated {
		return user{}
	}
	groups := slices.DeleteFunc(review.Status.User.Groups, func(g string) bool {
		return g == "system:authenticated" || strings.HasPrefix(g, policyGroup) // EKS's authorizer knows them by the ARN
	})
	return user{review.Status.User.Username, groups}
}

func token(t *testing.T, credentials *ststypes.Credentials) string {
	t.Helper()
	return strings.TrimSpace(sandbox.SecretExec(t, "env",
		"AWS_ACCESS_KEY_ID="+*credentials.AccessKeyId, "AWS_SECRET_ACCESS_KEY="+*credentials.SecretAccessKey, "AWS_SESSION_TOKEN="+*credentials.SessionToken,
		"aws-iam-authenticator", "token", "--token-only", "-i", layout.ClusterName, "--region", layout.Region))
}

// simulated is what `auth simulate` says of the same session.
func simulated(t *testing.T, roleARN, session string) user {
	t.Helper()
	result := sandbox.Exec(t, "kubectl", "eksnodes", "auth", "simulate", roleARN, "--session", session, "-o", "json")
	var out struct {
		Answer struct {
			Outcome, Username string
			Groups            []string
		}
	}
	if err := json.Unmarshal([]byte(result.Stdout), &out); err != nil {
		t.Fatalf("%v in %s", err, result.Stdout)
	}
	if in := out.Answer.Outcome == "mapped"; in != (result.Code == 0) || !in && result.Code != 3 {
		t.Errorf("outcome %q with exit code %d", out.Answer.Outcome, result.Code)
	}
	return user{out.Answer.Username, out.Answer.Groups}
}

// requireAnswer waits until the API server takes the session for the user, and
// then holds the simulation to the same.
func requireAnswer(t *testing.T, roleARN, session string, want user) {
	t.Helper()
	same := func(a, b user) bool { return a.name == b.name && slices.Equal(a.groups, b.groups) }
	harness.Eventually(t, accessEventually, func() error {
		if have := asked(t, roleARN, session); !same(have, want) {
			return fmt.Errorf("the API server takes %s for %+v, want %+v", roleARN, have, want)
		}
		return nil
	})
	if said := simulated(t, roleARN, session); !same(said, want) {
		t.Errorf("%s: simulated as %+v, the API server has %+v", roleARN, said, want)
	}
}

// states are what `auth list` says of each mapping of a role.
func states(t *testing.T, roleARN string) []string {
	t.Helper()
	var list struct {
		Items []struct {
			Spec struct {
				PrincipalARN string `json:"principalARN"`
				Source       string `json:"source"`
			} `json:"spec"`
			Status struct {
				State string `json:"state"`
			} `json:"status"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "list", "-o", "json")), &list); err != nil {
		t.Fatal(err)
	}
	var found []string
	name := roleARN[strings.LastIndexByte(roleARN, '/')+1:]
	for _, item := range list.Items {
		if strings.HasSuffix(item.Spec.PrincipalARN, "/"+name) {
			found = append(found, item.Spec.Source+" "+item.Status.State)
		}
	}
	return found
}

// TestAuth lets people in by aws-auth, moves them to access entries, and puts
// them out again. Each time the real authenticator is asked first, and what
// the plugin simulates has to be the same.
func TestAuth(t *testing.T) {
	ops, dev := makeRole(t, "/team/", "ops"), makeRole(t, "/", "dev")
	add := func(arn string, args ...string) {
		t.Helper()
		sandbox.MustExec(t, append([]string{"kubectl", "eksnodes", "auth", "add", arn, "--yes"}, args...)...)
	}
	nobody := user{}
	requireAnswer(t, ops, "alice", nobody)

	add(ops, "--username", "ops:{{SessionName}}", "--groups", "ops,readers")
	add(dev, "--username", "dev", "--groups", "system:masters")
	requireAnswer(t, ops, "alice", user{"ops:alice", []string{"ops", "readers"}})
	requireAnswer(t, dev, "bob", user{"dev", []string{"system:masters"}})
	if got := states(t, ops); !slices.Equal(got, []string{"mapRoles ok"}) {
		t.Errorf("listed as %v", got)
	}

	plan := sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "migrate", "--dry-run")
	if !strings.Contains(plan, "ONE-WAY") || !strings.Contains(plan, ops) {
		t.Errorf("the plan marks no step as one-way, or loses the path of %s", ops)
	}
	if result := sandbox.Exec(t, "kubectl", "eksnodes", "auth", "migrate", "--yes"); result.Code != 2 {
		t.Errorf("a one-way step was taken unasked: exit %d", result.Code)
	}
	sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "migrate", "--yes", "--accept-one-way")
	requireAnswer(t, ops, "alice", user{"ops:alice", []string{"ops", "readers"}})
	requireAnswer(t, dev, "bob", user{"dev", nil})
	if got := states(t, ops); !slices.Equal(got, []string{"access entry ok", "mapRoles shadowed"}) {
		t.Errorf("listed as %v", got)
	}
	if again := sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "migrate", "--yes"); !strings.Contains(again, "nothing to move") {
		t.Errorf("a second migration says %q", again)
	}

	sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "remove", ops, "--yes")
	requireAnswer(t, ops, "alice", nobody)
	restore(t)
	requireAnswer(t, ops, "alice", user{"ops:alice", []string{"ops", "readers"}})
	if got := states(t, ops); !slices.Equal(got, []string{"mapRoles ok"}) {
		t.Errorf("listed as %v", got)
	}

	// A role made again under its name is another one.
	if _, err := iam.NewFromConfig(sandbox.AWS(t)).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("dev")}); err != nil {
		t.Fatal(err)
	}
	if got := states(t, dev); !slices.Equal(got, []string{"access entry gone", "mapRoles gone"}) {
		t.Errorf("listed as %v", got)
	}
	makeRole(t, "/", "dev")
	if got := states(t, dev); !slices.Equal(got, []string{"access entry stale", "mapRoles ok"}) {
		t.Errorf("listed as %v", got)
	}
	requireAnswer(t, dev, "bob", user{"dev", []string{"system:masters"}})
	sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "remove", dev, "--yes")
}

// restore puts the newest copy of aws-auth back.
func restore(t *testing.T) {
	t.Helper()
	var copies []struct {
		Path  string `json:"path"`
		Roles int    `json:"roles"`
	}
	if err := json.Unmarshal([]byte(sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "restore", "-o", "json")), &copies); err != nil {
		t.Fatal(err)
	}
	if len(copies) == 0 || copies[0].Roles == 0 {
		t.Fatalf("copies: %+v", copies)
	}
	sandbox.MustExec(t, "kubectl", "eksnodes", "auth", "restore", copies[0].Path, "--yes")
}
