package agent

import (
	"cmp"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Machine is what roads need to know of a machine.
type Machine struct {
	InstanceID string
	Node       string // name of its Node; "" when it has none
	OSImage    string // as its Node has it: "Bottlerocket OS 1.50.0 (aws-k8s-1.34)"
	Zone       string // us-west-2a
	Image      string // name of its AMI; "" when it is not known
	PrivateIP  string
	PublicIP   string
	// SecurityGroups are those of its interface; ClusterGroup is the one
	// that EKS made for the cluster.
	SecurityGroups []string
	ClusterGroup   string
	// Console is the text of its serial console as far as it was read.
	Console string
}

// MachineOf takes a machine out of a snapshot. It is of use only where EC2
// knows the node.
func MachineOf(snap *snapshot.Snapshot, node *snapshot.Node) Machine {
	machine := Machine{InstanceID: node.InstanceID}
	if snap.Cluster != nil {
		machine.ClusterGroup = snap.Cluster.ClusterSGID
	}
	if node.Console != nil {
		machine.Console = node.Console.Text
	}
	if node.Kube != nil {
		machine.Node, machine.OSImage = node.Kube.Name, node.Kube.OSImage
	}
	if cloud := node.Cloud; cloud != nil {
		machine.Zone, machine.PrivateIP, machine.PublicIP = cloud.Zone, cloud.PrivateIP, cloud.PublicIP
		machine.SecurityGroups = cloud.SecurityGroupIDs
		if image := snap.Catalog.Image(cloud.ImageID); image != nil {
			machine.Image = image.Name
		}
	}
	return machine
}

// LoginUser is the user that the machine's image lets in, by the names that
// images have: Amazon's own and most others let in ec2-user.
func (m *Machine) LoginUser() string {
	name := strings.ToLower(m.Image)
	for _, family := range []struct{ part, user string }{
		{"ubuntu", "ubuntu"}, {"debian", "admin"}, {"rocky", "rocky"}, {"centos", "centos"}, {"almalinux", "ec2-user"}, {"fedora", "fedora"},
		{"flatcar", "core"}, {"fcos", "core"},
	} {
		if strings.Contains(name, family.part) {
			return family.user
		}
	}
	return "ec2-user"
}

// addresses are those that the machine may be reached at: through a bastion
// the private one, else the public one first.
func (m *Machine) addresses(bastion bool) []string {
	switch {
	case bastion || m.PublicIP == "":
		return []string{cmp.Or(m.PrivateIP, m.PublicIP)}
	case m.PrivateIP == "":
		return []string{m.PublicIP}
	}
	return []string{m.PublicIP, m.PrivateIP}
}

// FirewallGroup is the security group in which a port for this machine is
// opened: one of its own where it has one, so that no more machines than
// needed can be reached; else the cluster's.
func (m *Machine) FirewallGroup() string {
	for _, id := range m.SecurityGroups {
		if id != m.ClusterGroup {
			return id
		}
	}
	if len(m.SecurityGroups) > 0 {
		return m.SecurityGroups[0]
	}
	return ""
}
