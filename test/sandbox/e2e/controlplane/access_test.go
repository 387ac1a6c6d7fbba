package controlplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// accessEventually is how long a change may take to reach the authenticator and
// for the API server's cache of reviews to forget.
const accessEventually = 3 * time.Minute

// makeRole makes an IAM role and returns its ARN.
func makeRole(t *testing.T, name string) string {
	t.Helper()
	out, err := iam.NewFromConfig(sandbox.AWS(t)).CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.Role.Arn)
}

// session assumes the role.
func session(t *testing.T, roleARN string) *ststypes.Credentials {
	t.Helper()
	out, err := sts.NewFromConfig(sandbox.AWS(t)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &roleARN, RoleSessionName: aws.String("tester")})
	if err != nil {
		t.Fatal(err)
	}
	return out.Credentials
}

// token is made by the real authenticator's client.
func token(t *testing.T, credentials *ststypes.Credentials, cluster string) string {
	t.Helper()
	out := sandbox.SecretExec(t, "env",
		"AWS_ACCESS_KEY_ID="+*credentials.AccessKeyId, "AWS_SECRET_ACCESS_KEY="+*credentials.SecretAccessKey, "AWS_SESSION_TOKEN="+*credentials.SessionToken,
		"aws-iam-authenticator", "token", "--token-only", "-i", cluster, "--region", layout.Region)
	return strings.TrimSpace(out)
}

// who asks the API server who a token is; "" when it is refused.
func who(t *testing.T, token string) string {
	t.Helper()
	review, err := sandbox.Kube(t).AuthenticationV1().TokenReviews().Create(t.Context(),
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !review.Status.Authenticated {
		return ""
	}
	return review.Status.User.Username
}

// requireUser waits until a fresh token of the session belongs to the user.
func requireUser(t *testing.T, credentials *ststypes.Credentials, want string) {
	t.Helper()
	harness.Eventually(t, accessEventually, func() error {
		if have := who(t, token(t, credentials, layout.ClusterName)); have != want {
			return fmt.Errorf("the API server takes the token for %q, want %q", have, want)
		}
		return nil
	})
}

func setMode(t *testing.T, mode ekstypes.AuthenticationMode) {
	t.Helper()
	if _, err := eks.NewFromConfig(sandbox.AWS(t)).UpdateClusterConfig(t.Context(), &eks.UpdateClusterConfigInput{
		Name: aws.String(layout.ClusterName), AccessConfig: &ekstypes.UpdateAccessConfigRequest{AuthenticationMode: mode},
	}); err != nil {
		t.Fatal(err)
	}
}

func makeEntry(t *testing.T, roleARN, username string) {
	t.Helper()
	if _, err := eks.NewFromConfig(sandbox.AWS(t)).CreateAccessEntry(t.Context(), &eks.CreateAccessEntryInput{
		ClusterName: aws.String(layout.ClusterName), PrincipalArn: &roleARN, Username: &username,
	}); err != nil {
		t.Fatal(err)
	}
}

// TestAccess walks a cluster through its three modes and asks the API server,
// each time, who the holder of a role is.
func TestAccess(t *testing.T) {
	mapped, other := makeRole(t, "in-the-map"), makeRole(t, "in-both")
	inMap, inBoth := session(t, mapped), session(t, other)
	t.Cleanup(func() { deleteMap(t) })
	writer := kube.AwsAuthWriter{ConfigMaps: sandbox.Kube(t).CoreV1().ConfigMaps(kube.AwsAuthNamespace), Cluster: layout.ClusterName, BackupDir: t.TempDir()}
	for arn, user := range map[string]string{mapped: "mapped", other: "from-map"} {
		if _, err := writer.AddRole(t.Context(), authmap.Entry{RoleARN: arn, Username: user, Groups: []string{"testers"}}); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("CONFIG_MAP reads aws-auth", func(t *testing.T) {
		requireUser(t, inMap, "mapped")
		requireUser(t, inBoth, "from-map")
	})
	t.Run("a token for another cluster is refused", func(t *testing.T) {
		if user := who(t, token(t, inMap, "another")); user != "" {
			t.Errorf("taken for %q", user)
		}
	})
	t.Run("a token of a wrong secret is refused", func(t *testing.T) {
		forged := *inMap
		forged.SecretAccessKey = aws.String("wrong")
		if user := who(t, token(t, &forged, layout.ClusterName)); user != "" {
			t.Errorf("taken for %q", user)
		}
	})
	t.Run("an entry cannot be made in CONFIG_MAP", func(t *testing.T) {
		_, err := eks.NewFromConfig(sandbox.AWS(t)).CreateAccessEntry(t.Context(), &eks.CreateAccessEntryInput{ClusterName: aws.String(layout.ClusterName), PrincipalArn: &other})
		var refused *ekstypes.InvalidRequestException
		if !errors.As(err, &refused) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("API_AND_CONFIG_MAP reads both and the entry wins", func(t *testing.T) {
		setMode(t, ekstypes.AuthenticationModeApiAndConfigMap)
		makeEntry(t, other, "from-entry")
		requireUser(t, inBoth, "from-entry")
		requireUser(t, inMap, "mapped")
	})
	t.Run("API ignores aws-auth", func(t *testing.T) {
		setMode(t, ekstypes.AuthenticationModeApi)
		requireUser(t, inMap, "")
		requireUser(t, inBoth, "from-entry")
	})
	t.Run("a role made again under the same name is not the entry's", func(t *testing.T) {
		if _, err := iam.NewFromConfig(sandbox.AWS(t)).DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("in-both")}); err != nil {
			t.Fatal(err)
		}
		again := makeRole(t, "in-both")
		if again != other {
			t.Fatalf("made as %s, was %s", again, other)
		}
		requireUser(t, session(t, again), "")
	})
	t.Run("nothing was asked that the sandbox cannot answer", func(t *testing.T) {
		var calls []json.RawMessage
		if err := json.Unmarshal([]byte(sandbox.Driver(t, "calls", "--unimplemented", "-o", "json")), &calls); err != nil || len(calls) > 0 {
			t.Errorf("%v %s", err, calls)
		}
	})
}
