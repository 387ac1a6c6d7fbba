package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// completionFile is the program that kubectl (1.26 and later) asks for
// completions of a plugin.
const completionFile = "kubectl_complete-" + product.PluginName

// completionShim is the file that kubectl finds by that name on a system, and
// its text: it hands the question on to the plugin. Windows runs nothing
// without one of the endings that it knows.
func completionShim(goos string) (file, script string) {
	if goos == "windows" {
		return completionFile + ".cmd", "@" + product.Command + " __complete %*\r\n"
	}
	return completionFile, "#!/bin/sh\nexec " + product.Command + " __complete \"$@\"\n"
}

const completionHelp = `Print the script by which kubectl completes this plugin's commands and flags,
or install it beside the plugin.

kubectl 1.26 and later run a program named ` + completionFile + ` for that; it
must be on PATH, and kubectl's own completion must be set up in your shell.`

func newCompletion(app *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "completion",
		Short:   "Print or install the script by which kubectl completes this plugin",
		Long:    completionHelp,
		Example: "  " + product.Command + " completion install",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, script := completionShim(runtime.GOOS)
			_, err := fmt.Fprint(app.streams.Out, script)
			return err
		},
	}
	var dir string
	install := &cobra.Command{
		Use:   "install [flags]",
		Short: "Write the script into a folder on PATH",
		Long: `Write ` + completionFile + ` into the folder that holds the plugin, or into
--dir. A file of another content is left alone.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if dir == "" {
				plugin, err := exec.LookPath(product.Binary)
				if err != nil {
					return fmt.Errorf("find the plugin on PATH: %w: name a folder by --dir", err)
				}
				dir = filepath.Dir(plugin)
			}
			name, script := completionShim(runtime.GOOS)
			file := filepath.Join(dir, name)
			if err := installCompletion(file, script); err != nil {
				return err
			}
			app.screen.say("%s is in place", file)
			return nil
		},
	}
	install.Flags().StringVar(&dir, "dir", "", "`folder` on PATH (default: the plugin's)")
	cmd.AddCommand(install)
	return cmd
}

func installCompletion(file, script string) error {
	have, err := os.ReadFile(file)
	switch {
	case err == nil && string(have) == script:
		return nil
	case err == nil:
		return fmt.Errorf("%s exists and is not ours: move it away first", file)
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("install completion: %w", err)
	}
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		return fmt.Errorf("install completion: %w", err)
	}
	return nil
}

// completeWords makes a flag complete to fixed words.
func completeWords(cmd *cobra.Command, flags map[string]string) {
	for name, words := range flags {
		// The only error is a flag that is not there, which a test finds.
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(strings.Fields(words), cobra.ShellCompDirectiveNoFileComp))
	}
}
