package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/supervise"
)

func (a *app) down() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "End the sandbox and remove all that it has left, whatever state it is in",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needRoot(); err != nil {
				return err
			}
			s, err := a.sandbox()
			if err != nil {
				return err
			}
			// An `up` that waits for this sandbox holds the lock: it is ended first, and
			// then gives the lock back.
			ctx := cmd.Context()
			if err := supervise.Kill(ctx, s); err != nil {
				return err
			}
			unlock, err := supervise.Lock(ctx, s)
			if err != nil {
				return err
			}
			if err := errors.Join(supervise.Remove(ctx, s), unlock()); err != nil {
				return err
			}
			a.say("sandbox %s is gone", s.Name)
			return nil
		},
	}
}

func (a *app) status() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the sandbox's parts and nodes; exit code 1 unless all is well",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runStatus(cmd.Context(), output) },
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for machines")
	return cmd
}

func (a *app) runStatus(ctx context.Context, output string) error {
	if output != "" && output != "json" {
		return fmt.Errorf("output %q: want json", output)
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	status, err := client.Status(ctx)
	if err != nil {
		return err
	}
	if output == "json" {
		text, err := json.MarshalIndent(status, "", "  ")
		if err != nil {
			return fmt.Errorf("encode status: %w", err)
		}
		err = a.print("%s\n", text)
		return errors.Join(err, healthy(status))
	}
	return errors.Join(a.printStatus(status), healthy(status))
}

// healthy is an error that sets the exit code when something is not well.
func healthy(s control.Status) error {
	well := s.Phase == control.PhaseReady
	for _, p := range s.Parts {
		well = well && p.Running
	}
	if !well {
		return ExitError(1)
	}
	return nil
}

func (a *app) printStatus(s control.Status) error {
	if err := a.print("sandbox %s: %s\n", s.Name, s.Phase); err != nil {
		return err
	}
	if s.Error != "" {
		if err := a.print("  %s\n", s.Error); err != nil {
			return err
		}
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	table := [][]any{{"PART", "STATE", "PID", "SINCE"}}
	for _, p := range s.Parts {
		state, pid := "running", fmt.Sprint(p.PID)
		if !p.Running {
			state, pid = "ENDED: "+p.Exit, "-"
		}
		table = append(table, []any{p.Name, state, pid, time.Since(p.Since).Round(time.Second)})
	}
	if len(s.Nodes) > 0 {
		table = append(table, []any{"", "", "", ""}, []any{"INSTANCE", "STATE", "PID", "PRIVATE NAME"})
	}
	for _, n := range s.Nodes {
		table = append(table, []any{n.InstanceID, n.State, n.PID, n.PrivateDNSName})
	}
	for _, row := range table {
		if _, err := fmt.Fprintf(w, "%v\t%v\t%v\t%v\n", row...); err != nil {
			return err
		}
	}
	return w.Flush()
}
