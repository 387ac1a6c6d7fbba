#!/bin/sh
# Prints what a node's logs and units say of its way into the cluster, as raw
# files of the evidence layout: credentials removed, compressed, as base64 that
# fits into what SSM keeps of a command's output. It reads, and changes nothing.
set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
most=23000

# Lines that look like trouble, and the last ones whatever they say: at most
# $1 of them, at most 400 bytes of each, without what may be a credential.
clean() {
  awk -v most="$1" '
    { line[NR] = $0; bad[NR] = tolower($0) ~ /err|fail|fatal|denied|unable|unauthorized|not found|timeout|refused|x509|no space|oom|killed/ }
    END {
      for (i = NR; i > 0 && kept < most; i--) if (bad[i] || NR - i < most / 4) { keep[i] = 1; kept++ }
      for (i = 1; i <= NR; i++) if (keep[i]) print line[i]
    }' | sed -E '
    s/\x1b\[[0-9;]*[a-zA-Z]//g
    s/[^ -~]//g
    s#://[^ /@]*@#://***@#g
    s/(k8s-aws-v1|x-amz-(signature|credential|security)|a[sk]ia[a-z0-9]{12}|eyj[a-z0-9_-]{8}|authorization["'\'']?[=:]|bearer |passw|(secret|token)[_a-z]*["'\'']?[ ]*[=:]).*/***/I
    /PRIVATE KEY/,/END [A-Z ]*PRIVATE KEY/s/.*/***/' | cut -c -400
}

file() {
  printf '# %s\n' "$1"
  sed 's/^/|/'
}

journal() {
  timeout 10 journalctl -b -q --no-pager -o short-iso -n 4000 -u "$1" 2>/dev/null | clean "$2" | file "journal-$1.log"
}

collect() {
  for unit in kubelet containerd nodeadm-boot-hook nodeadm-config nodeadm-run cloud-init cloud-config cloud-final; do
    journal "$unit" "$1"
  done
  for log in /var/log/cloud-init-output.log /var/log/aws-routed-eni/ipamd.log; do
    [ -f "$log" ] && [ ! -L "$log" ] && tail -n 4000 "$log" | clean "$1" | file "${log##*/}"
  done
  timeout 10 dmesg 2>/dev/null | tail -n 4000 | clean "$1" | file kmsg.log
  timeout 10 systemctl show -p Id,LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts \
    kubelet containerd nodeadm-boot-hook nodeadm-config nodeadm-run cloud-final chronyd amazon-ssm-agent 2>/dev/null | file units.txt
}

instance=$(cat /run/cloud-init/.instance-id /var/lib/cloud/data/instance-id /sys/devices/virtual/dmi/id/board_asset_tag 2>/dev/null |
  grep -m 1 -E '^i-[0-9a-f]{8,17}$')
for lines in 400 200 100 50 25 12 6 3; do
  packed=$(collect "$lines" | gzip -9c | base64)
  [ "${#packed}" -le "$most" ] && break
done
printf 'node-collector v1 %s %s\n%s\nnode-collector end\n' "${instance:-unknown}" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$packed"
