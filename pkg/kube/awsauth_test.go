package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
)

const (
	adminItem = "# people\n- rolearn: arn:aws:iam::111122223333:role/Admin\n  username: admin\n  groups: [system:masters]\n"
	nodesRole = "arn:aws:iam::111122223333:role/team/nodes"
)

func awsAuth(data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: AwsAuthNamespace, Name: AwsAuthName, ResourceVersion: "1",
			Labels: map[string]string{"team": "a"}, Annotations: map[string]string{"note": "b"},
		},
		Data:       data,
		BinaryData: map[string][]byte{"blob": {0, 1, 2}},
	}
}

// cluster is client-go's fake with the one rule of a real API server that
// matters here: an update must carry the stored resourceVersion.
type cluster struct {
	*fake.Clientset
	mu     sync.Mutex
	writes int
	// interfere is called before each write, with the number of writes so far.
	interfere func(writes int) error
}

func newCluster(t *testing.T, objects ...runtime.Object) *cluster {
	t.Helper()
	c := &cluster{Clientset: fake.NewClientset(objects...)}
	c.PrependReactor("update", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
		config := action.(clienttesting.UpdateAction).GetObject().(*corev1.ConfigMap).DeepCopy()
		return c.write(config, func() error {
			stored, err := c.Tracker().Get(action.GetResource(), config.Namespace, config.Name)
			if err != nil {
				return err
			}
			version := stored.(*corev1.ConfigMap).ResourceVersion
			if config.ResourceVersion != version {
				return apierrors.NewConflict(corev1.Resource("configmaps"), config.Name, errors.New("the object has been modified"))
			}
			n, err := strconv.Atoi(version)
			if err != nil {
				return err
			}
			config.ResourceVersion = strconv.Itoa(n + 1)
			return c.Tracker().Update(action.GetResource(), config, config.Namespace)
		})
	})
	c.PrependReactor("create", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
		config := action.(clienttesting.CreateAction).GetObject().(*corev1.ConfigMap).DeepCopy()
		config.ResourceVersion = "1"
		return c.write(config, func() error {
			return c.Tracker().Create(action.GetResource(), config, config.Namespace)
		})
	})
	return c
}

func (c *cluster) write(config *corev1.ConfigMap, store func() error) (bool, runtime.Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interfere != nil {
		if err := c.interfere(c.writes); err != nil {
			c.writes++
			return true, nil, err
		}
	}
	c.writes++
	if err := store(); err != nil {
		return true, nil, err
	}
	return true, config, nil
}

// replace changes the stored map behind the writer's back.
func (c *cluster) replace(t *testing.T, data map[string]string, version string) {
	t.Helper()
	config := awsAuth(data)
	config.ResourceVersion = version
	if err := c.Tracker().Update(corev1.SchemeGroupVersion.WithResource("configmaps"), config, config.Namespace); err != nil {
		t.Error(err)
	}
}

func (c *cluster) stored(t *testing.T) *corev1.ConfigMap {
	t.Helper()
	config, err := c.CoreV1().ConfigMaps(AwsAuthNamespace).Get(t.Context(), AwsAuthName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func (c *cluster) writer(t *testing.T) *AwsAuthWriter {
	t.Helper()
	return &AwsAuthWriter{
		ConfigMaps: c.CoreV1().ConfigMaps(AwsAuthNamespace), Cluster: "prod/eu west",
		BackupDir: filepath.Join(t.TempDir(), "new", "dir"),
	}
}

func files(t *testing.T, w *AwsAuthWriter) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(w.BackupDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAddRoleKeepsEverythingElseAndABackup(t *testing.T) {
	before := map[string]string{authmap.KeyRoles: strings.ReplaceAll(adminItem, "\n", "\r\n"), "mapUsers": "[]", "other": "x\ty \n"}
	c := newCluster(t, awsAuth(before))
	w := c.writer(t)
	result, err := w.AddRole(t.Context(), authmap.NodeEntry(nodesRole))
	if err != nil {
		t.Fatal(err)
	}
	want := awsAuth(result.Data)
	want.ResourceVersion = "2"
	got := c.stored(t)
	got.ManagedFields = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if result.Action != authmap.ActionAdded || result.Created || !strings.Contains(result.Diff(), "+- rolearn: arn:aws:iam::111122223333:role/nodes") {
		t.Errorf("result %+v\n%s", result, result.Diff())
	}
	checkBackup(t, result.Backup, before)
	removed, err := w.RemoveRole(t.Context(), authmap.NodeEntry(nodesRole))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, c.stored(t).Data); diff != "" || removed.Action != authmap.ActionRemoved {
		t.Errorf("%+v\n%s", removed, diff)
	}
	if removed.Backup == result.Backup {
		t.Error("the second backup replaced the first")
	}
}

func checkBackup(t *testing.T, path string, data map[string]string) {
	t.Helper()
	if !strings.HasPrefix(filepath.Base(path), "aws-auth-prod_eu_west-20") {
		t.Errorf("backup is called %q", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("backup has mode %v", info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got corev1.ConfigMap
	if err := yaml.UnmarshalStrict(text, &got); err != nil {
		t.Fatal(err)
	}
	want := awsAuth(data)
	want.ResourceVersion = ""
	want.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Error(diff)
	}
}

func TestAddRoleCreatesAnAbsentMap(t *testing.T) {
	c := newCluster(t)
	w := c.writer(t)
	result, err := w.AddRole(t.Context(), authmap.NodeEntry(nodesRole))
	if err != nil {
		t.Fatal(err)
	}
	roles := authmap.Parse(c.stored(t).Data).Roles
	if len(roles) != 1 || !result.Created || result.Backup != "" || len(files(t, w)) != 0 {
		t.Errorf("result %+v, roles %+v", result, roles)
	}
}

func TestRemoveRoleFromAnAbsentMapDoesNothing(t *testing.T) {
	c := newCluster(t)
	result, err := c.writer(t).RemoveRole(t.Context(), authmap.NodeEntry(nodesRole))
	if err != nil || result.Changed() || c.writes != 0 {
		t.Errorf("result %+v, %v, %d writes", result, err, c.writes)
	}
}

func TestAddRoleTwiceWritesOnce(t *testing.T) {
	c := newCluster(t, awsAuth(nil))
	w := c.writer(t)
	for range 2 {
		if _, err := w.AddRole(t.Context(), authmap.NodeEntry(nodesRole)); err != nil {
			t.Fatal(err)
		}
	}
	if c.writes != 1 || len(files(t, w)) != 1 {
		t.Errorf("%d writes, backups %v", c.writes, files(t, w))
	}
}

func TestAddRoleStartsOverWhenSomebodyWasFaster(t *testing.T) {
	theirs := map[string]string{authmap.KeyRoles: adminItem + "# theirs\n"}
	t.Run("changed", func(t *testing.T) {
		c := newCluster(t, awsAuth(map[string]string{authmap.KeyRoles: adminItem}))
		c.interfere = func(writes int) error {
			if writes == 0 {
				c.replace(t, theirs, "7")
			}
			return nil
		}
		w := c.writer(t)
		result, err := w.AddRole(t.Context(), authmap.NodeEntry(nodesRole))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.stored(t).Data[authmap.KeyRoles]; !strings.HasPrefix(got, theirs[authmap.KeyRoles]+"- rolearn:") {
			t.Errorf("their change is lost: %q", got)
		}
		checkBackup(t, result.Backup, theirs)
		if len(files(t, w)) != 1 {
			t.Errorf("backups %v", files(t, w))
		}
	})
	t.Run("made the same change", func(t *testing.T) {
		done, err := authmap.AddRole(theirs, authmap.NodeEntry(nodesRole))
		if err != nil {
			t.Fatal(err)
		}
		c := newCluster(t, awsAuth(theirs))
		c.interfere = func(writes int) error {
			c.replace(t, done.Data, "7")
			return nil
		}
		w := c.writer(t)
		result, err := w.AddRole(t.Context(), authmap.NodeEntry(nodesRole))
		if err != nil || result.Changed() || result.Backup != "" || len(files(t, w)) != 0 {
			t.Errorf("result %+v, %v, backups %v", result, err, files(t, w))
		}
	})
	t.Run("created", func(t *testing.T) {
		c := newCluster(t)
		c.interfere = func(writes int) error {
			if writes > 0 {
				return nil
			}
			return c.Tracker().Add(awsAuth(theirs))
		}
		result, err := c.writer(t).AddRole(t.Context(), authmap.NodeEntry(nodesRole))
		if err != nil || result.Created || len(authmap.Parse(c.stored(t).Data).Roles) != 2 {
			t.Errorf("result %+v, %v", result, err)
		}
	})
	t.Run("deleted", func(t *testing.T) {
		c := newCluster(t, awsAuth(theirs))
		c.interfere = func(writes int) error {
			if writes > 0 {
				return nil
			}
			return c.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("configmaps"), AwsAuthNamespace, AwsAuthName)
		}
		result, err := c.writer(t).AddRole(t.Context(), authmap.NodeEntry(nodesRole))
		if err != nil || !result.Created || len(authmap.Parse(c.stored(t).Data).Roles) != 1 {
			t.Errorf("result %+v, %v", result, err)
		}
	})
}

func TestFiftyWritersLoseNothing(t *testing.T) {
	const writers = 50
	c := newCluster(t, awsAuth(map[string]string{authmap.KeyRoles: adminItem}))
	w := c.writer(t)
	roles := func() int { return len(authmap.Parse(c.stored(t).Data).Roles) }
	all := func(do func(context.Context, authmap.Entry) (AwsAuthResult, error)) {
		var group sync.WaitGroup
		for i := range writers {
			group.Go(func() {
				if _, err := do(t.Context(), authmap.NodeEntry(fmt.Sprintf("%s-%d", nodesRole, i))); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	all(w.AddRole)
	if got := roles(); got != writers+1 {
		t.Errorf("%d roles after %d writers", got, writers)
	}
	all(w.RemoveRole)
	if got := c.stored(t).Data[authmap.KeyRoles]; got != adminItem {
		t.Errorf("after as many removals: %q", got)
	}
}

func TestDryRun(t *testing.T) {
	for mode, want := range map[DryRun][]string{DryRunClient: nil, DryRunServer: {metav1.DryRunAll}} {
		t.Run(string(mode), func(t *testing.T) {
			c := newCluster(t, awsAuth(map[string]string{authmap.KeyRoles: adminItem}))
			w := c.writer(t)
			w.DryRun = mode
			result, err := w.AddRole(t.Context(), authmap.NodeEntry(nodesRole))
			if err != nil {
				t.Fatal(err)
			}
			if result.Action != authmap.ActionAdded || result.Diff() == "" || result.Backup != "" || len(files(t, w)) != 0 {
				t.Errorf("result %+v", result)
			}
			var sent []string
			for _, action := range c.Actions() {
				if update, ok := action.(clienttesting.UpdateActionImpl); ok {
					sent = append(sent, update.UpdateOptions.DryRun...)
				}
			}
			if diff := cmp.Diff(want, sent); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEditErrors(t *testing.T) {
	tests := map[string]struct {
		roles   string
		fails   error
		kind    Kind
		message string
		backups int
	}{
		"unreadable map": {"- a: b: c\n", nil, "", "mapRoles line 1: mapping values are not allowed in this context: the authenticator reads nothing of it; repair it first", 0},
		"denied": {adminItem, apierrors.NewForbidden(corev1.Resource("configmaps"), AwsAuthName, errors.New("no")),
			Denied, "access denied: update configmaps kube-system/aws-auth", 0},
		"lost for ever": {adminItem, apierrors.NewConflict(corev1.Resource("configmaps"), AwsAuthName, errors.New("no")),
			Conflict, "update configmaps kube-system/aws-auth: ", 0},
		"no answer": {adminItem, http.ErrHandlerTimeout, Other, "(a copy of aws-auth as it was is in ", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, awsAuth(map[string]string{authmap.KeyRoles: test.roles}))
			c.interfere = func(int) error { return test.fails }
			w := c.writer(t)
			w.retry = wait.Backoff{Steps: 3, Duration: time.Millisecond}
			result, err := w.AddRole(t.Context(), authmap.NodeEntry(nodesRole))
			if err == nil || !strings.Contains(err.Error(), test.message) || result.Changed() && result.Action != "" {
				t.Errorf("result %+v, error %v", result, err)
			}
			if test.kind != "" && !IsKind(err, test.kind) {
				t.Errorf("error %v is not %q", err, test.kind)
			}
			if got := files(t, w); len(got) != test.backups {
				t.Errorf("backups %v", got)
			}
			if got := c.stored(t).Data[authmap.KeyRoles]; got != test.roles {
				t.Errorf("map is %q", got)
			}
		})
	}
}

func TestDefaultBackupDir(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/var/tmp/state")
	if dir, err := DefaultBackupDir(); err != nil || dir != "/var/tmp/state/kubectl-eksnodes/aws-auth" {
		t.Errorf("got %q, %v", dir, err)
	}
	t.Setenv("XDG_STATE_HOME", "not/absolute")
	t.Setenv("HOME", "/home/ann")
	if dir, err := DefaultBackupDir(); err != nil || dir != "/home/ann/.local/state/kubectl-eksnodes/aws-auth" {
		t.Errorf("got %q, %v", dir, err)
	}
}
