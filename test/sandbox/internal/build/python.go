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
	requirements := filepath.Join(b.Source, "moto", "requirements.txt")
	files, err := readAll(requirements)
	if err != nil {
		return "", err
	}
	identity, err := output(ctx, "", "python3", "-c", pythonIdentity)
	if err != nil {
		return "", err
	}
	return b.cache().artefact(ctx, "moto", key(files[0], identity), "installing moto (a minute the first time)",
		func(ctx context.Context, dir string) error {
			if err := run(exec.CommandContext(ctx, "python3", "-m", "venv", dir)); err != nil {
				return err
			}
			return run(exec.CommandContext(ctx, filepath.Join(dir, "bin", "python"),
				"-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "-r", requirements))
		})
}
