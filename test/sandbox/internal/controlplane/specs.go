package controlplane

import (
	"path/filepath"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/parts"
)

const searchPath = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

func (p *Plane) kubernetes(name, program string, args ...string) parts.Spec {
	return parts.Spec{
		Name:  name,
		Netns: layout.NetControlPlane,
		Path:  filepath.Join(p.Binaries.Kubernetes, program),
		Args:  args,
		Env:   []string{searchPath},
		Dir:   p.path(),
	}
}

func (p *Plane) etcd() parts.Spec {
	const peer = "http://127.0.0.1:2380"
	return p.kubernetes("etcd", "etcd",
		"--data-dir="+p.path("etcd"),
		"--listen-client-urls="+etcdURL,
		"--advertise-client-urls="+etcdURL,
		"--listen-peer-urls="+peer,
		"--initial-advertise-peer-urls="+peer,
		"--initial-cluster=default="+peer,
		"--unsafe-no-fsync", // nothing is kept beyond the sandbox's end
		"--log-level=warn",
	)
}

func (p *Plane) apiServer() parts.Spec {
	return p.kubernetes("apiserver", "kube-apiserver",
		"--etcd-servers="+etcdURL,
		"--bind-address=0.0.0.0",
		"--advertise-address="+layout.ControlPlaneIP,
		"--secure-port=443",
		"--tls-cert-file="+p.pki("apiserver.crt"),
		"--tls-private-key-file="+p.pki("apiserver.key"),
		"--client-ca-file="+p.pki("ca.crt"),
		// The aggregation layer, without which its readers complain in their logs.
		"--requestheader-client-ca-file="+p.pki("ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--service-cluster-ip-range="+layout.ServiceCIDR,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+p.pki("sa.key"),
		"--service-account-signing-key-file="+p.pki("sa.key"),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged",
		"--kubelet-client-certificate="+p.pki("kubelet-client.crt"),
		"--kubelet-client-key="+p.pki("kubelet-client.key"),
		"--kubelet-certificate-authority="+p.pki("ca.crt"), // kubelets' serving certificates are approved CSRs, as on EKS
		// Node names are not resolved for `kubectl logs` where an address is known.
		"--kubelet-preferred-address-types=InternalIP,InternalDNS,Hostname",
		"--endpoint-reconciler-type=none",
		"--authentication-token-webhook-config-file="+p.path("webhook.kubeconfig"),
		"--authentication-token-webhook-version=v1beta1", // what the authenticator speaks
		// Short, so that a changed mapping counts at once for a token already seen.
		"--authentication-token-webhook-cache-ttl=1s",
		"--audit-policy-file="+p.path("audit-policy.yaml"),
		"--audit-log-path="+p.Sandbox.AuditLog(),
		"--profiling=false",
		"--v=1",
	)
}

func (p *Plane) controllerManager() parts.Spec {
	config := p.path("controller-manager.kubeconfig")
	return p.kubernetes("controller-manager", "kube-controller-manager",
		"--kubeconfig="+config,
		"--authentication-kubeconfig="+config,
		"--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1",
		"--use-service-account-credentials",
		"--service-account-private-key-file="+p.pki("sa.key"),
		"--root-ca-file="+p.pki("ca.crt"),
		"--cluster-signing-cert-file="+p.pki("ca.crt"),
		"--cluster-signing-key-file="+p.pki("ca.key"),
		"--leader-elect=false",
		// A node that is gone shows within seconds, not within a minute.
		"--node-monitor-period=2s",
		"--node-monitor-grace-period=20s",
	)
}

func (p *Plane) scheduler() parts.Spec {
	config := p.path("scheduler.kubeconfig")
	return p.kubernetes("scheduler", "kube-scheduler",
		"--kubeconfig="+config,
		"--authentication-kubeconfig="+config,
		"--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1",
		"--leader-elect=false",
	)
}

// authenticator starts with the one backend that its file flags insist on and takes
// its real ones from the backend mode file at once and whenever that changes.
func (p *Plane) authenticator() parts.Spec {
	return parts.Spec{
		Name:  "authenticator",
		Netns: layout.NetControlPlane,
		Path:  filepath.Join(p.Binaries.IAMAuth, "aws-iam-authenticator"),
		Args: []string{"server",
			"--config=" + p.path("authenticator", "config.yaml"),
			"--backend-mode=" + backendDynamicFile,
			"--address=127.0.0.1",
			"--port=" + webhookPort,
			"--state-dir=" + p.path("authenticator"),
			"--kubeconfig-pregenerated=true",
			"--kubeconfig=" + p.path("authenticator", "kubeconfig"),
		},
		Env: []string{searchPath,
			// The verifier reads one of these, the SDK's EC2 client the other.
			"SSL_CERT_FILE=" + p.Sandbox.AWSCA(),
			"AWS_CA_BUNDLE=" + p.Sandbox.AWSCA(),
			"AWS_EC2_METADATA_DISABLED=true",
			"AWS_REGION=" + layout.Region,
			"AWS_ACCESS_KEY_ID=" + p.AWSKey.ID,
			"AWS_SECRET_ACCESS_KEY=" + p.AWSKey.Secret,
		},
		Dir: p.path("authenticator"),
	}
}
