// Package generate writes texts as people and tools write them, and damages
// them: what the oracles of this module are asked about. A seed gives the same
// text for ever.
package generate

import "math/rand/v2"

// Gen writes texts.
type Gen struct{ *rand.Rand }

// New gives the writer of a seed.
func New(seed uint64) Gen { return Gen{rand.New(rand.NewPCG(seed, 20240607))} }

func (g Gen) pick(of ...string) string { return of[g.IntN(len(of))] }
func (g Gen) chance(percent int) bool  { return g.IntN(100) < percent }
