// Package supervise runs one sandbox: the supervisor is the first process of
// its own namespaces, every other part is its child, and so everything ends
// with it.
package supervise
