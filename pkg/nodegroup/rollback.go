package nodegroup

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// tokenRollback and tokenUpgrade begin the request tokens of stack updates.
// The stack's events keep them, and so tell whether a rollback is under way,
// which the versions alone do not: A, B, A may be a rollback or a third wish.
const (
	tokenUpgrade  = "upgrade-"
	tokenRollback = "rollback-"
)

// Rollback finds what a rollback of a group goes back to: the newest version of
// its launch template before the current one that differs. It is nil when the
// last change of the template was a rollback already, which is gone on with.
// template says that parameters of the stack alone do not lead there.
func Rollback(group *snapshot.Group, versions []snapshot.TemplateVersion, history []StackEvent) (target *snapshot.TemplateVersion, template bool, err error) {
	current, err := currentVersion(group, versions)
	if err != nil {
		return nil, false, err
	}
	if strings.HasPrefix(lastChange(history), tokenRollback) {
		if !slices.ContainsFunc(versions, func(v snapshot.TemplateVersion) bool { return v.Number < current.Number && v.Digest == current.Digest }) {
			return nil, false, fmt.Errorf("the last rollback made version %d of the launch template, which is like none before it: -f with the settings of then goes back", current.Number)
		}
		return nil, false, nil
	}
	if target = versionBefore(current, versions); target == nil {
		return nil, false, errors.New("there is nothing to go back to: the launch template has no earlier version that differs")
	}
	return target, current.Rest != target.Rest, nil
}

// goBack takes up what a rollback changes.
func (p *UpgradePlan) goBack(stack *snapshot.Stack, target *snapshot.TemplateVersion, template bool, remade *Remade) error {
	if target == nil {
		return nil
	}
	p.target = target
	switch {
	case !template:
		return p.change(stack, settingsOf(&target.Launch))
	case remade == nil:
		return fmt.Errorf("version %d of the launch template differs from %d in what no parameter of the stack sets, and the stack keeps no settings of then: -f with the settings of then goes back", target.Number, p.Version)
	case remade.Plan.UserData != target.Launch.UserData:
		return fmt.Errorf("the settings that the stack keeps of before do not make version %d of the launch template again: -f with the settings of then goes back", target.Number)
	}
	p.remake(remade, stack)
	return nil
}

// versionBefore is the newest version before the current one that differs from
// it; nil when there is none. versions are in the order of their numbers.
func versionBefore(current *snapshot.TemplateVersion, versions []snapshot.TemplateVersion) *snapshot.TemplateVersion {
	for i := len(versions) - 1; i >= 0; i-- {
		if versions[i].Number < current.Number && versions[i].Digest != current.Digest {
			return &versions[i]
		}
	}
	return nil
}

// lastChange is the token of the last upgrade or rollback of the stack that
// came to its end well, "" when there was none. history is oldest first.
func lastChange(history []StackEvent) string {
	for i := len(history) - 1; i >= 0; i-- {
		event := &history[i]
		ours := strings.HasPrefix(event.Token, tokenUpgrade) || strings.HasPrefix(event.Token, tokenRollback)
		if ours && isStackItself(event) && event.Status == "UPDATE_COMPLETE" {
			return event.Token
		}
	}
	return ""
}
