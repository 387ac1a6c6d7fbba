// Package userdata renders the user data a node boots from, and reads user data of any origin back. It is pure: text
// in, text out.
//
// Rendering is byte-stable: equal configurations give equal bytes, because a changed byte of user data is a new
// launch template version and, on the next stack update, new machines.
package userdata

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"
)

// MaxSize is EC2's limit on user data in bytes, before base64
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html).
const MaxSize = 16384

// TooLargeError says that rendered user data exceeds EC2's limit. Both numbers are bytes before base64.
type TooLargeError struct {
	Size, Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("user data is %d bytes, %d over the limit of %d that EC2 sets: shorten it, or put large parts "+
		"into an image or a file that the node fetches", e.Size, e.Size-e.Limit, e.Limit)
}

// Cluster is what a node must know to find its cluster and trust it. All four fields are needed: nodeadm looks
// nothing up (https://docs.aws.amazon.com/eks/latest/userguide/al2023.html).
type Cluster struct {
	Name     string
	Endpoint string // https URL of the API server, as DescribeCluster gives it
	CA       string // base64 of the PEM bundle, as DescribeCluster gives it
	CIDR     string // service network, e.g. 10.100.0.0/16; the IPv6 one on an IPv6 cluster
}

// Validate names everything that is missing or malformed.
func (c Cluster) Validate() error {
	var errs []error
	if c.Name == "" {
		errs = append(errs, errors.New("cluster name is missing"))
	}
	if u, err := url.Parse(c.Endpoint); err != nil || u.Scheme != "https" || u.Host == "" {
		errs = append(errs, fmt.Errorf("cluster endpoint %q is not an https URL", c.Endpoint))
	}
	if ca, err := base64.StdEncoding.DecodeString(c.CA); err != nil || len(ca) == 0 {
		errs = append(errs, errors.New("cluster certificate authority is not base64"))
	}
	if _, err := netip.ParsePrefix(c.CIDR); err != nil {
		errs = append(errs, fmt.Errorf("service CIDR %q is not an address range like 10.100.0.0/16", c.CIDR))
	}
	return errors.Join(errs...)
}

// Config is what user data is rendered from. The zero value of every field but Cluster means "leave it to the
// image's default".
type Config struct {
	Cluster Cluster

	Labels map[string]string // set by the kubelet at registration; validated by package nodelabels
	Taints []Taint           // set by the kubelet at registration, in this order

	MaxPods           int            // highest number of pods; beats MaxPodsExpression
	MaxPodsExpression string         // CEL over default_enis, ips_per_eni and max_pods
	KubeletConfig     map[string]any // fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1)
	KubeletFlags      []string       // command-line flags of the kubelet, each "--name=value"

	ContainerdConfig string          // containerd's own TOML, merged with the image's
	LocalStorage     string          // what to make of instance store disks: RAID0, RAID10 or Mount
	FeatureGates     map[string]bool // of nodeadm: InstanceIdNodeName, FastImagePull

	// User is the user's own user data: each element a MIME document, a NodeConfig, a cloud-config or a script for
	// AL2023; TOML for Bottlerocket.
	User [][]byte

	// PreBootstrap and PostBootstrap are shell commands, run as root once per instance: before the kubelet is
	// started, and after.
	PreBootstrap, PostBootstrap []string

	BeaconDelay time.Duration // zero means no beacon; see Beacon

	// WarmPool says that the machine may be in a warm pool of its Auto Scaling group before it is in service; it then
	// joins only when it is.
	WarmPool bool `json:"WarmPool,omitempty"`

	AdminContainer bool // Bottlerocket: start the admin host container, the way in by SSH
}

// ClusterDNS gives the address of the cluster's DNS service: the tenth of the service network, for IPv4 and IPv6
// alike, as EKS assigns it. On EKS that is, for example, 10.100.0.10 or fd00:1234::a.
func ClusterDNS(serviceCIDR string) (string, error) {
	prefix, err := netip.ParsePrefix(serviceCIDR)
	if err != nil {
		return "", fmt.Errorf("service CIDR %q is not an address range like 10.100.0.0/16", serviceCIDR)
	}
	address := prefix.Masked().Addr()
	for range 10 {
		address = address.Next()
	}
	if !prefix.Contains(address) {
		return "", fmt.Errorf("service CIDR %q is too small to hold the cluster's DNS address", serviceCIDR)
	}
	return address.String(), nil
}
