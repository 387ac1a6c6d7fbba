package hostfile

import (
	"slices"
	"strconv"
	"strings"
)

// Meminfo reads the sizes of /proc/meminfo, in bytes.
func Meminfo(data []byte) map[string]int64 {
	sizes := map[string]int64{}
	for line := range strings.Lines(string(data)) {
		name, rest, ok := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !ok || len(fields) == 0 {
			continue
		}
		if n, err := strconv.ParseInt(fields[0], 10, 64); err == nil {
			if len(fields) > 1 && fields[1] == "kB" {
				n <<= 10
			}
			sizes[name] = n
		}
	}
	return sizes
}

// Swaps reads /proc/swaps: what is swapped to, and how much fits, in bytes.
func Swaps(data []byte) (names []string, size int64) {
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] == "Filename" {
			continue
		}
		kib, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			continue
		}
		names = append(names, unescape(fields[0]))
		size += kib << 10
	}
	return names, size
}

// Mount is a line of /proc/mounts or of /proc/PID/mountinfo.
type Mount struct {
	Device, Path, Type string
	// ReadOnly is the file system's own state, which a mount of it may narrow
	// further. Only mountinfo has it.
	ReadOnly bool
}

// Mounts reads /proc/mounts, in its order: a later mount on a path hides an
// earlier one.
func Mounts(data []byte) []Mount {
	var mounts []Mount
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) >= 4 {
			mounts = append(mounts, Mount{Device: unescape(fields[0]), Path: unescape(fields[1]), Type: fields[2]})
		}
	}
	return mounts
}

// MountInfo reads /proc/PID/mountinfo, in its order (proc_pid_mountinfo(5)): five
// fields and the mount's options, optional fields that end with a dash, and
// type, device and options of the file system.
func MountInfo(data []byte) []Mount {
	const place, optional = 4, 6
	var mounts []Mount
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) <= optional {
			continue
		}
		dash := slices.Index(fields[optional:], "-")
		if dash < 0 || len(fields) < optional+dash+4 {
			continue
		}
		filesystem := fields[optional+dash+1:]
		mounts = append(mounts, Mount{
			Device: unescape(filesystem[1]), Path: unescape(fields[place]), Type: filesystem[0],
			ReadOnly: slices.Contains(strings.Split(filesystem[2], ","), "ro"),
		})
	}
	return mounts
}

// MountOf is the mount that a path lies on: the one with the longest path,
// the last of equal ones.
func MountOf(mounts []Mount, path string) (best Mount, found bool) {
	for _, mount := range mounts {
		under := path == mount.Path || strings.HasPrefix(path, strings.TrimSuffix(mount.Path, "/")+"/")
		if under && (!found || len(mount.Path) >= len(best.Path)) {
			best, found = mount, true
		}
	}
	return best, found
}

// unescape undoes the kernel's octal escapes of spaces and the like.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(text)
}
