package kube

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// DefaultBackupDir is where copies of aws-auth are kept: below
// $XDG_STATE_HOME, else ~/.local/state, on Windows below the local
// application data.
func DefaultBackupDir() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	switch {
	case filepath.IsAbs(base):
	case runtime.GOOS == "windows":
		dir, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		base = dir
	default:
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, product.Binary, "aws-auth"), nil
}

// backup is one file with aws-auth as it was before a write, in a form that
// `kubectl apply -f` or `kubectl replace -f` takes.
type backup struct {
	dir, cluster string
	path         string // "" until saved
}

// save writes the map, again into the same file when an earlier write lost.
// The file is its owner's alone: the map tells who may come in.
func (b *backup) save(config *corev1.ConfigMap) error {
	text, err := backupText(config)
	if err != nil {
		return fmt.Errorf("save a copy of aws-auth: %w", err)
	}
	if b.path == "" {
		if err := b.create(); err != nil {
			return fmt.Errorf("save a copy of aws-auth: %w", err)
		}
	}
	if err := os.WriteFile(b.path, text, 0o600); err != nil {
		return fmt.Errorf("save a copy of aws-auth: %w", err)
	}
	return nil
}

// create makes the empty file under a name that nobody else has.
func (b *backup) create() error {
	dir := b.dir
	if dir == "" {
		var err error
		if dir, err = DefaultBackupDir(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	name := fmt.Sprintf("aws-auth-%s-%s-*.yaml", backupCluster(b.cluster), time.Now().UTC().Format(backupTime))
	file, err := os.CreateTemp(dir, name)
	if err != nil {
		return err
	}
	b.path = file.Name()
	return file.Close()
}

// backupTime is how a file's name says when it was written.
const backupTime = "20060102T150405Z"

// backupCluster is a cluster's name as part of a file's name.
func backupCluster(name string) string {
	return regexp.MustCompile(`[^A-Za-z0-9_-]+`).ReplaceAllString(name, "_")
}

// discard removes the file when nothing was overwritten after all.
func (b *backup) discard() error {
	if b.path == "" {
		return nil
	}
	path := b.path
	b.path = ""
	return os.Remove(path)
}

// explain names the copy in the error of a write whose outcome is not known.
func (b *backup) explain(err error) error {
	if b.path == "" {
		return err
	}
	return fmt.Errorf("%w (a copy of aws-auth as it was is in %s)", err, b.path)
}

// backupText keeps what belongs to the map and drops what belongs to the
// stored object, such as its resourceVersion.
func backupText(config *corev1.ConfigMap) ([]byte, error) {
	return yaml.Marshal(&corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: config.Namespace, Name: config.Name,
			Labels: config.Labels, Annotations: config.Annotations,
		},
		Data: config.Data, BinaryData: config.BinaryData, Immutable: config.Immutable,
	})
}
