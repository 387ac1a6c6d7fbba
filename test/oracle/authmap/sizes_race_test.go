//go:build race

package authmap_test

const (
	generatedMaps     = 300
	simulatedClusters = 100
)
