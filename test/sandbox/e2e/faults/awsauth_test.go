package faults

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// awsAuth is the cluster's ConfigMap aws-auth, to which faults that are tried
// at the same time add their own lines.
type awsAuth struct {
	mu    sync.Mutex
	lines map[string]string // of mapRoles, by group
}

// set writes a group's lines; "" takes them out. Without any there is no map.
func (m *awsAuth) set(t *testing.T, group, lines string) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lines == nil {
		m.lines = map[string]string{}
	}
	m.lines[group] = lines
	if lines == "" {
		delete(m.lines, group)
	}
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m.lines)) {
		all.WriteString(m.lines[name])
	}
	must(t, write(context.WithoutCancel(t.Context()), t, all.String()))
}

func write(ctx context.Context, t *testing.T, mapRoles string) error {
	maps := sandbox.Kube(t).CoreV1().ConfigMaps("kube-system")
	if mapRoles == "" {
		if err := maps.Delete(ctx, "aws-auth", metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		return nil
	}
	whole := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "aws-auth"}, Data: map[string]string{"mapRoles": mapRoles}}
	_, err := maps.Update(ctx, whole, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(ctx, whole, metav1.CreateOptions{})
	}
	return err
}
