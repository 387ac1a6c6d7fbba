//go:build linux

package agentcli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host"
	"github.com/eksnodes/kubectl-eksnodes/pkg/print"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/token"
)

// outputFlag is -o of the commands that print facts.
func outputFlag(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVarP(output, "output", "o", "text", "text, json or yaml")
}

func (a *app) print(output string, document any, text func(io.Writer) error) error {
	switch output {
	case "text":
		return text(a.streams.Out)
	case "json":
		return print.JSON(a.streams.Out, document)
	case "yaml":
		return print.YAML(a.streams.Out, document)
	}
	return usageError{fmt.Errorf("-o %q: use text, json or yaml", output)}
}

func newWhoami(a *app) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Print whom AWS and the cluster take this machine for",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			facts := a.machine(a.root).ReadOnly(cmd.Context(), snapshot.ProbeIdentity, snapshot.ProbeSelfReview)
			shown := whoami{Identity: facts.Identity, SelfReview: facts.SelfReview, Gaps: facts.Gaps}
			if err := a.print(output, shown, shown.text); err != nil {
				return err
			}
			switch {
			case facts.Identity != nil && facts.Identity.Failure != nil, facts.SelfReview != nil && facts.SelfReview.Failure != nil:
				return &verdictError{}
			case facts.Identity == nil || facts.SelfReview == nil:
				return &verdictError{inconclusive: true}
			}
			return nil
		},
	}
	outputFlag(cmd, &output)
	return cmd
}

// whoami is what the command of the name prints.
type whoami struct {
	Identity   *snapshot.HostIdentity   `json:"identity,omitempty"`
	SelfReview *snapshot.HostSelfReview `json:"selfReview,omitempty"`
	Gaps       []snapshot.HostGap       `json:"gaps,omitempty"`
}

func (w whoami) text(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	switch id := w.Identity; {
	case id == nil:
		fmt.Fprintf(table, "AWS\tnot known: %s\n", w.gap(snapshot.ProbeIdentity))
	case id.Failure != nil:
		fmt.Fprintf(table, "AWS\tno: %s\n", id.Failure.Detail)
	default:
		fmt.Fprintf(table, "AWS\t%s\n", id.ARN)
		fmt.Fprintf(table, "mapped as\t%s\n", id.CanonicalARN)
	}
	switch review := w.SelfReview; {
	case review == nil:
		fmt.Fprintf(table, "cluster\tnot known: %s\n", w.gap(snapshot.ProbeSelfReview))
	case review.Failure != nil:
		fmt.Fprintf(table, "cluster\tno: %s\n", review.Failure.Detail)
	default:
		fmt.Fprintf(table, "cluster\t%s\n", review.Username)
		fmt.Fprintf(table, "groups\t%s\n", strings.Join(review.Groups, ", "))
	}
	return table.Flush()
}

func (w whoami) gap(probe snapshot.Probe) string {
	for _, gap := range w.Gaps {
		if gap.Probe == probe {
			return gap.Detail
		}
	}
	return "not asked"
}

const tokenHelp = `Make the token that this machine would show to the cluster, and tell what is in
it. The token itself is printed with --reveal only: for 15 minutes its bearer is
this machine, as far as the cluster can tell.`

func newToken(a *app) *cobra.Command {
	var cluster, output string
	var reveal bool
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Tell what is in the token that this machine shows to the cluster",
		Long:  tokenHelp,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			made, claims, err := a.machine(a.root).Token(cmd.Context(), cluster)
			if err != nil {
				return err
			}
			if reveal {
				_, err := fmt.Fprintln(a.streams.Out, made.Reveal())
				return err
			}
			return a.print(output, claims, func(w io.Writer) error { return claimsText(w, claims) })
		},
	}
	cmd.Flags().StringVar(&cluster, "cluster", "", "cluster to sign for; the kubelet's when not given: `name`")
	cmd.Flags().BoolVar(&reveal, "reveal", false, "print the token itself and nothing else")
	outputFlag(cmd, &output)
	return cmd
}

func claimsText(out io.Writer, c snapshot.TokenClaims) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	kind := "lasting key"
	if c.Temporary {
		kind = "temporary key"
	}
	signed := "no: the header x-k8s-aws-id is not signed"
	if c.ClusterSigned {
		signed = "yes"
	}
	rows := [][2]string{
		{"cluster", c.Cluster}, {"cluster signed", signed}, {"STS", c.Host}, {"region", c.Region},
		{"signed at", c.SignedAt.Format(time.RFC3339)}, {"good until", c.SignedAt.Add(token.Lifetime).Format(time.RFC3339)},
		{"key", fmt.Sprintf("…%s, a %s", c.KeyEnd, kind)}, {"length", fmt.Sprintf("%d of 4096 bytes", c.Length)},
	}
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	return table.Flush()
}

const verifyHelp = `Verify a token by the rules of the cluster's authenticator, and by STS: from a
file, or from standard input with - or without an argument. The token that this
machine makes itself is part of report.

A token as an argument is refused: it would stand in the list of processes and
in the shell's history, and whoever reads it there is its maker for 15 minutes.`

func newVerify(a *app) *cobra.Command {
	var want host.Verification
	var output string
	cmd := &cobra.Command{
		Use:   "verify [FILE|-]",
		Short: "Verify a token by the authenticator's rules and by STS",
		Long:  verifyHelp,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("verify takes one file, got %d arguments", len(args))}
			}
			if len(args) == 1 && token.Looks(args[0]) {
				return usageError{errors.New("a token is not taken as an argument: it would stand in the list of processes and in the shell's history; pipe it in, or name a file. Count this one as known to others for 15 minutes")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			secret, err := a.readToken(args)
			if err != nil {
				return err
			}
			return a.verify(cmd.Context(), secret, want, output)
		},
	}
	cmd.Flags().StringVar(&want.Cluster, "cluster", "", "cluster that it should be for; the kubelet's when not given: `name`")
	cmd.Flags().StringVar(&want.Region, "region", "", "the cluster's region; the machine's when not given")
	outputFlag(cmd, &output)
	return cmd
}

// maxTokenFile bounds what is read: the authenticator takes 4096 bytes, and a
// longer token is to be told so.
const maxTokenFile = 64 << 10

func (a *app) readToken(args []string) (token.Secret, error) {
	in := a.streams.In
	if len(args) == 1 && args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return token.Secret{}, fmt.Errorf("open token: %w", err)
		}
		defer file.Close()
		in = file
	} else if file, ok := in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprintln(a.streams.ErrOut, "paste the token, then end with Enter and Ctrl-D")
	}
	data, err := io.ReadAll(io.LimitReader(in, maxTokenFile))
	if err != nil {
		return token.Secret{}, fmt.Errorf("read token: %w", err)
	}
	return token.Parse(data)
}

// verification is what `verify` prints.
type verification struct {
	Claims   snapshot.TokenClaims  `json:"claims"`
	Rules    []snapshot.TokenRule  `json:"rules"`
	Accepted *bool                 `json:"accepted,omitempty"`
	Identity *token.Identity       `json:"identity,omitempty"`
	Failure  *snapshot.HostFailure `json:"failure,omitempty"`
}

func (a *app) verify(ctx context.Context, secret token.Secret, want host.Verification, output string) error {
	verdict, err := a.machine(a.root).Verify(ctx, secret, want)
	if err != nil {
		return err
	}
	claims, _ := token.Describe(secret) // what can be told of a broken one
	shown := verification{Claims: claims, Rules: verdict.Rules, Accepted: verdict.Accepted(), Identity: verdict.Identity, Failure: verdict.Failure}
	if err := a.print(output, shown, shown.text); err != nil {
		return err
	}
	switch {
	case shown.Accepted == nil:
		return &verdictError{inconclusive: true}
	case !*shown.Accepted:
		return &verdictError{}
	}
	return nil
}

func (v verification) text(out io.Writer) error {
	for _, rule := range v.Rules {
		mark := "ok    "
		if !rule.OK {
			mark = "BROKEN"
		}
		fmt.Fprintf(out, "%s  %-10s  %s\n", mark, rule.Name, rule.Detail)
	}
	switch {
	case v.Identity != nil:
		fmt.Fprintf(out, "ok      STS         it is %s\n                    mapped as %s\n", v.Identity.ARN, v.Identity.CanonicalARN)
	case token.Broken(v.Rules) != nil:
		fmt.Fprintln(out, "        STS         not asked")
	case v.Accepted != nil:
		fmt.Fprintf(out, "REFUSED STS         %s\n", v.Failure.Detail)
	default:
		fmt.Fprintf(out, "unknown STS         %s\n", v.Failure.Detail)
	}
	return nil
}
