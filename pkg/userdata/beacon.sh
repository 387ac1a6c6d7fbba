#!/bin/bash
cat >/run/eksnodes-beacon <<'E'
export LC_ALL=C
j(){ journalctl -b -qocat -u$1;}
j kubelet|grep -q 'Successfully registered node'&&exit
{ echo;echo -----BEGIN EKSNODES BEACON v1-----
for u in kubelet containerd nodeadm-{config,run} cloud-final;do
echo "# $u: $(systemctl is-active $u)"
j $u|grep -Ei 'err|fail|fatal|denied|unable|^F[0-9]{4}'|tail -n4|sed -E '/ /!d
s/\x1b\[[0-9;]*[a-z]//Ig
s/[^ -~]//g
s#://[^ ]*@#://***@#g
s/(k8s-aws-v1|x-amz-|a[sk]ia[a-z0-9]{9}|eyj|authorization\W{0,2}[=:]|bearer |passw|token[\ ]*["=]|secret["_=a\-]|[^.]secret:).*/***/I
s#[a-z0-9_+%=-]{40,}|[a-z0-9_+/%=-]{90,}#***#Ig
s/^/|/'|cut -c-400
done
echo -----END EKSNODES BEACON v1-----
}>/dev/console
E
{ systemd-run --no-block --on-active=@DELAY@ --timer-property=AccuracySec=1 -u eksnodes-beacon bash /run/eksnodes-beacon||setsid bash -c 'sleep @DELAY@;. /run/eksnodes-beacon';}>/dev/null 2>&1 </dev/null&
