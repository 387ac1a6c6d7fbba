package faults

import (
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances/cloud"
)

// spoil has a script of the user data change the kubelet's configuration behind
// nodeadm's back. What scripts do is not in the user data for anybody to judge.
const spoil = `#!/bin/bash
mkdir -p /etc/systemd/system/kubelet.service.d
printf '[Service]\nExecStartPre=/bin/sed -i s/maxPods.*/maxPods/ /etc/kubernetes/kubelet/config.json\n' \
  >/etc/systemd/system/kubelet.service.d/tuning.conf
systemctl daemon-reload
`

// unreachableFaults are of machines that nobody can reach: no SSM agent, port
// 22 closed, and no node for a pod to run on. Their console is all there is.
func unreachableFaults() []fault {
	return []fault{{
		name: "configuration spoilt by a script, on a machine that cannot be reached", want: []string{"kubelet.config-invalid"}, road: snapshot.RoadConsole,
		asks: []string{"--agent", "always"}, breaks: func(t *testing.T, w *world, group string) func() {
			off(t, string(cloud.NoSSM), group)
			w.group(t, group, 1, func(in *template) { in.userData = withScript(in.userData, spoil) })
			id := w.running(t, group)
			w.refused(t, id, `failed to load [Kk]ubelet config file`)
			return func() { w.rebuilt(t, group, id) }
		},
	}}
}

// withScript adds a shell script to user data in parts, as its first one.
func withScript(userData, script string) string {
	_, rest, _ := strings.Cut(userData, `boundary="`)
	boundary, _, _ := strings.Cut(rest, `"`)
	part := "--" + boundary + "\nContent-Type: text/x-shellscript; charset=\"us-ascii\"\nMIME-Version: 1.0\n\n" + script + "\n"
	return strings.Replace(userData, "--"+boundary+"\n", part+"--"+boundary+"\n", 1)
}
