//go:build linux

package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxKernelLines bounds how much of the kernel's log is read.
const maxKernelLines = 20000

// readKernel searches what the kernel logged since the boot: in its own
// buffer, or in the journal when that cannot be read.
func (m *Machine) readKernel(ctx context.Context, _ *snapshot.Host) (fill, error) {
	found := hostfile.NewKernel()
	source := "kmsg"
	if err := m.readKmsg(found); err != nil {
		source = "journal"
		var log bytes.Buffer
		if err := m.kernelJournal(ctx, &log, 3000); err != nil {
			return nil, err
		}
		for line := range bytes.Lines(log.Bytes()) {
			var entry struct {
				Message  string `json:"MESSAGE"`
				Realtime string `json:"__REALTIME_TIMESTAMP"`
			}
			if json.Unmarshal(line, &entry) != nil {
				continue
			}
			at := time.Time{}
			if micros, err := strconv.ParseInt(entry.Realtime, 10, 64); err == nil {
				at = time.UnixMicro(micros).UTC().Truncate(time.Second)
			}
			found.Add(at, entry.Message)
		}
	}
	facts := found.Facts(source)
	return func(h *snapshot.Host) { h.Kernel = &facts }, nil
}

// kmsgDevice is the number of /dev/kmsg (Linux, devices.txt).
const kmsgMajor, kmsgMinor = 1, 11

// readKmsg reads the kernel's buffer to its end, without waiting for more. In
// a container another file may stand in its place: that is not read, for what
// is read there is gone for others.
func (m *Machine) readKmsg(found *hostfile.Kernel) error {
	file, err := m.root.at("/dev/kmsg", unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFCHR || unix.Major(stat.Rdev) != kmsgMajor || unix.Minor(stat.Rdev) != kmsgMinor {
		return errors.New("/dev/kmsg is not the kernel's")
	}
	fd, err := unix.Open(m.root.path("/dev/kmsg"), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // only read
	boot := bootTime()
	record := make([]byte, 8<<10)
	for range maxKernelLines {
		n, err := unix.Read(fd, record)
		switch {
		case errors.Is(err, unix.EPIPE): // overwritten while it was read
			continue
		case errors.Is(err, unix.EAGAIN), n == 0:
			return nil
		case err != nil:
			return err
		}
		// "priority,sequence,microseconds since boot,flags;text\n key=value…"
		head, text, _ := strings.Cut(string(record[:n]), ";")
		text, _, _ = strings.Cut(text, "\n")
		at := time.Time{}
		if fields := strings.Split(head, ","); len(fields) > 2 {
			if micros, err := strconv.ParseInt(fields[2], 10, 64); err == nil && !boot.IsZero() {
				at = boot.Add(time.Duration(micros) * time.Microsecond).Truncate(time.Second)
			}
		}
		found.Add(at, text)
	}
	return nil
}

func bootTime() time.Time {
	var since unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &since); err != nil {
		return time.Time{}
	}
	return time.Now().UTC().Add(-time.Duration(since.Nano()))
}
