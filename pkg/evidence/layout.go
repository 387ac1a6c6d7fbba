package evidence

import (
	"path"
	"slices"
	"strings"
)

// folders are the top of the layout.
func folders() []string { return []string{"aws", "kube", "node", "control-plane"} }

// layout lists the files that are known, as patterns of path.Match.
func layout() []string {
	return []string{
		manifestName,
		"aws/eks/describe-cluster.json", "aws/eks/list-access-entries.json", "aws/eks/describe-access-entry.*.json",
		"aws/eks/list-addons.json", "aws/eks/describe-addon.*.json", "aws/eks/list-pod-identity-associations.json",
		"aws/ec2/describe-*.json", "aws/ec2/user-data.*.txt", "aws/ec2/get-console-output.*.txt", "aws/ec2/get-console-output.*.json",
		"aws/autoscaling/describe-auto-scaling-groups.json", "aws/autoscaling/describe-scaling-activities.json",
		"aws/cloudformation/describe-stacks.json", "aws/cloudformation/describe-stack-events.*.json",
		"aws/iam/get-role.*.json", "aws/iam/list-attached-role-policies.*.json", "aws/iam/list-role-policies.*.json", "aws/iam/get-role-policy.*.json",
		"aws/iam/get-instance-profile.*.json", "aws/iam/list-instance-profiles.json", "aws/iam/list-open-id-connect-providers.json", "aws/iam/simulate-principal-policy.*.json",
		"aws/ssm/describe-instance-information.json",
		"kube/version.json", "kube/nodes.json", "kube/events.json", "kube/pods.json", "kube/daemonsets.json", "kube/csr.json", "kube/leases.json", "kube/eniconfigs.json",
		"kube/serviceaccounts.json", "kube/configmap-aws-auth.yaml", "kube/configmap-aws-auth.json",
		"kube/clusterrolebindings.json", "kube/validatingwebhookconfigurations.json", "kube/mutatingwebhookconfigurations.json", "kube/logs/*.log",
		"node/*/journal-*.log", "node/*/cloud-init.log", "node/*/cloud-init-output.log", "node/*/user-data.txt", "node/*/kubelet-config.json", "node/*/kubeconfig",
		"node/*/ipamd.log", "node/*/kmsg.log", "node/*/containerd-config.toml", "node/*/report.json", "node/*/units.txt", "node/*/*.tar.gz",
		"control-plane/authenticator.log", "control-plane/audit.log", "control-plane/kube-controller-manager.log", "control-plane/cloud-controller-manager.log",
	}
}

// Unknown lists the files that the layout does not have: they are not read.
func (f *Files) Unknown() []string {
	known := layout()
	var unknown []string
	for _, name := range f.names {
		fits := func(pattern string) bool {
			ok, err := path.Match(pattern, name)
			return err == nil && ok
		}
		if !slices.ContainsFunc(known, fits) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// log is a file that holds a unit's log.
type log struct {
	name string
	unit string
}

// logsOf are the logs in a node's directory, and the archives of the EKS log
// collector.
func (f *Files) logsOf(dir string) (logs []log, archives []string) {
	for _, name := range f.names {
		base, ok := strings.CutPrefix(name, "node/"+dir+"/")
		switch {
		case !ok || strings.Contains(base, "/"):
		case strings.HasSuffix(base, ".tar.gz"):
			archives = append(archives, name)
		default:
			if unit := unitOf(base); unit != "" {
				logs = append(logs, log{name, unit})
			}
		}
	}
	return logs, archives
}

// unitOf is the unit whose log a file's name announces, or "". The second
// half are the names of the EKS log collector.
func unitOf(base string) string {
	if unit, ok := strings.CutPrefix(base, "journal-"); ok {
		unit = strings.TrimSuffix(strings.TrimSuffix(unit, ".log"), ".service")
		switch unit {
		case "cloud-final", "cloud-init", "cloud-config":
			return "cloud-init-output"
		case "snap.kubelet-eks.daemon":
			return "kubelet"
		}
		return unit
	}
	switch base {
	case "cloud-init-output.log", "cloud-init.log", "ipamd.log", "kmsg.log", "kubelet.log", "nodeadm-config.log", "nodeadm-run.log", "containerd.log":
		return strings.TrimSuffix(base, ".log")
	case "containerd-log.txt":
		return "containerd"
	}
	return ""
}
