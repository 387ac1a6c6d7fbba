package gather

import (
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// NoFile is the error of a source that reads from collected files where one
// is missing.
type NoFile struct {
	Name    string // path in the evidence directory
	Command string // what fills it; "" when nothing simple does
	// Optional files fill sections that only some checks gain by: without
	// them these do not apply.
	Optional bool
}

// Error names the file.
func (e *NoFile) Error() string { return "the evidence has no " + e.Name }

// GapReason says that nobody collected it.
func (e *NoFile) GapReason() snapshot.GapReason {
	if e.Optional {
		return snapshot.GapNotAsked
	}
	return snapshot.GapNoFile
}

// GapFix is the command that fills the file.
func (e *NoFile) GapFix() string {
	if e.Command == "" {
		return ""
	}
	return e.Command + " > " + e.Name
}

// BadFile is the error of a source whose file cannot be understood.
type BadFile struct {
	Name string
	Line int // 1-based; 0 when it is not known
	Err  error
}

// Error names the file and the line.
func (e *BadFile) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err)
}

// Unwrap returns what is wrong with it.
func (e *BadFile) Unwrap() error { return e.Err }

// GapReason says that something was there.
func (e *BadFile) GapReason() snapshot.GapReason { return snapshot.GapInvalid }

// GapFix knows of nothing.
func (e *BadFile) GapFix() string { return "" }
