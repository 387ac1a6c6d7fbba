package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// coloured reports whether a stream is a terminal that shows colours, and that
// the user has nothing against them (https://no-color.org).
func coloured(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && takesEscapes(file)
}
