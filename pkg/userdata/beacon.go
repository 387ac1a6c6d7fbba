package userdata

import (
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DefaultBeaconDelay is how long after the beacon is armed, early in cloud-init's last stage, it looks whether the
// kubelet has registered. A healthy AL2023 node registers within a minute of that point.
const DefaultBeaconDelay = 4 * time.Minute

// MaxBeaconSize bounds the beacon's part in bytes: user data is scarce, and the beacon is a guest in it.
const MaxBeaconSize = 1024

// beaconScript is the beacon. Its comments stand here, because every byte of the script is sent to every node:
//
//   - It arms a timer of systemd and returns at once: --no-block does not even wait for the timer's start job. Where
//     systemd-run is missing or fails, a sleeping process in a session of its own stands in. All of that is in the
//     background (the final &) and holds none of cloud-init's streams, so the boot is never held up. The process
//     outlives cloud-final.service, which has KillMode=process.
//   - The sign of success is the kubelet's own journal line "Successfully registered node", which it writes for a new
//     Node and for one that was there before (pkg/kubelet/kubelet_node_status.go, registerWithAPIServer). Files do
//     not serve: on EKS the kubelet authenticates by an exec token and leaves no client certificate.
//   - At most 4 lines of each of 5 units, each cut to 400 bytes after filtering: the kubelet says why at the end of
//     long lines. About 8 KB at most on a console of which EC2 keeps the last 64 KB.
//   - Lines are taken when they look like errors, and dropped when they hold no space (the body of a PEM block, a bare
//     token). LC_ALL=C makes sed's "." match every byte, so that a broken UTF-8 sequence cannot shield what follows.
//   - sed, in order: drop everything but printable ASCII (also terminal escapes); user:password@ of URLs; from a
//     word that announces a credential to the end of the line; any run too long to be a word (40) or a path (90).
//   - The bar before every line keeps a log line from posing as a marker, and tells the reader which lines are ours
//     among what else is written to the console meanwhile.
//
//go:embed beacon.sh
var beaconScript string

// Beacon gives the shell script, without MIME headers, that some time after boot writes the last errors of kubelet,
// containerd, nodeadm and cloud-init to the serial console if the kubelet has not registered by then. A node that
// nobody can log in to can so be read by EC2's GetConsoleOutput; ParseBeacon reads it there. Delay is rounded up
// to whole seconds and must be positive.
func Beacon(delay time.Duration) (string, error) {
	if delay <= 0 {
		return "", errors.New("beacon delay must be positive")
	}
	seconds := int64((delay + time.Second - 1) / time.Second)
	return strings.ReplaceAll(beaconScript, "@DELAY@", strconv.FormatInt(seconds, 10)), nil
}

func beaconPart(delay time.Duration) (part, error) {
	script, err := Beacon(delay)
	if err != nil {
		return part{}, err
	}
	if len(script) >= MaxBeaconSize {
		return part{}, fmt.Errorf("beacon is %d bytes, not under %d", len(script), MaxBeaconSize)
	}
	return shellPart(script), nil
}
