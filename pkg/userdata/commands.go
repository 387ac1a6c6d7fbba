package userdata

import (
	"fmt"
	"strings"
)

// preBootstrap gives the parts that run before the kubelet is started. On AL2023 a plain shell part does: nodeadm's
// first phase (nodeadm-config.service) runs before cloud-init, cloud-init runs shell parts in its last stage, and
// nodeadm-run.service, which starts containerd and the kubelet, is ordered after cloud-final.service. A failing
// command ends its part and cloud-init reports it; the node joins all the same, as nodeadm-run does not require
// cloud-final's success.
func preBootstrap(commands []string) []part {
	if len(commands) == 0 {
		return nil
	}
	return []part{shellPart("#!/bin/bash\nset -e\n" + joinCommands(commands))}
}

// postBootstrapScript waits for the kubelet in a unit of its own: a shell part that waited itself would wait for
// ever, because the kubelet is started only once cloud-init, and so the part, is done. Nor would "After=kubelet.service"
// do: nodeadm starts the kubelet over D-Bus later, so there is no start job yet that an ordering could refer to.
// After half an hour without a kubelet the unit fails, and says so in its journal.
const postBootstrapScript = `#!/bin/bash
cat >/run/eksnodes-post-bootstrap <<'%[1]s'
until systemctl is-active -q kubelet; do
  ((SECONDS < 1800)) || { echo "kubelet did not start within 30 minutes: commands not run"; exit 1; }
  sleep 2
done
set -e
%[2]s%[1]s
systemd-run --no-block -u eksnodes-post-bootstrap bash /run/eksnodes-post-bootstrap
`

// postBootstrap gives the part whose commands run after the kubelet was started.
func postBootstrap(commands []string) []part {
	if len(commands) == 0 {
		return nil
	}
	body := joinCommands(commands)
	return []part{shellPart(fmt.Sprintf(postBootstrapScript, heredocEnd(body), body))}
}

// heredocEnd gives a word that is no line of the text, always the same for the same text.
func heredocEnd(text string) string {
	end := "EKSNODES_END"
	for strings.Contains("\n"+text, "\n"+end+"\n") {
		end += "_"
	}
	return end
}

// joinCommands writes one command after the other, each ended by a line feed, without carriage returns.
func joinCommands(commands []string) string {
	var b strings.Builder
	for _, command := range commands {
		b.WriteString(strings.TrimRight(strings.ReplaceAll(command, "\r", ""), "\n"))
		b.WriteByte('\n')
	}
	return b.String()
}
