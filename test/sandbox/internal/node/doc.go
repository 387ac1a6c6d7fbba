// Package node runs one EC2-like instance: a set of Linux namespaces whose
// first process is systemd, over an overlay of a clean Debian root, an "AMI"
// layer and the instance's own volume.
//
// The life of a node is that of an instance: Start boots it, a reboot in the
// node starts the same root again, power-off leaves the root for a later
// Start, Remove deletes it. Everything in the node that matters to joining a
// cluster is real: systemd, journald, sshd, cloud-init, nodeadm, containerd,
// kubelet. The package supplies what the EC2 hypervisor and the AMI supply:
// the serial console, the kernel's cgroup and sysctl view, the files of the
// image.
//
// The namespaces share the machine's kernel. A node is no security border.
package node
