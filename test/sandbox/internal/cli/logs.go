package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

func (a *app) logs() *cobra.Command {
	return &cobra.Command{
		Use:   "logs [PART]",
		Short: "Print a part's log, or the list of logs",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.sandbox()
			if err != nil {
				return err
			}
			all, err := logNames(s)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return a.print("%s\n", strings.Join(all, "\n"))
			}
			f, err := os.Open(s.Log(filepath.Base(args[0])))
			if err != nil {
				return fmt.Errorf("no log of %q: there are %s", args[0], strings.Join(all, ", "))
			}
			_, err = io.Copy(a.stdout, f)
			if cerr := f.Close(); err == nil {
				err = cerr
			}
			return err
		},
	}
}

func logNames(s layout.Sandbox) ([]string, error) {
	files, err := filepath.Glob(s.Log("*"))
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".log"))
	}
	return names, nil
}

// tailSize is how much of each log is shown of a start that failed.
const tailSize = 1200

// tailLogs shows the ends of all logs, before they are removed.
func (a *app) tailLogs(s layout.Sandbox) {
	names, err := logNames(s)
	if err != nil {
		return // there is an error already, which this was to explain
	}
	for _, name := range names {
		text, err := os.ReadFile(s.Log(name))
		if err != nil || len(text) == 0 {
			continue
		}
		a.say("--- %s\n%s", name, text[max(0, len(text)-tailSize):])
	}
}
