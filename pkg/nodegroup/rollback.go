package nodegroup

import (
	"errors"
	"fmt"
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

// settingsBefore are those that a rollback goes back to. When the last change
// of the template was a rollback, it is gone on with: nothing changes.
func settingsBefore(current *snapshot.TemplateVersion, versions []snapshot.TemplateVersion, history []StackEvent) (map[string]string, error) {
	if strings.HasPrefix(lastChange(history), tokenRollback) {
		return nil, nil
	}
	before := versionBefore(current, versions)
	if before == nil {
		return nil, errors.New("there is nothing to go back to: the launch template has no earlier version that differs")
	}
	now, want := settingsOf(&current.Launch), settingsOf(&before.Launch)
	same := true
	for parameter, value := range want {
		if now[parameter] == value {
			continue
		}
		same = false
	}
	if same {
		return nil, fmt.Errorf("version %d of the launch template differs from %d in what no parameter of the stack sets: update the stack with its template of then", before.Number, current.Number)
	}
	return want, nil
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
