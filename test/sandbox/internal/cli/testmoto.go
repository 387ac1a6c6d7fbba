package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/build"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// testMoto runs the tests of the repairs to moto, which need no sandbox.
func (a *app) testMoto() *cobra.Command {
	return &cobra.Command{
		Use:   "test-moto [-- PYTEST-ARGUMENT...]",
		Short: "Run the tests of the repairs to moto",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			_, cache, err := layout.Bases(os.Getenv)
			if err != nil {
				return err
			}
			source, err := build.FindSource(".")
			if err != nil {
				return err
			}
			venv, err := build.Builder{Source: source, Cache: cache, Progress: a.say}.PythonTests(ctx)
			if err != nil {
				return err
			}
			args = append([]string{"-m", "pytest", "-p", "no:cacheprovider"}, args...)
			pytest := exec.CommandContext(ctx, filepath.Join(venv, "bin", "python"), args...)
			pytest.Dir = filepath.Join(source, "moto")
			pytest.Env = []string{
				"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + os.TempDir(), "LANG=C.UTF-8",
				"PYTHONDONTWRITEBYTECODE=1", "AWS_EC2_METADATA_DISABLED=true",
			}
			pytest.Stdout, pytest.Stderr = a.stdout, a.stderr
			err = pytest.Run()
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return ExitError(exit.ExitCode())
			}
			if err != nil {
				return fmt.Errorf("run pytest: %w", err)
			}
			return nil
		},
	}
}
