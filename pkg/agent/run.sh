#!/bin/sh
# Takes a program on standard input, gzip-compressed, into a directory that
# only root can look into, checks it, runs it, and takes it away again.
# Arguments: name of the directory; sha256 of the program; its size in KiB;
# a word that nobody else knows, between two lines of which the output stands;
# then the program's own arguments.
# Exit code 75: there was no place to run it from, and the reason is on stderr.
set -u
umask 077
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
name=$1 sum=$2 need=$3 marker=$4
shift 4
bases='/run /var/lib /root /var/tmp /tmp /dev/shm'
dir=
clean() { [ -z "$dir" ] || rm -rf -- "$dir"; }
trap clean EXIT
trap 'exit 129' HUP INT PIPE TERM

# What earlier runs left that nobody could end properly. A run is alive while
# its shell, whose number its directory's name holds, has that name among its
# arguments.
for base in $bases; do
  for old in "$base/$name".*.*; do
    if [ ! -d "$old" ] || [ -L "$old" ] || [ "$(stat -c %u -- "$old" 2>/dev/null)" != "$(id -u)" ]; then
      continue
    fi
    pid=${old#"$base/$name."}
    pid=${pid%%.*}
    grep -qsaF -- "$name" "/proc/$pid/cmdline" && continue
    rm -rf -- "$old" && echo "note: removed $old, left by a run that was cut off" >&2
  done
done

why=
for base in $bases; do
  dir=$(mktemp -d "$base/$name.$$.XXXXXXXX" 2>/dev/null) || { dir='' why="$why; $base cannot be written"; continue; }
  free=$(df -Pk "$dir" 2>/dev/null | awk 'NR == 2 { print $4 }')
  if [ "${free:-0}" -lt "$need" ]; then
    why="$why; $base is full"
  elif printf '#!/bin/sh\n' 2>/dev/null >"$dir/try" && chmod 700 "$dir/try" && "$dir/try" 2>/dev/null; then
    break
  else
    why="$why; $base lets nothing run"
  fi
  rm -rf -- "$dir"
  dir=
done

if [ -n "$dir" ]; then
  program=$dir/node-agent
  gzip -dc >"$program" || { echo "the agent did not arrive whole" >&2; exit 74; }
  have=$(sha256sum "$program")
  [ "${have%% *}" = "$sum" ] || { echo "the agent that arrived has the sha256 ${have%% *}, sent was $sum" >&2; exit 74; }
  chmod 700 "$program"
  printf '\n%s begin\n' "$marker"
  "$program" "$@" </dev/null
  code=$?
  printf '\n%s end %d\n' "$marker" "$code"
  exit "$code"
fi

# No directory will do: run it out of memory, without a file at all.
command -v python3 >/dev/null || { echo "no place for the agent${why}; and there is no python3 to run it out of memory" >&2; exit 75; }
exec python3 -I -c '
import gzip, hashlib, os, subprocess, sys
data = gzip.decompress(sys.stdin.buffer.read())
if hashlib.sha256(data).hexdigest() != sys.argv[1]:
    sys.exit("the agent that arrived is not the one that was sent")
fd = os.memfd_create("node-agent", 0)
os.write(1, b"\n%s begin\n" % sys.argv[2].encode())
view = memoryview(data)
while view:
    view = view[os.write(fd, view):]
path = "/proc/%d/fd/%d" % (os.getpid(), fd)
code = subprocess.run([path] + sys.argv[3:], stdin=subprocess.DEVNULL).returncode
os.write(1, b"\n%s end %d\n" % (sys.argv[2].encode(), code))
sys.exit(code)
' "$sum" "$marker" "$@"
