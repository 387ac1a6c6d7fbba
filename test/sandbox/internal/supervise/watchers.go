package supervise

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// WatchersPath is the kernel's bound of inotify instances of one user.
const WatchersPath = "/proc/sys/fs/inotify/max_user_instances"

// enoughWatchers is enough for some fifty nodes. systemd, containerd and kubelet
// of one take about fifteen, all of them root's; Linux's default of 128 is used up
// by a handful, and the next kubelet starts and never registers.
const enoughWatchers = 1024

// RaiseWatchers raises the bound in the file to what nodes need, and returns what
// it was; zero when it was enough. It holds for the whole machine, and stays.
func RaiseWatchers(path string) (was int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read the bound of inotify instances: %w", err)
	}
	now, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read the bound of inotify instances: %w", err)
	}
	if now >= enoughWatchers {
		return 0, nil
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(enoughWatchers)+"\n"), 0o644); err != nil {
		return 0, fmt.Errorf("fs.inotify.max_user_instances is %d, too few for several nodes (wanted: %d): %w", now, enoughWatchers, err)
	}
	return now, nil
}
