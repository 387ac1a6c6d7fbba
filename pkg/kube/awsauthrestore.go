package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
)

// maxBackup bounds what is read as a copy of aws-auth: the API server takes
// objects of about a megabyte and a half.
const maxBackup = 4 << 20

// ActionRestored puts a copy of the map in its place.
const ActionRestored authmap.Action = "restored"

// BackupFile is a copy of aws-auth that an earlier write left.
type BackupFile struct {
	Path    string
	Cluster string // as the file's name has it: other characters than letters, digits, _ and - are _
	SavedAt time.Time
}

// Backups lists the copies of a cluster's aws-auth in a folder ("" means
// DefaultBackupDir), newest first; those of all clusters for "".
func Backups(dir, cluster string) ([]BackupFile, error) {
	if dir == "" {
		var err error
		if dir, err = DefaultBackupDir(); err != nil {
			return nil, fmt.Errorf("list copies of aws-auth: %w", err)
		}
	}
	paths, err := filepath.Glob(filepath.Join(dir, "aws-auth-*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list copies of aws-auth: %w", err)
	}
	var found []BackupFile
	for _, path := range paths {
		file, ok := parseBackupName(path)
		if ok && (cluster == "" || file.Cluster == backupCluster(cluster)) {
			found = append(found, file)
		}
	}
	slices.SortFunc(found, func(a, b BackupFile) int {
		if byTime := b.SavedAt.Compare(a.SavedAt); byTime != 0 {
			return byTime
		}
		return strings.Compare(b.Path, a.Path)
	})
	return found, nil
}

// parseBackupName reads aws-auth-CLUSTER-TIME-RANDOM.yaml.
func parseBackupName(path string) (BackupFile, bool) {
	name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "aws-auth-"), ".yaml")
	parts := strings.Split(name, "-")
	if len(parts) < 3 {
		return BackupFile{}, false
	}
	at, err := time.Parse(backupTime, parts[len(parts)-2])
	if err != nil {
		return BackupFile{}, false
	}
	return BackupFile{Path: path, Cluster: strings.Join(parts[:len(parts)-2], "-"), SavedAt: at}, true
}

// ReadBackup reads a copy of aws-auth and refuses what is none.
func ReadBackup(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read a copy of aws-auth: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxBackup+1))
	if err != nil {
		return nil, fmt.Errorf("read a copy of aws-auth: %w", err)
	}
	if len(text) > maxBackup {
		return nil, fmt.Errorf("%s is too large to be a copy of aws-auth", path)
	}
	data, err := parseBackup(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

func parseBackup(text []byte) (map[string]string, error) {
	var config corev1.ConfigMap
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("not a copy of aws-auth: %w", err)
	}
	if config.Kind != "ConfigMap" || config.Name != AwsAuthName || config.Namespace != AwsAuthNamespace {
		return nil, fmt.Errorf("not a copy of aws-auth: it is %s %s/%s", config.Kind, config.Namespace, config.Name)
	}
	for _, problem := range authmap.Parse(config.Data).Problems {
		if problem.Dropped && problem.Entry < 0 {
			return nil, fmt.Errorf("the authenticator could not read it: %s", problem)
		}
	}
	return config.Data, nil
}

// errMoved says that the map is not what was shown.
var errMoved = errors.New("aws-auth was changed since it was read; nothing was written")

// Restore puts data in the place of aws-auth's, if that is still what was
// shown; nil: there was no map. The map as it is gets a copy of its own first.
func (w *AwsAuthWriter) Restore(ctx context.Context, shown, data map[string]string) (AwsAuthResult, error) {
	return w.edit(ctx, func(have map[string]string) (authmap.Edit, error) {
		if !maps.Equal(have, shown) {
			return authmap.Edit{}, errMoved
		}
		edit := authmap.Edit{Data: maps.Clone(data), Action: ActionRestored}
		if maps.Equal(have, data) {
			edit.Action = authmap.ActionNone
		}
		return edit, nil
	})
}
