package signature

// bootLines are of cloud-init, nodeadm, AL2's bootstrap.sh and Bottlerocket:
// what runs before the kubelet.
func bootLines() []Line {
	const nodeadm = "github.com/awslabs/amazon-eks-ami/nodeadm@v0.0.0-20260213141146-147b13ea3f4a "
	return []Line{
		{
			ID: "bootstrap-removed", In: []string{CloudInitOutput, Console},
			Find:    []string{`bootstrap\.sh has been removed from AL2023`},
			Source:  "awslabs/amazon-eks-ami templates/al2023/runtime/rootfs/etc/eks/bootstrap.sh",
			Match:   []string{"[ERROR] bootstrap.sh has been removed from AL2023-based EKS AMIs."},
			NoMatch: "running /etc/eks/bootstrap.sh demo",
		},
		{
			ID: "bootstrap-nofile", In: []string{CloudInitOutput, Console},
			Find:    []string{`/etc/eks/bootstrap\.sh: No such file or directory`},
			Source:  "GNU bash, message for a command that is not there; terraform-aws-modules/terraform-aws-eks#1179",
			Match:   []string{"/var/lib/cloud/instance/scripts/part-001: line 4: /etc/eks/bootstrap.sh: No such file or directory"},
			NoMatch: "cat: /etc/eks/bootstrap.conf: No such file or directory",
		},
		{
			ID: "no-nodeconfig", In: []string{NodeadmConfig, NodeadmRun, Console},
			Find:    []string{`could not find NodeConfig within UserData`, `no config in chain`},
			Source:  nodeadm + "internal/configprovider/userdata.go ErrNoConfigInUserData, chain.go ErrNoConfigInChain",
			Match:   []string{`nodeadm[55]: fatal cli/main.go:35 Command failed {"error": "no config in chain"}`, `nodeadm[55]: warn configprovider/chain.go:30 Encountered error in config provider {"error": "could not find NodeConfig within UserData"}`},
			NoMatch: `nodeadm[55]: info init/init.go:65 Loading configuration.. {"configSource": ["imds://user-data"]}`,
		},
		{
			ID: "nodeconfig-incomplete", In: []string{NodeadmConfig, NodeadmRun, Console},
			Find:    []string{`(?P<field>Name|Apiserver endpoint|Certificate authority|CIDR) is missing in cluster configuration`},
			Source:  nodeadm + "internal/api/validation.go ValidateNodeConfig",
			Match:   []string{`nodeadm[55]: fatal cli/main.go:35 Command failed {"error": "CIDR is missing in cluster configuration"}`},
			NoMatch: `nodeadm[55]: fatal cli/main.go:35 Command failed {"error": "cluster ID must be provided for outposts"}`,
		},
		{
			ID: "nodeconfig-yaml", In: []string{NodeadmConfig, NodeadmRun, Console},
			Find:    []string{`yaml: line (?P<line>\d+): (?P<what>[^"\\]+)`},
			Source:  "go.yaml.in/yaml/v2@v2.4.4 yaml.go, parser error; seen through nodeadm internal/configprovider",
			Match:   []string{`nodeadm[55]: warn configprovider/chain.go:30 Encountered error in config provider {"error": "error converting YAML to JSON: yaml: line 7: mapping values are not allowed in this context"}`},
			NoMatch: "wrote yaml: line count 7",
		},
		{
			ID: "nodeadm-cached-config", In: []string{NodeadmConfig, NodeadmRun, Console},
			Find:    []string{`Falling back to cached config`},
			Source:  nodeadm + "internal/cli/config.go",
			Match:   []string{`nodeadm[55]: warn cli/config.go:37 Falling back to cached config...`},
			NoMatch: `nodeadm[55]: warn cli/config.go:25 failed to load cached config {"error": "no such file"}`,
		},
		{
			ID: "nodeadm-manual", In: []string{NodeadmConfig, NodeadmRun, Console, CloudInitOutput},
			Find:    []string{`Do not manually call nodeadm from user data`},
			Source:  nodeadm + "internal/system/marker.go",
			Match:   []string{"cloud-init result file /run/cloud-init/result.json does not exist. Do not manually call nodeadm from user data"},
			NoMatch: "calling nodeadm from nodeadm-run.service",
		},
		{
			ID: "nodeadm-failed", In: []string{NodeadmConfig, NodeadmRun, Console},
			Find:    []string{`cli/main\.go:\d+ Command failed \{"error": "(?P<error>(?:[^"\\]|\\.)+)`},
			Source:  nodeadm + "internal/cli/main.go log.Fatal, logger.go: zap's console encoding without the time",
			Match:   []string{`nodeadm[55]: fatal cli/main.go:35 Command failed {"error": "no config in chain"}`},
			NoMatch: `nodeadm[55]: info init/init.go:156 done! {"duration": 3.1}`,
		},
		{
			ID: "nodeadm-done", In: []string{NodeadmRun, Console},
			Find:    []string{`init/init\.go:\d+ done!`},
			Source:  nodeadm + "cmd/nodeadm/init/init.go; the sign that nodeadm finished",
			Match:   []string{`nodeadm[112]: info init/init.go:156 done! {"duration": 3.1}`},
			NoMatch: "all done! bye",
		},
		{
			ID: "describe-exhausted", In: []string{CloudInitOutput, Console},
			Find:    []string{`Exhausted retries while describing cluster`},
			Source:  "awslabs/amazon-eks-ami templates/al2/runtime/bootstrap.sh",
			Match:   []string{"Exhausted retries while describing cluster!"},
			NoMatch: "Retrying to describe cluster",
		},
		{
			ID: "too-many-requests", In: []string{CloudInitOutput, Console},
			Find:    []string{`\(TooManyRequestsException\)`, `Too Many Requests`},
			Source:  "Amazon EKS User Guide, Troubleshoot problems with clusters and nodes: Too many requests",
			Match:   []string{"An error occurred (TooManyRequestsException) when calling the DescribeCluster operation", "Error: Too Many Requests"},
			NoMatch: "2 requests in flight",
		},
		{
			ID: "private-dns-wait", In: []string{CloudInitOutput, Console},
			Find:    []string{`PrivateDnsName is not available`},
			Source:  "awslabs/amazon-eks-ami templates/al2/runtime/bin/private-dns-name",
			Match:   []string{"PrivateDnsName is not available, waiting..."},
			NoMatch: "PrivateDnsName is ip-10-0-0-1.ec2.internal",
		},
		{
			ID: "userdata-script-failed", In: []string{CloudInit, CloudInitOutput, Console},
			Find:    []string{`Failed to run module scripts[-_]user`, `cc_scripts_user\.py\[WARNING\]`},
			Source:  "canonical/cloud-init cloudinit/config/modules.py, util.logexc of a failed module; terraform-aws-modules/terraform-aws-eks#1179",
			Match:   []string{"2026-01-01 00:00:05,123 - cc_scripts_user.py[WARNING]: Failed to run module scripts_user (scripts in /var/lib/cloud/instance/scripts)"},
			NoMatch: "config-scripts_user already ran (freq=once-per-instance)",
		},
		{
			ID: "unknown-content-type", In: []string{CloudInit, CloudInitOutput, Console}, Noise: true,
			Find:    []string{`Unhandled unknown content-type \(application/node\.eks\.aws\)`},
			Source:  "canonical/cloud-init cloudinit/handlers/__init__.py; normal on AL2023, where nodeadm reads that part",
			Match:   []string{"__init__.py[WARNING]: Unhandled unknown content-type (application/node.eks.aws) userdata: 'b'---''..."},
			NoMatch: "Unhandled unknown content-type (text/plain)",
		},
		{
			ID: "userdata-not-multipart", In: []string{CloudInit, CloudInitOutput, Console},
			Find:    []string{`Unhandled non-multipart \((?P<type>[^)]+)\)`},
			Source:  "canonical/cloud-init cloudinit/handlers/__init__.py; cloud-init documentation, user-data formats",
			Match:   []string{"__init__.py[WARNING]: Unhandled non-multipart (text/x-not-multipart) userdata: 'b'apiVersion: node.eks.a'...'"},
			NoMatch: "Handled multipart userdata",
		},
		{
			ID: "br-toml", In: []string{Console},
			Find:    []string{`Error parsing TOML user data`, `TOML parse error`},
			Source:  "bottlerocket-os/bottlerocket early-boot-config; terraform-aws-modules/terraform-aws-eks#3476",
			Match:   []string{"early-boot-config[1234]: Error parsing TOML user data: TOML parse error at line 1, column 1"},
			NoMatch: "early-boot-config[1234]: Applied user data",
		},
		{
			ID: "br-pluto", In: []string{Console},
			Find:    []string{`Setting generator '?"?pluto (?P<generator>[a-z-]+)`},
			Source:  "bottlerocket-os/bottlerocket sundog; bottlerocket-os/bottlerocket#3525",
			Match:   []string{`sundog[1300]: Setting generator 'pluto private-dns-name' failed with exit code 1`},
			NoMatch: "sundog[1300]: Setting generators done",
		},
	}
}
