package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// goTools builds the tool directives of one of the pinned modules.
func (b Builder) goTools(ctx context.Context, module, ldflags, what string) (string, error) {
	source := filepath.Join(b.Source, module)
	version, err := output(ctx, "", "go", "env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", err
	}
	files, err := readAll(filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum"))
	if err != nil {
		return "", err
	}
	k := key(append(files, version, ldflags)...)
	return b.cache().artefact(ctx, module, k, what, func(ctx context.Context, dir string) error {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", dir+"/", "tool")
		cmd.Dir = source
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
		if err := run(cmd); err != nil {
			return err
		}
		return nameEtcd(dir)
	})
}

// nameEtcd gives etcd its name: go build takes it from the package's path,
// go.etcd.io/etcd/server/v3.
func nameEtcd(dir string) error {
	err := os.Rename(filepath.Join(dir, "server"), filepath.Join(dir, "etcd"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // a module without etcd
	}
	return err
}

// outputTail is how much of a failed build's output stands in the error.
const outputTail = 4000

// run runs a command and puts the end of its output into the error.
func run(cmd *exec.Cmd) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		text := bytes.TrimSpace(out.Bytes())
		text = text[max(0, len(text)-outputTail):]
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args[:min(3, len(cmd.Args))], " "), err, text)
	}
	return nil
}

func output(ctx context.Context, dir string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(exit.Stderr))
		}
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(out), nil
}
