package snapshot

// Workload is what runs on nodes that are to be emptied.
type Workload struct {
	Pods    []WorkPod `json:"pods,omitempty"` // those that a drain evicts
	Budgets []Budget  `json:"budgets,omitempty"`
}

// WorkPod is a pod that a drain evicts.
type WorkPod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Node      string `json:"node"`
	// Owner is what makes the pod anew (ReplicaSet/web-5d9c); "" for one that is
	// lost when it is evicted.
	Owner    string `json:"owner,omitempty"`
	EmptyDir bool   `json:"emptyDir,omitempty"` // it has data that go with it
}

// Budget is a PodDisruptionBudget that covers some of the pods.
type Budget struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Allowed   int      `json:"allowed"` // disruptions that it allows now
	Pods      []string `json:"pods"`    // names of those that it covers here
}

// Lost are the pods that nothing makes anew.
func (w *Workload) Lost() []WorkPod {
	var lost []WorkPod
	for _, pod := range w.Pods {
		if pod.Owner == "" {
			lost = append(lost, pod)
		}
	}
	return lost
}

// Blocking are the budgets that allow no disruption now.
func (w *Workload) Blocking() []Budget {
	var blocking []Budget
	for _, budget := range w.Budgets {
		if budget.Allowed <= 0 {
			blocking = append(blocking, budget)
		}
	}
	return blocking
}
