package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
)

// PodReporter brings reports out of pods on nodes, by the Node's name and by
// what it says its operating system is.
type PodReporter interface {
	// Last is what an agent that is installed has printed last.
	Last(ctx context.Context, node, osImage string) ([]byte, error)
	// Run has a pod of its own print a report, and deletes the pod. Notes are
	// for the user.
	Run(ctx context.Context, node, osImage string) (report []byte, notes []string, err error)
}

// Pods are the roads through pods. Both need a node that has joined, with a
// kubelet that answers.
type Pods struct {
	Reporter PodReporter
	Now      func() time.Time
}

// errNoNode: no kubelet has registered the machine.
var errNoNode = errors.New("it has no Node")

// maxAge is how old a report of an installed agent may be: it prints one every
// ten minutes, and one when something changes.
const maxAge = 15 * time.Minute

// Installed is the road to what an installed agent has printed: nothing is
// started for it.
func (p Pods) Installed() Road {
	return Road{Name: RoadInstalled, Fetch: func(ctx context.Context, m *Machine) (Cargo, error) {
		if m.Node == "" {
			return Cargo{}, errNoNode
		}
		text, err := p.Reporter.Last(ctx, m.Node, m.OSImage)
		if err != nil {
			return Cargo{}, err
		}
		document, err := hostreport.Decode(bytes.NewReader(text))
		if err != nil {
			return Cargo{}, err
		}
		if age := p.Now().Sub(document.CollectedAt); age > maxAge {
			return Cargo{}, fmt.Errorf("its last report is %s old", age.Round(time.Minute))
		}
		return Cargo{Document: text}, nil
	}}
}

// Run is the road of a pod that runs once.
func (p Pods) Run() Road {
	return Road{Name: RoadPod, Fetch: func(ctx context.Context, m *Machine) (Cargo, error) {
		if m.Node == "" {
			return Cargo{}, errNoNode
		}
		text, notes, err := p.Reporter.Run(ctx, m.Node, m.OSImage)
		return Cargo{Document: text, Notes: notes}, err
	}}
}
