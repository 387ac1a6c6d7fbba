package cli

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// slowReading is the time after which the user is told what is waited for.
const slowReading = 5 * time.Second

// reading knows what is being read, to say it to somebody who waits.
type reading struct {
	mu    sync.Mutex
	under map[snapshot.Section]bool
	done  chan struct{}
}

// watchReading says, as long as reading goes on, what it is slow at.
func (s screen) watchReading() *reading {
	r := &reading{under: map[snapshot.Section]bool{}, done: make(chan struct{})}
	go func() {
		ticker := time.NewTicker(slowReading)
		defer ticker.Stop()
		for start := s.now(); ; {
			select {
			case <-r.done:
				return
			case <-ticker.C:
				if waiting := r.waiting(); waiting != "" {
					s.say("  still reading after %s: %s", nodegroup.Span(s.now().Sub(start)), waiting)
				}
			}
		}
	}()
	return r
}

// report is told of every reading.
func (r *reading) report(section snapshot.Section, state gather.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if state == gather.Started {
		r.under[section] = true
		return
	}
	delete(r.under, section)
}

func (r *reading) waiting() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for section := range maps.Keys(r.under) {
		names = append(names, string(section))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (r *reading) stop() { close(r.done) }
