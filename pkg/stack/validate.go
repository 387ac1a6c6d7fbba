package stack

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// Validate names everything that is missing, and every wish that contradicts another.
func (in Input) Validate() error {
	return errors.Join(in.checkRequired(), in.checkSizes(), in.Role.check(), in.Volume.check(), in.checkExtraVolumes(),
		in.checkHooks(), in.checkWarmPool(), in.checkRules(), in.checkTags())
}

func (in Input) checkRequired() error {
	var errs []error
	for _, required := range []struct{ what, value string }{
		{"cluster name", in.Boot.Cluster.Name},
		{"node group name", in.Group},
		{"cluster security group", in.ClusterSecurityGroup},
		{"VPC", in.VPC},
		{"subnets", strings.Join(in.Subnets, "")},
		{"instance type", in.InstanceType},
		{"image", in.ImageID},
		{"user data", string(in.UserData)},
	} {
		if required.value == "" {
			errs = append(errs, fmt.Errorf("%s is missing", required.what))
		}
	}
	return errors.Join(errs...)
}

func (in Input) checkSizes() error {
	if in.Min < 0 || in.Min > in.Desired || in.Desired > in.Max || in.Max < 1 {
		return fmt.Errorf("sizes must satisfy 0 <= min <= desired <= max and max >= 1, not min %d, desired %d, max %d",
			in.Min, in.Desired, in.Max)
	}
	if in.Mixed.OnDemandBase < 0 || in.Mixed.OnDemandBase > 0 && !in.Mixed.Spot {
		return fmt.Errorf("a base of %d machines on demand makes sense with Spot instances only", in.Mixed.OnDemandBase)
	}
	if in.HopLimit < 0 || in.HopLimit > 64 {
		return fmt.Errorf("hop limit %d is not between 1 and 64", in.HopLimit)
	}
	return nil
}

func (r Role) check() error {
	var errs []error
	if r.ProfileARN != "" && r.ARN == "" {
		errs = append(errs, errors.New("an existing instance profile needs the ARN of the role in it"))
	}
	if r.ARN != "" && (r.Boundary != "" || len(r.Policies) > 0) {
		errs = append(errs, errors.New("policies and a permissions boundary cannot be given to an existing role"))
	}
	if r.ARN != "" && r.Path != "" {
		errs = append(errs, errors.New("a path cannot be given to an existing role"))
	}
	if r.Path != "" && (!strings.HasPrefix(r.Path, "/") || !strings.HasSuffix(r.Path, "/")) {
		errs = append(errs, fmt.Errorf("role path %q does not begin and end with a slash", r.Path))
	}
	return errors.Join(errs...)
}

func (v Volume) check() error {
	var errs []error
	if v.SizeGiB < 0 || v.IOPS < 0 || v.Throughput < 0 {
		errs = append(errs, errors.New("volume size, IOPS and throughput cannot be negative"))
	}
	if v.KMSKey != "" && !v.Encrypted {
		errs = append(errs, errors.New("a KMS key was given for a volume that is not encrypted"))
	}
	if v.Throughput > 0 && v.Type != "" && v.Type != "gp3" {
		errs = append(errs, fmt.Errorf("throughput can be set for gp3 volumes only, not for %s", v.Type))
	}
	switch v.Type {
	case "", "gp3", "io1", "io2":
	default:
		if v.IOPS > 0 {
			errs = append(errs, fmt.Errorf("IOPS can be set for gp3, io1 and io2 volumes only, not for %s", v.Type))
		}
	}
	return errors.Join(errs...)
}

func (in Input) checkExtraVolumes() error {
	taken := []string{cmp.Or(in.Volume.Device, device(in.Family))}
	var errs []error
	for _, v := range in.ExtraVolumes {
		if v.Device == "" || v.SizeGiB < 1 || v.Type == "" {
			errs = append(errs, fmt.Errorf("a volume besides the first needs a device, a size and a type, not %q, %d and %q", v.Device, v.SizeGiB, v.Type))
		}
		if slices.Contains(taken, v.Device) {
			errs = append(errs, fmt.Errorf("two volumes have the device %s", v.Device))
		}
		taken = append(taken, v.Device)
		errs = append(errs, v.check())
	}
	return errors.Join(errs...)
}

func (in Input) checkHooks() error {
	var errs []error
	for _, hook := range in.LifecycleHooks {
		if hook.Name == "" || hook.Seconds < 30 || hook.Seconds > 7200 {
			errs = append(errs, fmt.Errorf("a lifecycle hook needs a name and 30 to 7200 seconds, not %q and %d", hook.Name, hook.Seconds))
		}
	}
	return errors.Join(errs...)
}

func (in Input) checkWarmPool() error {
	if in.WarmPool == nil {
		if in.Boot.WarmPool {
			return errors.New("user data for a warm pool, and the group has none")
		}
		return nil
	}
	var errs []error
	if pool := in.WarmPool; pool.Min < 0 || pool.Prepared < pool.Min || pool.Prepared < 1 {
		errs = append(errs, fmt.Errorf("a warm pool needs 0 <= min <= prepared and prepared >= 1, not %d and %d", pool.Min, pool.Prepared))
	}
	if in.Mixed.Asked() {
		errs = append(errs, errors.New("a group of several types or of Spot instances takes no warm pool"))
	}
	if !in.Boot.WarmPool {
		errs = append(errs, errors.New("with this user data the machines of a warm pool would join before they are in service"))
	}
	return errors.Join(errs...)
}

func (in Input) checkRules() error {
	var errs []error
	for i, r := range in.Network.Ingress {
		sources := 0
		for _, source := range []string{r.CIDR, r.SourceGroup, r.PrefixList} {
			if source != "" {
				sources++
			}
		}
		if sources != 1 {
			errs = append(errs, fmt.Errorf("ingress rule %d has %d sources, not one", i+1, sources))
		}
		if _, err := netip.ParsePrefix(r.CIDR); r.CIDR != "" && err != nil {
			errs = append(errs, fmt.Errorf("ingress rule %d: %q is not an address range", i+1, r.CIDR))
		}
	}
	return errors.Join(errs...)
}

func (in Input) checkTags() error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(in.Tags)) {
		switch {
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			errs = append(errs, fmt.Errorf("tag %q: keys that begin with aws: are reserved by AWS", key))
		case strings.HasPrefix(key, product.TagPrefix), strings.HasPrefix(key, "kubernetes.io/cluster/"), key == "Name":
			errs = append(errs, fmt.Errorf("tag %q is set by this tool itself", key))
		}
	}
	if n := len(groupTags(in)) + spareTags; n > MaxGroupTags {
		errs = append(errs, fmt.Errorf("the group would have %d tags, and Auto Scaling allows %d: use fewer tags, or "+
			"fewer labels and taints with the cluster autoscaler's tags", n, MaxGroupTags))
	}
	return errors.Join(errs...)
}

// cidrKey is the property that takes an address range of its family.
func cidrKey(cidr string) string {
	if strings.Contains(cidr, ":") {
		return "CidrIpv6"
	}
	return "CidrIp"
}
