// Package ssm plays the parts of AWS Systems Manager that reach into an
// instance: its inventory (DescribeInstanceInformation) and Run Command.
package ssm

// Result is the outcome of a script that Run Command ran in an instance.
type Result struct {
	ExitCode       int
	Stdout, Stderr []byte
	// TimedOut says that the script was ended at its execution timeout.
	TimedOut bool
}
