package snapshot

// Leftovers are what controllers in a cluster have made in AWS, and what goes
// on costing when the cluster is deleted with them: nobody is left to delete it.
type Leftovers struct {
	LoadBalancers []LoadBalancer `json:"loadBalancers,omitempty"`
	Volumes       []ClaimedDisk  `json:"volumes,omitempty"`
}

// LoadBalancer is an object of the cluster that a load balancer was made for.
type LoadBalancer struct {
	Kind      string `json:"kind"` // service, ingress, gateway: as kubectl delete takes it
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Address   string `json:"address,omitempty"` // of the load balancer; "" when it has none yet
}

// ClaimedDisk is an EBS volume behind a PersistentVolume.
type ClaimedDisk struct {
	ID    string `json:"id"`              // vol-…
	Name  string `json:"name"`            // of the PersistentVolume
	Claim string `json:"claim,omitempty"` // NAMESPACE/NAME of its claim
	Size  string `json:"size,omitempty"`  // 20Gi
	// Kept means that it is to outlive its claim (reclaim policy Retain): it
	// stays on purpose.
	Kept bool `json:"kept,omitempty"`
}
