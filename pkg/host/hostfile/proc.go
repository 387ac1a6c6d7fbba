package hostfile

import (
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

// Mount is a line of /proc/mounts.
type Mount struct{ Device, Path, Type string }

// Mounts reads /proc/mounts, in its order: a later mount on a path hides an
// earlier one.
func Mounts(data []byte) []Mount {
	var mounts []Mount
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) >= 4 {
			mounts = append(mounts, Mount{unescape(fields[0]), unescape(fields[1]), fields[2]})
		}
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
