package signature

// runtimeLines are of containerd and of the operating system.
func runtimeLines() []Line {
	const kubernetes = "k8s.io/kubernetes@v1.34.4 "
	return []Line{
		{
			ID: "runtime-down", In: []string{Kubelet, Console, NodeCondition},
			Find:    []string{`container runtime is down`, `validate CRI v1 runtime API for endpoint \\*"(?P<endpoint>[^"\\]+)`},
			Source:  kubernetes + "pkg/kubelet/runtime.go; k8s.io/cri-client@v0.34.4 pkg/remote_runtime.go",
			Match:   []string{`"Skipping pod synchronization" err="container runtime is down"`, `"command failed" err="failed to run Kubelet: validate service connection: validate CRI v1 runtime API for endpoint \"unix:///run/containerd/containerd.sock\": rpc error"`},
			NoMatch: "container runtime status check may not have completed yet",
		},
		{
			ID: "sandbox-image", In: []string{Kubelet, Containerd, Events, Console},
			Find:    []string{`failed to get sandbox image \\*"(?P<image>[^"\\]+)`},
			Source:  "containerd/containerd internal/cri/server/sandbox_run.go; awslabs/amazon-eks-ami#1633",
			Match:   []string{`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/pause:3.5": failed to pull image`},
			NoMatch: "pulled sandbox image",
		},
		{
			ID: "ecr-no-basic-auth", In: []string{Kubelet, Containerd, Events, Console},
			Find:    []string{`no basic auth credentials`, `pull access denied.*authorization failed`},
			Source:  "containerd/containerd core/remotes/docker/auth_creds.go; aws/amazon-vpc-cni-k8s#529",
			Match:   []string{`failed to resolve reference: unexpected status: 401: no basic auth credentials`, `pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`},
			NoMatch: "authorization succeeded",
		},
		{
			ID: "no-space", In: []string{Any},
			Find:    []string{`no space left on device`},
			Source:  "Linux errno ENOSPC; Go syscall zerrors_linux",
			Match:   []string{"write /var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db: no space left on device"},
			NoMatch: "12G space left on device",
		},
	}
}
