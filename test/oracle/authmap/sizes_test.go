//go:build !race

package authmap_test

// How much the property tests go through. The race detector has nothing to
// find in them and makes them ten times slower, so under it they are smaller
// (sizes_race_test.go).
const (
	generatedMaps     = 10_000
	simulatedClusters = 1_000
)
