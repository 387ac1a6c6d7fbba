package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/access"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

const authSimulateHelp = `Say what the cluster's authenticator would answer to somebody: the username and
groups, by which mapping, or why it would refuse.

Somebody is an ARN of a role, a session, a user or an instance profile, the id
of an instance, or the name of a node. A role that machines come with is asked
as one of them; --session names another session.

The exit code is 0 when the answer is yes, 3 when it is no, and 4 when a fact
is missing that could change it.`

const authSimulateExamples = `  %[1]s auth simulate arn:aws:iam::111122223333:role/team/admin
  %[1]s auth simulate arn:aws:iam::111122223333:role/team/admin --session alice
  %[1]s auth simulate i-0123456789abcdef0 -o json`

func newAuthSimulate(app *app, conn *connection) *cobra.Command {
	var output, session string
	cmd := &cobra.Command{
		Use:     "simulate ARN|INSTANCE|NODE [flags]",
		Short:   "Say what the cluster would answer to a role, a user or a machine",
		Long:    authSimulateHelp,
		Example: fmt.Sprintf(authSimulateExamples, product.Command),
		Args:    onePrincipal,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output, "json", "yaml"); err != nil {
				return err
			}
			return app.simulate(cmd.Context(), conn, args[0], session, output)
		},
	}
	section(cmd, "Output", func(flags *pflag.FlagSet) {
		flags.StringVar(&session, "session", "", "`name` of the role's session (default: a machine's, else any)")
		flags.StringVarP(&output, "output", "o", "", "json or yaml")
	})
	completeWords(cmd, map[string]string{"output": "json yaml"})
	return cmd
}

// simulation is what `auth simulate` prints as json and yaml.
type simulation struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Cluster    string          `json:"cluster"`
	Mode       string          `json:"authenticationMode"`
	ARN        string          `json:"arn"` // as STS would tell it
	Answer     *answerDocument `json:"answer"`
	Notes      []string        `json:"notes,omitempty"`
}

func (a *app) simulate(ctx context.Context, conn *connection, who, sessionName, output string) error {
	s, err := conn.open(ctx)
	if err != nil {
		return err
	}
	view, err := a.readAccess(ctx, s)
	if err != nil {
		return err
	}
	subject, err := view.Find(who, sessionName)
	if err != nil {
		return usageError{err}
	}
	answer := view.AskAbout(subject)
	if output == "" {
		writeAnswer(a.streams.Out, view, subject, answer)
	} else if err := printData(a.streams.Out, output, simulation{
		APIVersion: report.APIVersion, Kind: "AccessSimulation", Cluster: s.cluster, Mode: string(view.Snap.Cluster.AuthMode),
		ARN: subject.Identity.ARN, Answer: answerData(answer), Notes: subject.Notes,
	}); err != nil {
		return err
	}
	if answer.In() {
		return nil
	}
	return &verdictError{inconclusive: !answer.Known()}
}

// writeAnswer prints an answer in lines.
func writeAnswer(w io.Writer, view access.View, subject access.Subject, answer access.Answer) {
	row := func(label, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %-*s  %s\n", labelWidth, label, strings.TrimLeft(fill(text, labelWidth+4, defaultWidth), " "))
		}
	}
	fmt.Fprintln(w, subject.Identity.ARN)
	switch {
	case !answer.Known():
		row("answer", "not known: "+answer.Unknown)
	case answer.In():
		row("answer", "let in")
		row("username", answer.Username)
		row("groups", orNone(strings.Join(answer.Groups, ", ")))
		row("by", answerPlace(answer))
	default:
		row("answer", "refused: "+string(answer.Outcome))
		row("why", answer.Reason)
	}
	row("mode", string(view.Snap.Cluster.AuthMode))
	for _, note := range append(subject.Notes, answer.Notes...) {
		row("note", note)
	}
}

func answerPlace(answer access.Answer) string {
	if answer.Line > 0 {
		return fmt.Sprintf("aws-auth, %s line %d", answer.Source, answer.Line)
	}
	return string(answer.Source)
}
