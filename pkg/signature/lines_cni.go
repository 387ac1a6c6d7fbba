package signature

// cniLines are of the VPC CNI, kube-proxy and of the kubelet waiting for
// them.
func cniLines() []Line {
	return []Line{
		{
			ID: "cni-uninitialized", In: []string{Kubelet, Console, NodeCondition},
			Find:    []string{`cni plugin not initialized`, `cni config uninitialized`},
			Source:  "containerd/go-cni errors.go ErrCNINotInitialized; k8s.io/kubernetes@v1.34.4 pkg/kubelet/kubelet.go quotes it",
			Beside:  notRegistered(),
			Match:   []string{`"Container runtime network not ready" networkReady="NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"`, `message:docker: network plugin is not ready: cni config uninitialized`},
			NoMatch: "cni plugin initialized",
		},
		{
			ID: "ipamd-api", In: []string{IPAMD, AwsNode},
			Find:    []string{`Unable to reach API Server`, `Failed to check API server connectivity: (?P<why>[^"]+)`, `Failed to communicate with K8S Server`},
			Source:  "aws/amazon-vpc-cni-k8s pkg/k8sapi/k8sutils.go, cmd/aws-k8s-agent/main.go",
			Match:   []string{`{"level":"error","ts":"2026-01-01T00:01:00.000Z","msg":"Unable to reach API Server, Get \"https://172.20.0.1:443/version\": dial tcp 172.20.0.1:443: i/o timeout"}`, `Failed to check API server connectivity: invalid configuration: no configuration has been provided`, `Failed to communicate with K8S Server. Please check instance security groups or http proxy setting`},
			NoMatch: `{"level":"info","msg":"Successful communication with the Cluster!"}`,
		},
		{
			ID: "ipamd-no-ips", In: []string{IPAMD, Events},
			Find:    []string{`InsufficientFreeAddressesInSubnet`, `failed to assign an IP address to container`},
			Source:  "Amazon EC2 API Reference, error codes; aws/amazon-vpc-cni-k8s cmd/routed-eni-cni-plugin/cni.go",
			Match:   []string{`api error InsufficientFreeAddressesInSubnet: insufficient free addresses in subnet 'subnet-0abc'`, `plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container`},
			NoMatch: "assigned an IP address to container",
		},
		{
			ID: "ipamd-no-prefix", In: []string{IPAMD, Events},
			Find:    []string{`InsufficientCidrBlocks`},
			Source:  "Amazon EC2 API Reference, error codes; aws/amazon-vpc-cni-k8s#2923",
			Match:   []string{`InsufficientCidrBlocks: The specified subnet does not have enough free cidr blocks to satisfy the request.`},
			NoMatch: "assigned prefix 10.0.1.16/28",
		},
		{
			ID: "ipamd-wait", In: []string{AwsNode},
			Find:    []string{`Timed out waiting for IPAM daemon to start`, `Retrying waiting for IPAM-D`},
			Source:  "aws/amazon-vpc-cni-k8s cmd/aws-vpc-cni/main.go",
			Match:   []string{`{"level":"error","msg":"Timed out waiting for IPAM daemon to start"}`, `{"level":"info","msg":"Retrying waiting for IPAM-D"}`},
			NoMatch: `{"level":"info","msg":"Checking for IPAM connectivity..."}`,
		},
		{
			ID: "kube-proxy-node", In: []string{KubeProxy},
			Find:    []string{`Failed to retrieve node info.*nodes \\*"(?P<node>[^"\\]+)\\*" not found`},
			Source:  "aws/amazon-vpc-cni-k8s#1078; kube-proxy up to 1.28 pkg/proxy",
			Match:   []string{`Failed to retrieve node info: nodes "ip-10-0-1-5" not found`},
			NoMatch: "Successfully retrieved node IP",
		},
	}
}
