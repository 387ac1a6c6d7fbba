package cloud

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Fault names a role that can be switched off.
type Fault string

// The faults.
const (
	NoCCM Fault = "no-ccm" // nodes keep the uninitialized taint, gone ones stay
	NoCSR Fault = "no-csr" // serving certificates stay Pending
	NoCNI Fault = "no-cni" // nodes get no network configuration and stay NotReady
	NoSSM Fault = "no-ssm" // machines' SSM agents are not connected
)

// AllFaults lists the faults.
func AllFaults() []Fault { return []Fault{NoCCM, NoCNI, NoCSR, NoSSM} }

// Off is a role that is switched off.
type Off struct {
	Fault Fault `json:"fault"`
	// Group is the Auto Scaling group for whose machines it is off; "" stands
	// for all machines.
	Group string `json:"group,omitempty"`
}

// Faults is which roles are off. The zero value has all of them on.
type Faults struct {
	mu  sync.Mutex
	off map[Off]bool
}

// Inject switches a role off for the machines of a group, or for all when group
// is "". What it has done already stays.
func (f *Faults) Inject(name, group string) error {
	fault, err := find(name)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off == nil {
		f.off = map[Off]bool{}
	}
	f.off[Off{Fault: fault, Group: group}] = true
	return nil
}

// Clear switches a role on again, for all groups when group is ""; it then makes
// up for what it missed.
func (f *Faults) Clear(name, group string) error {
	fault, err := find(name)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.off, func(o Off, _ bool) bool { return o.Fault == fault && (group == "" || o.Group == group) })
	return nil
}

func find(name string) (Fault, error) {
	fault := Fault(name)
	if !slices.Contains(AllFaults(), fault) {
		return "", fmt.Errorf("unknown fault %q: want one of %v", name, AllFaults())
	}
	return fault, nil
}

// Active reports whether a role is off for the machines of a group.
func (f *Faults) Active(fault Fault, group string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.off[Off{Fault: fault}] || f.off[Off{Fault: fault, Group: group}]
}

// List gives the roles that are off, sorted.
func (f *Faults) List() []Off {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Keys(f.off), func(a, b Off) int {
		return cmp.Or(cmp.Compare(a.Fault, b.Fault), cmp.Compare(a.Group, b.Group))
	})
}
