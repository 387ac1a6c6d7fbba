// Package release looks at a release as those who install it do: the archives
// are opened, compared with a second build, and installed through Krew with a
// real kubectl. `make release-check` makes the release first and runs the
// tests.
package release
