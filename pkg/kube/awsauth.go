package kube

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// Where EKS keeps the map of IAM roles and users.
const (
	AwsAuthNamespace = "kube-system"
	AwsAuthName      = "aws-auth"
)

// ConfigMaps is what editing aws-auth takes of the API; client-go's
// CoreV1().ConfigMaps(AwsAuthNamespace) meets it.
type ConfigMaps interface {
	Get(ctx context.Context, name string, opts metav1.GetOptions) (*corev1.ConfigMap, error)
	Create(ctx context.Context, config *corev1.ConfigMap, opts metav1.CreateOptions) (*corev1.ConfigMap, error)
	Update(ctx context.Context, config *corev1.ConfigMap, opts metav1.UpdateOptions) (*corev1.ConfigMap, error)
}

// DryRun says how far an edit goes.
type DryRun string

// The words of kubectl's --dry-run.
const (
	DryRunNone   DryRun = "none"   // write
	DryRunClient DryRun = "client" // compute the edit only
	DryRunServer DryRun = "server" // send it, to be admitted and checked but not stored
)

// AwsAuthWriter edits aws-auth. Every write is guarded by the resourceVersion
// of the map that the edit was computed from; when somebody else was faster,
// the edit is computed anew.
type AwsAuthWriter struct {
	ConfigMaps ConfigMaps
	Cluster    string // part of the backup's name
	BackupDir  string // made when it is not there; "" means DefaultBackupDir
	DryRun     DryRun // "" means DryRunNone

	retry wait.Backoff // the zero value means awsAuthRetry
}

// AwsAuthResult is what an edit did.
type AwsAuthResult struct {
	authmap.Edit
	Created bool   // there was no aws-auth
	Backup  string // file with the map as it was; "" when nothing was overwritten
}

// AddRole maps a role; a role that is mapped already gets the groups that lack.
// See authmap.AddRole for what is refused.
func (w *AwsAuthWriter) AddRole(ctx context.Context, entry authmap.Entry) (AwsAuthResult, error) {
	return w.edit(ctx, func(data map[string]string) (authmap.Edit, error) { return authmap.AddRole(data, entry) })
}

// RemoveRole takes out what AddRole put in, and no more. An absent map is no
// error.
func (w *AwsAuthWriter) RemoveRole(ctx context.Context, entry authmap.Entry) (AwsAuthResult, error) {
	return w.edit(ctx, func(data map[string]string) (authmap.Edit, error) { return authmap.RemoveRole(data, entry) })
}

// SettleRole makes the map say of a role what the entry says, once; see
// authmap.SettleRole.
func (w *AwsAuthWriter) SettleRole(ctx context.Context, entry authmap.Entry, instead string) (AwsAuthResult, error) {
	return w.edit(ctx, func(data map[string]string) (authmap.Edit, error) { return authmap.SettleRole(data, entry, instead) })
}

type awsAuthEdit func(data map[string]string) (authmap.Edit, error)

// awsAuthRetry lets some fifty writers through, of whom only one wins at a
// time: without jitter they would go on meeting each other.
func awsAuthRetry() wait.Backoff {
	return wait.Backoff{Steps: 80, Duration: 50 * time.Millisecond, Factor: 1, Jitter: 6}
}

func (w *AwsAuthWriter) edit(ctx context.Context, compute awsAuthEdit) (AwsAuthResult, error) {
	backup := &backup{dir: w.BackupDir, cluster: w.Cluster}
	var result AwsAuthResult
	lost := func(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }
	backoff := w.retry
	if backoff.Steps == 0 {
		backoff = awsAuthRetry()
	}
	err := retry.OnError(backoff, lost, func() error {
		var err error
		result, err = w.tryEdit(ctx, compute, backup)
		return err
	})
	switch {
	case err != nil && (lost(err) || apierrors.IsForbidden(err) || apierrors.IsInvalid(err)):
		return AwsAuthResult{}, errors.Join(err, backup.discard())
	case err != nil:
		return AwsAuthResult{}, backup.explain(err)
	}
	if !result.Changed() {
		// An earlier try lost against somebody who made the same change.
		if err := backup.discard(); err != nil {
			return AwsAuthResult{}, err
		}
	}
	result.Backup = backup.path
	return result, nil
}

// tryEdit reads, computes and writes once.
func (w *AwsAuthWriter) tryEdit(ctx context.Context, compute awsAuthEdit, backup *backup) (AwsAuthResult, error) {
	config, err := w.ConfigMaps.Get(ctx, AwsAuthName, metav1.GetOptions{})
	absent := apierrors.IsNotFound(err)
	if err != nil && !absent {
		return AwsAuthResult{}, wrap("get configmaps kube-system/aws-auth", err)
	}
	if absent {
		config = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: AwsAuthNamespace, Name: AwsAuthName}}
	}
	edit, err := compute(config.Data)
	result := AwsAuthResult{Edit: edit, Created: absent && edit.Changed()}
	if err != nil || !edit.Changed() || w.DryRun == DryRunClient {
		return result, err
	}
	old := config.DeepCopy()
	config.Data = edit.Data
	if absent {
		_, err = w.ConfigMaps.Create(ctx, config, metav1.CreateOptions{DryRun: w.dryRun(), FieldManager: product.Binary})
		return result, wrap("create configmaps kube-system/aws-auth", err)
	}
	if w.DryRun != DryRunServer {
		if err := backup.save(old); err != nil {
			return result, err
		}
	}
	_, err = w.ConfigMaps.Update(ctx, config, metav1.UpdateOptions{DryRun: w.dryRun(), FieldManager: product.Binary})
	if apierrors.IsNotFound(err) {
		// Deleted since it was read: as good as changed.
		err = apierrors.NewConflict(corev1.Resource("configmaps"), AwsAuthName, err)
	}
	return result, wrap("update configmaps kube-system/aws-auth", err)
}

func (w *AwsAuthWriter) dryRun() []string {
	if w.DryRun == DryRunServer {
		return []string{metav1.DryRunAll}
	}
	return nil
}
