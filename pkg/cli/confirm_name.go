package cli

import (
	"context"
	"errors"
	"strings"
)

// errOtherName is the end of a command whose question was answered by another
// name.
var errOtherName = errors.New("nothing was done: what was typed is not the name")

// confirmName asks for something that cannot be undone: it is answered by
// typing the name of what goes.
func (s screen) confirmName(ctx context.Context, question, name string) error {
	if !s.asks {
		return usagef("%s? stdin is no terminal to type its name on: say --yes", question)
	}
	answer, err := s.ask(ctx, question+"? Type its name:")
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(answer) != name:
		return errOtherName
	}
	return nil
}
