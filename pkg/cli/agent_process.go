package cli

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// thisProcess names this run on this machine: its host, its process id, and
// when the process started, so that a later process of the same id is another.
func thisProcess() string {
	return processName(os.Getpid())
}

func processName(pid int) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, pid, startOf(pid))
}

// startOf is when a process started, in ticks since boot, field 22 of
// /proc/PID/stat; "" where there is no /proc, or no such process. One that is
// dead and that nobody has waited for yet is none.
func startOf(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}

// processAlive says of a run whether it still goes on. It knows only of runs
// on this machine.
func processAlive(name string) (alive, known bool) {
	parts := strings.Split(name, "/")
	host, err := os.Hostname()
	if len(parts) != 3 || err != nil || parts[0] != host || parts[2] == "" {
		return false, false
	}
	pid, err := strconv.Atoi(parts[1])
	if err != nil {
		return false, false
	}
	return processName(pid) == name, true
}
