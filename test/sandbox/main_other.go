//go:build !linux

// Command sandbox needs Linux.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintf(os.Stderr, "sandbox: it is made of Linux namespaces, cgroups and mounts, and does not run on %s: use a Linux machine or virtual machine\n", runtime.GOOS)
	os.Exit(1)
}
