package cli

import (
	"context"
	"fmt"
	"strings"
)

// errOtherName is the end of a command whose question was answered by another
// name.
var errOtherName = fmt.Errorf("nothing was done: what was typed is not the name")

// confirmName asks for something that cannot be undone: it is answered by
// typing the name of what goes.
func (s screen) confirmName(ctx context.Context, question, name string) error {
	answer, err := s.ask(ctx, fmt.Sprintf("%s: type its name", question), "--yes")
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(answer) != name:
		return errOtherName
	}
	return nil
}
