//go:build race

package authmap

const (
	generatedMaps = 300
	simulatedMaps = 50
)
