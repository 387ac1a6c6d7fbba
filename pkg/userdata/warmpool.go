package userdata

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

// warmScript keeps a machine out of the cluster for as long as its Auto Scaling group keeps it in a warm pool. Its
// comments stand here, because every byte of it is sent to every node:
//
//   - It is a boothook: cloud-init runs it early at every boot, and all that it makes is in /run. A machine of the pool
//     is stopped as soon as EC2 says that it runs, without regard to user data
//     (https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html), so that a shell part,
//     which runs at the first boot only, might never have come so far.
//   - What says whether the machine is in the pool is IMDS's autoscaling/target-lifecycle-state
//     (https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html):
//     Warmed:Stopped, Warmed:Running and so on are the pool, all else is not.
//   - A waiting ExecStartPre, not an ExecCondition: a pool of running machines knows no boot at which a unit that was
//     skipped would be started again. nodeadm-run waits, since nodeadm would otherwise start the kubelet and wait for
//     it; the kubelet waits too, for images that start it by themselves. A start job has no end of its own there.
//   - No answer, or none that the state is known, is asked again 25 times, which takes two to four minutes; then the
//     machine joins. A node in service must not stay out for a hiccup of IMDS. One in the pool would join wrongly, but
//     whoever has no IMDS for minutes has no credentials to join with.
//   - Once in service is in service until the next boot: a kubelet that is started again is not held up.
//
//go:embed warmpool.sh
var warmScript string

// rerunScript has cloud-init run the shell parts again that a stop of the machine has cut off: cloud-init has noted
// them as run as soon as it began (config_scripts_user, once per instance).
const rerunScript = `c=/var/lib/cloud/instance
[ -e $c/eksnodes-ran ]||rm -f $c/sem/config_scripts_user
`

const ranScript = "#!/bin/bash\ntouch /var/lib/cloud/instance/eksnodes-ran\n"

// warmWait is put before what happens a time after boot: the time counts from when the machine left the pool.
const warmWait = "bash /run/eksnodes-warm\n"

const boothookHead = "#cloud-boothook\n"

func boothookPart(script string) part { return newPart(typeBoothook, boothookHead+script) }

// warmParts give the part that keeps the machine out of the cluster while it is in a warm pool, and the one to put
// behind all shell parts. Where there are no others, there is nothing to run again.
func warmParts(c Config) (first, last []part) {
	script := strings.TrimPrefix(warmScript, boothookHead)
	if len(c.User)+len(c.PreBootstrap) == 0 {
		return []part{boothookPart(script)}, nil
	}
	return []part{boothookPart(script + rerunScript)}, []part{shellPart(ranScript)}
}

// warmBeacon is the beacon of a machine that may be in a warm pool. It is armed at every boot, and looks when the
// machine has been in service for as long as it would otherwise have run: one that warms up is silent.
func warmBeacon(beacon part) (part, error) {
	const head = "export LC_ALL=C\n"
	armed, delay, found := strings.Cut(beacon.body, "--on-active=")
	seconds, _, ends := strings.Cut(delay, " ")
	if !found || !ends || strings.Count(armed, head) != 1 {
		return part{}, errors.New("the beacon's script is not as its variant for warm pools expects it")
	}
	wait := warmWait + fmt.Sprintf("s=$((%s+$(stat -c%%Y /run/eksnodes-in-service)-$(date +%%s)))\n((s>0))&&sleep $s\n", seconds)
	return boothookPart(strings.Replace(beacon.body, head, head+wait, 1)), nil
}

// warmPostBootstrap is the part for commands after the kubelet of a machine that may be in a warm pool: what waits for
// the kubelet would not outlive the stop of the machine, and so begins anew at every boot until the commands were run.
func warmPostBootstrap(commands []string) []part {
	if len(commands) == 0 {
		return nil
	}
	const ran = "/var/lib/eksnodes-post-bootstrap"
	body := joinCommands(commands)
	script := fmt.Sprintf(postBootstrapScript, heredocEnd(body), body)
	script = strings.Replace(script, "#!/bin/bash\n", "#!/bin/bash\n[ -e "+ran+" ]&&exit\n", 1)
	script = strings.Replace(script, "until systemctl", warmWait+"SECONDS=0\nuntil systemctl", 1)
	script = strings.Replace(script, "done\nset -e\n", "done\ntouch "+ran+"\nset -e\n", 1)
	return []part{boothookPart(script)}
}
