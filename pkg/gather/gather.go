// Package gather runs the readers of a snapshot: in order of what they need,
// in parallel where they can, each with a deadline, and turns every failure
// into a gap with its reason.
package gather
