package build

import (
	"context"
	"os/exec"
	"path/filepath"
)

// pythonIdentity prints what a virtual environment depends on besides its packages.
const pythonIdentity = "import sys, platform; print(sys.version, sys.base_prefix, platform.machine())"

// python makes the virtual environment with moto.
func (b Builder) python(ctx context.Context) (string, error) {
	return b.venv(ctx, "moto", "installing moto (a minute the first time)", "moto/requirements.txt")
}

// awsCLI makes the virtual environment with the AWS CLI.
func (b Builder) awsCLI(ctx context.Context) (string, error) {
	return b.venv(ctx, "awscli", "installing the AWS CLI", "awscli/requirements.txt")
}

// PythonTests makes the virtual environment with moto and what tests its repairs.
func (b Builder) PythonTests(ctx context.Context) (string, error) {
	if err := b.packages(ctx); err != nil {
		return "", err
	}
	return b.venv(ctx, "moto-test", "installing moto and its tests (a minute the first time)", "moto/requirements.txt", "moto/requirements-test.txt")
}

// venv makes a virtual environment from files of pinned requirements below Source. It is used by
// its python only: the other programs in it hold the path that it was made under.
func (b Builder) venv(ctx context.Context, name, what string, requirements ...string) (string, error) {
	install := []string{"-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet",
		"--no-deps"} // the requirements are locked in full: there is nothing to resolve
	var paths []string
	for _, r := range requirements {
		path := filepath.Join(b.Source, r)
		paths = append(paths, path)
		install = append(install, "-r", path)
	}
	texts, err := readAll(paths...)
	if err != nil {
		return "", err
	}
	identity, err := output(ctx, "", "python3", "-c", pythonIdentity)
	if err != nil {
		return "", err
	}
	return b.cache().artefact(ctx, name, key(append(texts, identity)...), what, func(ctx context.Context, dir string) error {
		if err := run(exec.CommandContext(ctx, "python3", "-m", "venv", dir)); err != nil {
			return err
		}
		return run(exec.CommandContext(ctx, filepath.Join(dir, "bin", "python"), install...))
	})
}
