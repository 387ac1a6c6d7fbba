package userdata

import (
	"strconv"
	"strings"
)

// BootstrapArguments gives the labels, taints, flags and pod limit as arguments of Amazon Linux 2's bootstrap.sh, which
// is all that AWS's AL2 template lets one say of a node's configuration. Empty when nothing is asked for. The
// script's parameters are separated by spaces: it does not read "--name=value".
func BootstrapArguments(c Config) string {
	kubelet := append([]string(nil), c.KubeletFlags...)
	if len(c.Labels) > 0 {
		kubelet = append(kubelet, "--node-labels="+joinLabels(c.Labels))
	}
	if len(c.Taints) > 0 {
		taints := make([]string, len(c.Taints))
		for i, t := range c.Taints {
			taints[i] = t.Key + "=" + t.Value + ":" + t.Effect
		}
		kubelet = append(kubelet, "--register-with-taints="+strings.Join(taints, ","))
	}
	var arguments []string
	if c.MaxPods > 0 {
		arguments = append(arguments, "--use-max-pods false")
		kubelet = append(kubelet, "--max-pods="+strconv.Itoa(c.MaxPods))
	}
	if len(kubelet) > 0 {
		arguments = append(arguments, "--kubelet-extra-args '"+strings.Join(kubelet, " ")+"'")
	}
	return strings.Join(arguments, " ")
}
