package controlplane

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

const writers = 50

// theirs is a map as people keep it: comments, flow style, Identity Center
// entries, another key.
var theirs = map[string]string{
	"mapRoles": "# the platform team's, please ask before editing\r\n" +
		"- rolearn: arn:aws:iam::111122223333:role/ci   # deploys\r\n" +
		"  username: ci\r\n" +
		"  groups: [deployers]\r\n" +
		"- {sso: {permissionSetName: admin, accountID: '111122223333'}, username: admin, groups: [admins]}\r\n",
	"mapUsers":    "- userarn: arn:aws:iam::111122223333:user/bob\n  username: bob\n  groups:\n  - viewers\n",
	"mapAccounts": "[]\n",
	"notes":       "kept by hand\n",
}

func role(i int) authmap.Entry {
	return authmap.NodeEntry(fmt.Sprintf("arn:aws:iam::%s:role/writer-%02d", layout.Account, i))
}

// TestWriters has fifty writers edit one aws-auth at once, through the real
// API server's conflicts: first all add, then all remove. No entry is lost and
// in the end every byte is as it was.
func TestWriters(t *testing.T) {
	maps := sandbox.Kube(t).CoreV1().ConfigMaps(kube.AwsAuthNamespace)
	if _, err := maps.Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "aws-auth", Labels: map[string]string{"team": "platform"}}, Data: theirs,
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deleteMap(t) })
	writer := kube.AwsAuthWriter{ConfigMaps: maps, Cluster: layout.ClusterName, BackupDir: t.TempDir()}

	together(t, func(ctx context.Context, i int) error { _, err := writer.AddRole(ctx, role(i)); return err })
	full, err := maps.Get(t.Context(), "aws-auth", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range writers {
		if arn := role(i).RoleARN; strings.Count(full.Data["mapRoles"], arn+"\r\n") != 1 {
			t.Errorf("%s stands %d times in the map", arn, strings.Count(full.Data["mapRoles"], arn+"\r\n"))
		}
	}
	if !strings.HasPrefix(full.Data["mapRoles"], theirs["mapRoles"]) {
		t.Errorf("what stood before is changed:\n%s", full.Data["mapRoles"])
	}

	together(t, func(ctx context.Context, i int) error { _, err := writer.RemoveRole(ctx, role(i)); return err })
	after, err := maps.Get(t.Context(), "aws-auth", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for key, text := range theirs {
		if after.Data[key] != text {
			t.Errorf("%s is %q, was %q", key, after.Data[key], text)
		}
	}
	if len(after.Data) != len(theirs) || after.Labels["team"] != "platform" {
		t.Errorf("keys or labels are changed: %v %v", after.Data, after.Labels)
	}
}

func together(t *testing.T, edit func(ctx context.Context, i int) error) {
	t.Helper()
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			if err := edit(t.Context(), i); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	all.Wait()
}

// deleteMap takes the map away again: the tests share one cluster.
func deleteMap(t *testing.T) {
	if err := sandbox.Kube(t).CoreV1().ConfigMaps(kube.AwsAuthNamespace).Delete(context.Background(), "aws-auth", metav1.DeleteOptions{}); err != nil {
		t.Errorf("delete aws-auth: %v", err)
	}
}
