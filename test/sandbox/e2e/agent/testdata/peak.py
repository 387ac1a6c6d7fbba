"""Runs a program with its output thrown away, and prints the high-water mark of
its memory in KiB, as the kernel keeps it for the process (VmHWM), and the
seconds that it took. The programs that it runs in turn are not counted."""

import os
import sys
import time

began = time.monotonic()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
peak = 0
while True:
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                peak = max(peak, int(line.split()[1]))
    ended, result = os.waitpid(pid, os.WNOHANG)
    if ended:
        break
    time.sleep(0.001)
print(peak, round(time.monotonic() - began, 3), os.waitstatus_to_exitcode(result))
