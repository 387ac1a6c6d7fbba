//go:build linux

package agentcli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/print"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/version"
)

func newReport(a *app) *cobra.Command {
	var compact bool
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Print one JSON document of all facts and findings, at most 64 KiB",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			facts := a.machine(a.root).Read(cmd.Context())
			document := hostreport.New(version.Current().Version, facts, judge(&facts).Findings)
			var out bytes.Buffer // whole or not at all
			encode := document.Encode
			if compact {
				encode = document.EncodeCompact
			}
			if err := encode(&out); err != nil {
				return err
			}
			_, err := a.streams.Out.Write(out.Bytes())
			return err
		},
	}
	cmd.Flags().BoolVar(&compact, "compact", false, "one line of at most 16 KiB, without findings, for a narrow channel")
	return cmd
}

const doctorHelp = `Read all facts of this machine and judge them by the same rules as
%s doctor, as far as they need nothing but the machine.

The exit code is 0 when nothing fails, 3 when something does, 4 when nothing
does but a fact that is needed could not be read.`

func newDoctor(a *app) *cobra.Command {
	var opts print.Options
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong with this machine, and how to mend it",
		Long:  fmt.Sprintf(doctorHelp, product.Command),
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.doctor(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.Short, "short", false, "one line for each cause, to paste")
	cmd.Flags().BoolVarP(&opts.Verbose, "verbose", "v", false, "what passes too")
	cmd.Flags().BoolVar(&opts.ASCII, "ascii", false, "print nothing but ASCII")
	return cmd
}

func (a *app) doctor(ctx context.Context, opts print.Options) error {
	facts := a.machine(a.root).Read(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	verdict := judge(&facts)
	if file, ok := a.streams.Out.(*os.File); ok {
		opts.Color = term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	verdict.Machines = report.Machines{} // whether it is Ready is not the machine's to say
	fmt.Fprintf(a.streams.Out, "%s\n\n", heading(&facts))
	if err := print.Text(a.streams.Out, verdict, opts); err != nil {
		return err
	}
	switch counts := verdict.Counts; {
	case counts.Fail > 0:
		return &verdictError{}
	case counts.Unknown > 0:
		return &verdictError{inconclusive: true}
	}
	return nil
}

// heading says which machine this is.
func heading(facts *snapshot.Host) string {
	line := "this machine"
	if s := facts.System; s != nil {
		line = strings.Join(nonEmpty(s.InstanceID, s.Hostname, s.OS), ", ")
	}
	if facts.Kubeconfig != nil && facts.Kubeconfig.Exec != nil && facts.Kubeconfig.Exec.Cluster != "" {
		line += ": to be a node of cluster " + facts.Kubeconfig.Exec.Cluster
	}
	return line
}

func nonEmpty(words ...string) []string {
	return slices.DeleteFunc(words, func(word string) bool { return word == "" })
}

// judge runs the rules over this machine alone: what the cloud and the
// cluster say was not asked for.
func judge(facts *snapshot.Host) report.Report {
	snap := &snapshot.Snapshot{CollectedAt: facts.CollectedAt}
	id := "this machine"
	if facts.System != nil {
		id = cmp.Or(facts.System.InstanceID, id)
	}
	if facts.IMDS != nil {
		snap.Target.Region = facts.IMDS.Region
	}
	if facts.Kubeconfig != nil && facts.Kubeconfig.Exec != nil {
		snap.Target.ClusterName = facts.Kubeconfig.Exec.Cluster
	}
	snap.AddNodes(snapshot.Node{InstanceID: id, Host: facts})
	for section := range snapshot.Permissions() {
		if section != snapshot.SectionHost {
			snap.Gaps = append(snap.Gaps, snapshot.Gap{Section: section, Reason: snapshot.GapNotAsked, Detail: "not asked from a machine"})
		}
	}
	return check.Run(snap, check.Standing())
}
