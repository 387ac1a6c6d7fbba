package signature

// kubeletLines are of the kubelet itself.
func kubeletLines() []Line {
	const kubernetes = "k8s.io/kubernetes@v1.34.4 "
	return []Line{
		{
			ID: "kubelet-registered", In: []string{Kubelet, Console},
			Find:    []string{`Successfully registered node`},
			Source:  kubernetes + "pkg/kubelet/kubelet_node_status.go; the sign that the machine got in",
			Match:   []string{`I0101 00:00:12.000000    1234 kubelet_node_status.go:78] "Successfully registered node" node="ip-10-0-1-5.us-west-2.compute.internal"`},
			NoMatch: `"Attempting to register node" node="ip-10-0-1-5.us-west-2.compute.internal"`,
		},
		{
			ID: "kubelet-unknown-flag", In: []string{Kubelet, Console},
			Find:    []string{`failed to parse kubelet flag: unknown flag: (?P<flag>--[^\s"\\]+)`, `unknown flag: (?P<flag>--[^\s"\\]+)`},
			Source:  kubernetes + "cmd/kubelet/app/server.go; github.com/spf13/pflag@v1.0.10 errors.go",
			Match:   []string{`E0101 00:00:01.000000    1234 run.go:72] "command failed" err="failed to parse kubelet flag: unknown flag: --network-plugin"`},
			NoMatch: "Flag --pod-infra-container-image has been deprecated, will be removed in 1.35",
		},
		{
			ID: "kubelet-label-forbidden", In: []string{Kubelet, Console},
			Find:    []string{`unknown 'kubernetes\.io' or 'k8s\.io' labels specified with --node-labels: \[(?P<labels>[^\]]*)\]`},
			Source:  kubernetes + "cmd/kubelet/app/options/options.go",
			Match:   []string{`"command failed" err="failed to validate kubelet flags: unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [node-role.kubernetes.io/worker]"`},
			NoMatch: `--node-labels="team=a"`,
		},
		{
			ID: "kubelet-config-invalid", In: []string{Kubelet, Console},
			Find:    []string{`failed to load kubelet config file, path: (?P<path>\S+), error: (?P<why>[^"]+)`, `failed to validate kubelet configuration, error: (?P<why>[^"]+)`},
			Source:  kubernetes + "cmd/kubelet/app/server.go",
			Match:   []string{`"command failed" err="failed to validate kubelet configuration, error: invalid configuration: podsPerCore (-1) must not be negative, path: &TypeMeta{}"`, `"command failed" err="failed to load kubelet config file, path: /etc/kubernetes/kubelet/config.json, error: failed to decode"`},
			NoMatch: "loaded kubelet config file",
		},
		{
			ID: "allocatable-invalid", In: []string{Kubelet, Console},
			Find:    []string{`invalid Node Allocatable configuration\. (?P<why>[^"]+)`},
			Source:  kubernetes + "pkg/kubelet/cm/node_container_manager_linux.go",
			Match:   []string{`"Failed to start ContainerManager" err="invalid Node Allocatable configuration. Resource \"memory\" has a reservation of 9Gi but capacity of 4Gi. Expected capacity >= reservation."`},
			NoMatch: "Node Allocatable enforced",
		},
		{
			ID: "cgroup-mismatch", In: []string{Kubelet, Console},
			Find:    []string{`kubelet cgroup driver: \\*"(?P<kubelet>\w+)\\*" is different from docker cgroup driver: \\*"(?P<runtime>\w+)`},
			Source:  "Kubernetes documentation, Configuring a cgroup driver; kubelet up to 1.23 pkg/kubelet/dockershim",
			Match:   []string{`misconfiguration: kubelet cgroup driver: "systemd" is different from docker cgroup driver: "cgroupfs"`},
			NoMatch: `Using cgroup driver setting received from the CRI runtime cgroupDriver="systemd"`,
		},
		{
			ID: "swap-on", In: []string{Kubelet, Console},
			Find:    []string{`running with swap on is not supported`},
			Source:  kubernetes + "pkg/kubelet/cm/container_manager_linux.go",
			Match:   []string{`"command failed" err="failed to run Kubelet: running with swap on is not supported, please disable swap or set --fail-swap-on flag to false"`},
			NoMatch: "swap is off",
		},
		{
			ID: "pleg", In: []string{Kubelet, Console, NodeCondition},
			Find:    []string{`PLEG is not healthy: pleg was last seen active (?P<ago>\S+) ago`},
			Source:  kubernetes + "pkg/kubelet/runtime.go, pkg/kubelet/pleg/generic.go",
			Match:   []string{`"Skipping pod synchronization" err="PLEG is not healthy: pleg was last seen active 3m5.1s ago; threshold is 3m0s"`},
			NoMatch: "PLEG is not healthy: pleg has yet to be successful",
		},
		{
			ID: "serving-cert", In: []string{Kubelet},
			Find:    []string{`no serving certificate available for the kubelet`},
			Source:  kubernetes + "pkg/kubelet/kubelet.go",
			Match:   []string{`http: TLS handshake error from 10.0.1.1:5000: no serving certificate available for the kubelet`},
			NoMatch: "Certificate rotation is enabled",
		},
		{
			ID: "node-not-found", In: []string{Kubelet, Console}, Noise: true,
			Find:    []string{`"Error getting the current node from lister" err="node \\"[^"\\]+\\" not found"`, `"Eviction manager: failed to get summary stats" err="failed to get node info: node \\"[^"\\]+\\" not found"`},
			Source:  kubernetes + "pkg/kubelet/kubelet_node_status.go, pkg/kubelet/eviction: repeats that the node is not registered",
			Match:   []string{`E0101 00:00:09.000000    1234 kubelet_node_status.go:460] "Error getting the current node from lister" err="node \"ip-10-0-1-5.us-west-2.compute.internal\" not found"`, `"Eviction manager: failed to get summary stats" err="failed to get node info: node \"ip-10-0-1-5.us-west-2.compute.internal\" not found"`},
			NoMatch: `pods "a" not found`,
		},
	}
}

// notRegistered are the rows beside which a machine cannot have a network
// yet.
func notRegistered() []string {
	return []string{"kubelet-401", "forbidden-user", "not-allowed-to-modify-node", "dns-nxdomain", "dns-unreachable", "api-timeout", "tls-timeout", "x509-unknown-ca", "x509-name", "x509-time", "exec-not-found", "exec-apiversion", "exec-failed"}
}
