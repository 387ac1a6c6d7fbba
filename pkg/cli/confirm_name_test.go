package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestConfirmName: only the name is a yes.
func TestConfirmName(t *testing.T) {
	for answer, want := range map[string]error{
		"demo\n": nil, "  demo\n": nil, "demo": nil, "y\n": errOtherName, "yes\n": errOtherName, "Demo\n": errOtherName, "demo2\n": errOtherName, "\n": errOtherName, "": errOtherName,
	} {
		s := screen{in: strings.NewReader(answer), err: io.Discard, asks: true}
		if err := s.confirmName(t.Context(), "delete cluster demo", "demo"); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%q: %v, want %v", answer, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	read, _ := io.Pipe() // nobody answers
	if err := (screen{in: read, err: io.Discard, asks: true}).confirmName(ctx, "delete", "demo"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	var usage usageError
	if err := (screen{}).confirmName(t.Context(), "delete", "demo"); !errors.As(err, &usage) {
		t.Errorf("without a terminal: %v", err)
	}
}
