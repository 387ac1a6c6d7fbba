package snapshot

import "time"

// Catalog is what AWS offers in the account and region.
type Catalog struct {
	InstanceTypes []InstanceType `json:"instanceTypes,omitempty"` // SectionInstanceTypes
	// Offerings maps an instance type to the zones that sell it, SectionOfferings.
	Offerings map[string][]string `json:"offerings,omitempty"`
	Images    []Image             `json:"images,omitempty"`   // SectionImages
	KeyPairs  []string            `json:"keyPairs,omitempty"` // SectionKeyPairs: names
	// VCPUQuota is the account's limit of running on-demand vCPUs for the
	// family of the instance types that were asked for; VCPUInUse what counts
	// against it; QuotaCode which quota that is (L-1216C47A: standard
	// families). SectionQuotas.
	QuotaCode string `json:"quotaCode,omitempty"`
	VCPUQuota *int   `json:"vcpuQuota,omitempty"`
	VCPUInUse *int   `json:"vcpuInUse,omitempty"`
}

// InstanceType returns the type with the name, or nil.
func (c *Catalog) InstanceType(name string) *InstanceType {
	for i := range c.InstanceTypes {
		if c.InstanceTypes[i].Name == name {
			return &c.InstanceTypes[i]
		}
	}
	return nil
}

// Image returns the image with the id, or nil.
func (c *Catalog) Image(id string) *Image {
	for i := range c.Images {
		if c.Images[i].ID == id {
			return &c.Images[i]
		}
	}
	return nil
}

// InstanceType is an EC2 instance type.
type InstanceType struct {
	Name          string   `json:"name"`
	Architectures []string `json:"architectures"` // x86_64, arm64
	VCPUs         int      `json:"vcpus"`
	MemoryMiB     int      `json:"memoryMiB"`
	GPU           string   `json:"gpu,omitempty"`    // NVIDIA …
	Neuron        bool     `json:"neuron,omitempty"` // Inferentia or Trainium
	MaxENIs       int      `json:"maxENIs,omitempty"`
	IPsPerENI     int      `json:"ipsPerENI,omitempty"`
	Hypervisor    string   `json:"hypervisor,omitempty"` // nitro, xen, "" for metal
}

// Image is an AMI.
type Image struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	OwnerID      string    `json:"ownerID"`
	Architecture string    `json:"architecture"` // x86_64, arm64
	State        string    `json:"state"`        // available, deregistered …
	RootDevice   string    `json:"rootDevice"`   // /dev/xvda
	CreatedAt    time.Time `json:"createdAt,omitzero"`
	DeprecatedAt time.Time `json:"deprecatedAt,omitzero"`
	// SSMParameter is the public parameter it was looked up by, if any.
	SSMParameter string `json:"ssmParameter,omitempty"`
	// SnapshotSizeGiB is the least size of the root volume.
	SnapshotSizeGiB int `json:"snapshotSizeGiB,omitempty"`
}
