package nodegroup

import (
	"net/netip"
	"slices"
	"strings"
)

// Validate finds what is wrong with a request before any call is made.
func (r *Request) Validate() error {
	if err := ValidateName(r.Name); err != nil {
		return err
	}
	if _, _, _, err := r.Size.Sizes(); err != nil {
		return err
	}
	for _, check := range []func(*Request) error{
		validateTypes, validateImage, validateSubnets, validateKey, validateIdentity, validateVolume, validateExtraVolumes, validateBoot, validateWarmPool, validateHooks,
		validateStack,
	} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

func validateTypes(r *Request) error {
	types := r.InstanceTypes()
	for i, name := range types {
		switch {
		case name == "":
			return usagef("--instance-type: name a type like m5.large")
		case slices.Contains(types[:i], name):
			return usagef("--instance-type: %s is given twice", name)
		}
	}
	switch base := r.Mixed.OnDemandBase; {
	case base < 0:
		return usagef("--on-demand-base %d: a group cannot have fewer than 0 machines", base)
	case base > 0 && !r.Mixed.Spot:
		return usagef("--on-demand-base goes with --spot: without it all machines are on demand")
	}
	return nil
}

func validateImage(r *Request) error {
	if !slices.Contains(Families(), r.Family) {
		return usagef("--ami-family %q: use al2023, bottlerocket or custom", r.Family)
	}
	if r.Family == FamilyCustom && r.ImageID == "" {
		return usagef("--ami-family custom needs --ami ami-…: there is no public parameter to look it up by")
	}
	if r.ImageID != "" && !strings.HasPrefix(r.ImageID, "ami-") {
		return usagef("--ami %q: give an id like ami-0123456789abcdef0", r.ImageID)
	}
	return nil
}

func validateSubnets(r *Request) error {
	if len(r.Subnets.IDs) > 0 && len(r.Subnets.Tags) > 0 {
		return usagef("--subnets and --subnet-tag exclude each other")
	}
	for _, id := range r.Subnets.IDs {
		if !strings.HasPrefix(id, "subnet-") {
			return usagef("--subnets %q: give ids like subnet-0123456789abcdef0", id)
		}
	}
	for _, id := range r.Network.SecurityGroups {
		if !strings.HasPrefix(id, "sg-") {
			return usagef("--security-groups %q: give ids like sg-0123456789abcdef0", id)
		}
	}
	for _, cidr := range r.Network.SSHFrom {
		prefix, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil:
			return usagef("--cidr %q: give an address range like 203.0.113.7/32", cidr)
		case prefix.Bits() == 0:
			return usagef("--cidr %s lets the whole internet try the nodes' SSH: name your own network", cidr)
		}
	}
	if hops := r.Network.HopLimit; hops < 0 || hops > 64 {
		return usagef("--hop-limit %d: EC2 takes 1 to 64", hops)
	}
	return nil
}

func validateKey(r *Request) error {
	if r.Access.Name != "" && r.Access.PublicKey != "" {
		return usagef("--key-pair, --create-key-pair and --import-key-pair exclude each other")
	}
	return nil
}

func validateIdentity(r *Request) error {
	id := r.Identity
	if id.Role != "" && id.InstanceProfile != "" {
		return usagef("--role and --instance-profile exclude each other: a profile already holds its role")
	}
	if id.PermissionsBoundary != "" && (id.Role != "" || id.InstanceProfile != "") {
		return usagef("--permissions-boundary is for a role that the stack makes, not for an existing one")
	}
	return nil
}

func validateVolume(r *Request) error {
	v := r.Volume
	switch {
	case v.SizeGiB < 0 || v.SizeGiB > 65536:
		return usagef("--volume-size %d: use 1 to 65536 GiB", v.SizeGiB)
	case v.IOPS != 0 && !slices.Contains([]string{"gp3", "io1", "io2"}, v.Type):
		return usagef("--volume-iops goes with --volume-type gp3, io1 or io2, not %s", v.Type)
	case v.IOPS == 0 && (v.Type == "io1" || v.Type == "io2"):
		return usagef("--volume-type %s needs --volume-iops", v.Type)
	case v.Throughput != 0 && v.Type != "gp3":
		return usagef("--volume-throughput goes with --volume-type gp3, not %s", v.Type)
	case v.KMSKeyID != "" && !v.Encrypted:
		return usagef("--volume-kms-key goes with an encrypted volume: leave --volume-encrypted=false out")
	}
	return nil
}

func validateBoot(r *Request) error {
	if r.Family != FamilyBottlerocket {
		return nil
	}
	switch {
	case len(r.Boot.Before) > 0 || len(r.Boot.After) > 0:
		return usagef("--pre-bootstrap and --post-bootstrap: Bottlerocket has no shell to run them")
	case len(r.Kubelet.Config) > 0:
		return usagef("--kubelet-config: Bottlerocket takes settings of its own, not a KubeletConfiguration")
	}
	return nil
}

func validateStack(r *Request) error {
	if !slices.Contains([]string{"ROLLBACK", "DO_NOTHING", "DELETE"}, r.Stack.OnFailure) {
		return usagef("--on-failure %q: use rollback, do-nothing or delete", strings.ToLower(r.Stack.OnFailure))
	}
	if r.Timeout <= 0 {
		return usagef("--timeout must be more than 0")
	}
	return nil
}
