package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// takesEscapes has a console of Windows read escape sequences as terminals do.
// It does not unless told, and one that is too old cannot be told.
func takesEscapes(file *os.File) bool {
	console := windows.Handle(file.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
