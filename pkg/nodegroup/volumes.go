package nodegroup

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// ExtraVolume is a volume besides the one for images and containers. It is
// encrypted as that one is, and goes with its machine.
type ExtraVolume struct {
	Device  string // /dev/xvdf
	SizeGiB int
	Type    string // gp2, gp3, st1 or sc1
}

// extraTypes are the volume types that need no further settings; io1 and io2
// need IOPS.
func extraTypes() []string { return []string{"gp3", "gp2", "st1", "sc1"} }

// ParseVolumes reads volumes of the form DEVICE=GIB or DEVICE=GIB:TYPE; without
// a type it is gp3.
func ParseVolumes(specs []string) ([]ExtraVolume, error) {
	var volumes []ExtraVolume
	for _, spec := range specs {
		device, rest, _ := strings.Cut(spec, "=")
		size, kind, typed := strings.Cut(rest, ":")
		if !typed {
			kind = extraTypes()[0]
		}
		gib, err := strconv.Atoi(size)
		if err != nil {
			return nil, usagef("--extra-volumes %q: use DEVICE=GIB or DEVICE=GIB:TYPE, as in /dev/xvdf=200:gp3", spec)
		}
		volumes = append(volumes, ExtraVolume{Device: device, SizeGiB: gib, Type: kind})
	}
	return volumes, nil
}

// deviceName is what EC2 recommends for volumes that are added
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html).
var deviceName = regexp.MustCompile(`^/dev/(xvd[b-z]|xvd[a-d][a-z]|sd[b-z])$`)

func validateExtraVolumes(r *Request) error {
	var taken []string
	if r.Family == FamilyBottlerocket {
		taken = append(taken, "/dev/xvdb") // its data volume
	}
	for _, volume := range r.ExtraVolumes {
		switch {
		case !deviceName.MatchString(volume.Device):
			return usagef("--extra-volumes: device %q: use one like /dev/xvdf", volume.Device)
		case slices.Contains(taken, volume.Device):
			return usagef("--extra-volumes: device %s is taken already", volume.Device)
		case volume.SizeGiB < 1 || volume.SizeGiB > 65536:
			return usagef("--extra-volumes: %s: use 1 to 65536 GiB", volume.Device)
		case !slices.Contains(extraTypes(), volume.Type):
			return usagef("--extra-volumes: type %q of %s: use %s", volume.Type, volume.Device, strings.Join(extraTypes(), ", "))
		}
		taken = append(taken, volume.Device)
	}
	return nil
}

func extraVolumes(r *Request) []stack.Volume {
	var out []stack.Volume
	for _, volume := range r.ExtraVolumes {
		out = append(out, stack.Volume{
			Device: volume.Device, SizeGiB: volume.SizeGiB, Type: volume.Type, Encrypted: r.Volume.Encrypted, KMSKey: r.Volume.KMSKeyID,
		})
	}
	return out
}
