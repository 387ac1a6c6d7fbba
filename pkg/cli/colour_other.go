//go:build !windows

package cli

import "os"

// takesEscapes is for Windows only: see there.
func takesEscapes(*os.File) bool { return true }
