// Package nodegroup adds and deletes self-managed node groups.
//
// The work has three parts that do not mix. A [Request] is what the user
// asked for, parsed and typed. [Make] turns it and a snapshot of the cluster
// into a [Plan] without any IO, so that a plan can be shown, judged and
// compared before anything is made. [Adder] and [Deleter] carry a plan out;
// every step of theirs is safe to repeat, so that the same command takes up
// again what was interrupted.
//
// The outside is reached through the small interfaces in ports.go.
package nodegroup
