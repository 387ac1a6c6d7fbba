package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// errDeclined is the end of a command whose question was not answered by yes.
var errDeclined = errors.New("nothing was done: the question was not answered by yes")

// advice is printed below an error: a label and what to say.
type advice struct{ label, text string }

// explain prints an error and what to do next.
func (a *app) explain(err error) {
	s := a.screen
	var interrupted *nodegroup.InterruptedError
	if errors.As(err, &interrupted) {
		s.say("\ninterrupted; nothing is undone")
		a.advise(
			advice{"done", orNothing(interrupted.Done)},
			advice{"under way", underWay(interrupted)},
			advice{"not done", orNothing(interrupted.Left)},
			advice{"go on", a.again()},
		)
		return
	}
	var late *nodegroup.DeadlineError
	if errors.As(err, &late) {
		s.fail(late.Error())
		a.advise(
			advice{"done", orNothing(late.Progress.Done)},
			advice{"under way", underWay(&late.Progress)},
			advice{"not done", orNothing(late.Progress.Left)},
			advice{"go on", a.again()},
		)
		return
	}
	if exitCode(err) == exitInterrupted {
		s.say("\ninterrupted; nothing was made")
		return
	}
	var stack *nodegroup.StackError
	var blocked *nodegroup.BlockedError
	var notJoined *nodegroup.NotJoinedError
	var stopped *upgradeStopped
	var differs *differsError
	var verdict *verdictError
	var remote *remoteError
	switch {
	case errors.As(err, &verdict): // the report has said it
	case errors.As(err, &remote): // the command on the machine has
	case errors.As(err, &blocked):
		a.explainBlocked(blocked)
	case errors.As(err, &stopped):
		a.explainStopped(stopped)
	case errors.As(err, &stack):
		a.explainStack(stack)
	case errors.As(err, &notJoined):
		a.explainNotJoined(notJoined)
	case errors.As(err, &differs):
		a.explainDiffers(differs)
	default:
		s.fail(err.Error())
	}
}

func underWay(err *nodegroup.InterruptedError) string {
	if err.UnderWay == "" {
		return ""
	}
	return err.UnderWay + ": AWS goes on with it"
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// advise prints advice in two columns.
func (a *app) advise(rows ...advice) {
	for _, row := range rows {
		if row.text == "" {
			continue
		}
		text := row.text
		if !strings.HasPrefix(text, product.Command) && !strings.HasPrefix(text, "aws ") && !strings.HasPrefix(text, "kubectl ") {
			text = strings.TrimLeft(fill(text, labelWidth+4, a.screen.width), " ")
		}
		a.screen.say("  %-*s  %s", labelWidth, row.label, text)
	}
}

// again is the command line as it was typed.
func (a *app) again() string {
	words := []string{product.Command}
	for _, arg := range a.args {
		words = append(words, quote(arg))
	}
	return strings.Join(words, " ")
}

// quote makes a word safe to paste into a shell.
func quote(word string) string {
	safe := func(r rune) bool {
		return !strings.ContainsRune("%+,-./:=@_", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if word != "" && strings.IndexFunc(word, safe) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// explainStack says which resource failed first: what failed after it was
// only cancelled.
func (a *app) explainStack(err *nodegroup.StackError) {
	state := "is gone"
	if err.Stack != nil {
		state = "is " + err.Stack.Status
	}
	a.screen.say("\n%s stack %s %s", a.screen.paint(red, "error:"), err.Name, state)
	if err.First != nil {
		a.advise(
			advice{"failed", err.First.Resource + " (" + err.First.ResourceType + ") " + err.First.Status},
			advice{"reason", err.First.Reason},
		)
	} else if err.Stack != nil {
		a.advise(advice{"reason", err.Stack.Reason})
	}
	switch {
	case err.Stack == nil || err.Stack.Status == "DELETE_COMPLETE":
		a.advise(advice{"left", "nothing"}, advice{"next", "remove the reason, then: " + a.again()})
	case strings.HasPrefix(err.Stack.Status, "DELETE"):
		a.advise(
			advice{"left", "the stack with what could not be deleted"},
			advice{"next", "remove the reason, then:"},
			advice{"", a.again()},
		)
	case strings.HasPrefix(err.Stack.Status, "UPDATE"):
		a.advise(
			advice{"left", "the group as it was before"},
			advice{"next", "remove the reason, then:"},
			advice{"", a.again()},
		)
	default:
		a.advise(
			advice{"left", "the stack, empty or in part; it can only be deleted"},
			advice{"clean up", "aws cloudformation delete-stack --stack-name " + err.Name},
			advice{"go on", "remove the reason, then the same command deletes it and starts anew:"},
			advice{"", a.again()},
		)
	}
}

// explainBlocked says what keeps a stack, and how it goes on.
func (a *app) explainBlocked(err *nodegroup.BlockedError) {
	a.screen.say("\n%s stack %s is %s: its security group %s is used", a.screen.paint(red, "error:"), err.Stack.Name, err.Stack.Stack.Status, err.Blocking.GroupID)
	for _, line := range err.Blocking.Lines() {
		a.screen.say("%s", fill(line, 2, a.screen.width))
	}
	if err.Declined != nil {
		a.advise(advice{"next", "what the VPC CNI left behind and the rules of other groups can be removed for you:"}, advice{"", a.again() + " --remove-blockers"})
		return
	}
	a.advise(advice{"next", "take away what uses it, then:"}, advice{"", a.again()})
}

func (a *app) explainDiffers(err *differsError) {
	a.screen.say("%s node group %s exists with other settings; nothing was changed", a.screen.paint(red, "error:"), err.plan.Group)
	for _, difference := range err.plan.Differences {
		a.screen.say("  %s: is %s, asked for was %s", difference.Setting, difference.Have, difference.Want)
	}
	a.advise(advice{"next", "repeat the command with the settings the group has, or choose another name; scale changes a group's sizes, " +
		"upgrade -f all else that its file says"})
}

// explainNotJoined says for every instance how far it came.
func (a *app) explainNotJoined(err *nodegroup.NotJoinedError) {
	s := a.screen
	s.say("\n%s %s", s.paint(red, "error:"), notJoinedHeadline(err))
	if err.Launch != nil {
		a.advise(
			advice{"reason", launchReason(err)},
			advice{"left", "the stack and the mapping; the group goes on trying"},
			advice{"next", "remove the reason, then go on: " + a.again()},
		)
	}
	a.explainMembers(err)
	if err.Launch == nil {
		a.advise(advice{"go on", a.again()})
	}
}

// explainMembers says how far each instance came, and where to look.
func (a *app) explainMembers(err *nodegroup.NotJoinedError) {
	s := a.screen
	var example nodegroup.Member
	for _, member := range err.Members {
		if member.Stage == nodegroup.StageReady {
			continue
		}
		s.say("  %-20s %-11s %s", member.InstanceID, member.State,
			strings.TrimLeft(fill(member.Reason, 35, s.width), " "))
		example = member
	}
	switch {
	case example.Stage == nodegroup.StageRunning && example.InstanceID != "":
		a.advise(advice{"look", "what the machine says of itself, a few minutes after boot:"},
			advice{"", "aws ec2 get-console-output --latest --output text --instance-id " + example.InstanceID})
	case example.Stage == nodegroup.StageRegistered:
		a.advise(advice{"look", "kubectl describe node " + example.Node})
	}
}

// explainStopped says how far an upgrade came, and both ways on.
func (a *app) explainStopped(err *upgradeStopped) {
	var notJoined *nodegroup.NotJoinedError
	reason := err.Cause.Error()
	joining := errors.As(err.Cause, &notJoined)
	if joining {
		reason = notJoinedHeadline(notJoined)
		if notJoined.Launch != nil {
			reason += ": " + launchReason(notJoined)
		}
	}
	a.screen.say("\n%s the upgrade of node group %s is paused: %s", a.screen.paint(red, "error:"), err.Group, strings.TrimLeft(fill(reason, 2, a.screen.width), " "))
	if joining {
		a.explainMembers(notJoined)
	}
	if len(err.Cordoned) > 0 {
		a.advise(advice{"cordoned", strings.Join(err.Cordoned, ", ")})
	}
	a.advise(
		advice{"done", fmt.Sprintf("%d replaced, %d left, which serve as before", err.Replaced, err.Left)},
		advice{"go on", "remove the reason, then:"},
		advice{"", a.again()},
	)
	if len(err.back) > 0 {
		words := []string{product.Command}
		for _, arg := range err.back {
			words = append(words, quote(arg))
		}
		a.advise(advice{"go back", strings.Join(words, " ")})
	}
}

func notJoinedHeadline(err *nodegroup.NotJoinedError) string {
	if err.Launch != nil {
		return "the Auto Scaling group cannot launch instances"
	}
	ready := 0
	for _, member := range err.Members {
		if member.Stage == nodegroup.StageReady {
			ready++
		}
	}
	return fmt.Sprintf("%d of %d nodes are Ready after %s", ready, err.Desired, nodegroup.Span(err.Waited))
}

func launchReason(err *nodegroup.NotJoinedError) string {
	if err.Launch.Message != "" {
		return err.Launch.Message
	}
	return err.Launch.Description
}
