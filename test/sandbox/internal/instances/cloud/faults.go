package cloud

import (
	"fmt"
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
)

// AllFaults lists the faults.
func AllFaults() []Fault { return []Fault{NoCCM, NoCNI, NoCSR} }

// Faults is which roles are off. The zero value has all of them on.
type Faults struct {
	mu     sync.Mutex
	active map[Fault]bool
}

// Inject switches a role off. What it has done already stays.
func (f *Faults) Inject(name string) error { return f.set(name, true) }

// Clear switches a role on again; it then makes up for what it missed.
func (f *Faults) Clear(name string) error { return f.set(name, false) }

func (f *Faults) set(name string, on bool) error {
	fault := Fault(name)
	if !slices.Contains(AllFaults(), fault) {
		return fmt.Errorf("unknown fault %q: want one of %v", name, AllFaults())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.active == nil {
		f.active = map[Fault]bool{}
	}
	f.active[fault] = on
	return nil
}

// Active reports whether a role is off.
func (f *Faults) Active(fault Fault) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.active[fault]
}

// List gives the faults that are injected.
func (f *Faults) List() []Fault {
	var list []Fault
	for _, fault := range AllFaults() {
		if f.Active(fault) {
			list = append(list, fault)
		}
	}
	return list
}
