package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/print"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// diagnose says on stderr what the doctor finds wrong with a group whose
// machines did not join. What it could not read it leaves to the doctor: the
// error that is printed after it says what is known anyway.
func (a *app) diagnose(ctx context.Context, session *session, group string, err error) {
	var notJoined *nodegroup.NotJoinedError
	if !errors.As(err, &notJoined) || ctx.Err() != nil {
		return
	}
	// The machines themselves are the doctor's to ask: it takes a yes, or flags
	// that this command does not have.
	flags := &doctorFlags{failOn: "fail", agent: agentFlags{agent: agentNever}}
	doctor := &doctorCommand{
		app: a, session: session, flags: flags, checks: check.Standing(), subjects: []string{group},
	}
	verdict, err := doctor.look(ctx)
	if err != nil {
		return
	}
	verdict.Findings = slices.DeleteFunc(verdict.Findings, func(f report.Finding) bool { return f.Status != report.Fail })
	s := a.screen
	if len(verdict.Findings) == 0 {
		s.say("nothing that was read tells why; ask the machines themselves: %s doctor %s --agent %s", product.Command, group, agentAlways)
		return
	}
	verdict.Count()
	s.say("")
	if err := print.Text(s.err, verdict, print.Options{Width: s.width, Color: s.colour}); err != nil {
		return
	}
	s.say("more: %s doctor %s", product.Command, group)
}
