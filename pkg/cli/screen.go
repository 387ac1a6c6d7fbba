package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
)

// defaultWidth is what lines are laid out for when stderr is no terminal.
const defaultWidth = 80

// screen writes progress and asks questions. Everything goes to stderr.
type screen struct {
	in       io.Reader
	err      io.Writer
	colour   bool // stderr is a terminal and NO_COLOR is not set
	terminal bool // stderr is one
	asks     bool // stdin is a terminal
	width    int
	now      func() time.Time
}

func newScreen(streams Streams) screen {
	s := screen{in: streams.In, err: streams.ErrOut, width: defaultWidth, now: time.Now}
	if in, ok := streams.In.(*os.File); ok {
		s.asks = term.IsTerminal(int(in.Fd()))
	}
	if out, ok := streams.ErrOut.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
		s.terminal = true
		s.colour = coloured(out)
		if width, _, err := term.GetSize(int(out.Fd())); err == nil && width >= defaultWidth {
			s.width = width
		}
	}
	return s
}

// say prints one line of advice or progress.
func (s screen) say(format string, args ...any) { fmt.Fprintf(s.err, format+"\n", args...) }

// fail prints an error. A terminal gets it in lines of its width; a log gets
// it whole, so that it can be searched for.
func (s screen) fail(text string) {
	for i, line := range strings.Split(text, "\n") {
		label := s.paint(red, "error:")
		if i > 0 {
			label = "      "
		}
		if s.terminal {
			line = strings.TrimLeft(fill(line, len("error: "), s.width), " ")
		}
		s.say("%s %s", label, line)
	}
}

// The few colours: red for what failed, green for what is done.
const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
	bold  = "\x1b[1m"
	reset = "\x1b[0m"
)

func (s screen) paint(colour, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return colour + text + reset
}

// confirm asks a question that is answered by yes. Without a terminal it
// does not ask: what the user would have confirmed is said by --yes.
func (s screen) confirm(ctx context.Context, question string) error {
	return s.confirmBy(ctx, question, "--yes")
}

// confirmBy is confirm for a question that another flag answers.
func (s screen) confirmBy(ctx context.Context, question, flag string) error {
	if !s.asks {
		return usagef("%s? stdin is no terminal to answer on: say %s", question, flag)
	}
	answer, err := s.ask(ctx, question+"? [y/N]")
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errDeclined
}

// ask returns the line that a question is answered by.
func (s screen) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprintf(s.err, "%s ", question)
	answers := make(chan string, 1)
	go func() { // stays behind when the user interrupts: a read of a terminal cannot be called off
		answer, err := bufio.NewReader(s.in).ReadString('\n')
		if err != nil && err != io.EOF {
			answer = ""
		}
		answers <- answer
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case answer := <-answers:
		return answer, nil
	}
}

// progress prints steps as lines:
//
//	0:07  stack    NodeGroup                   CREATE_COMPLETE
//	1:10  node     i-0123456789abcdef0         Ready  ip-10-0-1-23.ec2.internal
type progress struct {
	screen screen
	start  time.Time
	mu     sync.Mutex
}

func (s screen) progress() *progress { return &progress{screen: s, start: s.now()} }

// subjectWidth is that of an instance id with room, and of most logical ids.
const subjectWidth = 27

// indent is where a detail goes that does not fit on its step's line.
const indent = 16

// Report prints a step.
func (p *progress) Report(step nodegroup.Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if step.Topic == "diff" {
		p.diff(step.Detail)
		return
	}
	elapsed := p.screen.now().Sub(p.start).Round(time.Second)
	line := fmt.Sprintf("%3d:%02d  %-8s ", int(elapsed.Minutes()), int(elapsed.Seconds())%60, step.Topic)
	if step.Subject != "" {
		line += fmt.Sprintf("%-*s ", subjectWidth, step.Subject)
	}
	plain := line + step.State
	line += p.screen.paint(colourOf(step), step.State)
	switch {
	case step.Detail == "":
	case len(plain)+2+len(step.Detail) <= p.screen.width:
		line += "  " + step.Detail
	default:
		line += "\n" + fill(step.Detail, indent, p.screen.width)
	}
	fmt.Fprintln(p.screen.err, strings.TrimRight(line, " "))
}

func colourOf(step nodegroup.Step) string {
	switch {
	case step.Bad:
		return red
	case step.State == "Ready", strings.HasSuffix(step.State, "_COMPLETE"):
		return green
	}
	return ""
}

func (p *progress) diff(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		colour := ""
		switch {
		case strings.HasPrefix(line, "+"):
			colour = green
		case strings.HasPrefix(line, "-"):
			colour = red
		}
		p.screen.say("%*s%s", indent, "", p.screen.paint(colour, line))
	}
}

// fill breaks a text into indented lines of at most width columns. A word
// that is longer than a line stays whole, so that it can be copied.
func fill(text string, indent, width int) string {
	var out strings.Builder
	room := width - indent
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
			fmt.Fprintf(&out, "%*s", indent, "")
		case column+1+len(word) > room:
			fmt.Fprintf(&out, "\n%*s", indent, "")
			column = 0
		default:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += len(word)
	}
	return out.String()
}
