package kube

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const server = "https://0123ABCD.gr7.eu-central-1.eks.amazonaws.com"

// kubeconfig has one context named ctx.
func kubeconfig(clusterName, server string, exec *clientcmdapi.ExecConfig) *clientcmdapi.Config {
	raw := clientcmdapi.NewConfig()
	raw.Contexts["ctx"] = &clientcmdapi.Context{Cluster: clusterName, AuthInfo: "user"}
	raw.Clusters[clusterName] = &clientcmdapi.Cluster{Server: server}
	raw.AuthInfos["user"] = &clientcmdapi.AuthInfo{Exec: exec}
	return raw
}

func TestClusterHint(t *testing.T) {
	exec := func(command string, args ...string) *clientcmdapi.ExecConfig {
		return &clientcmdapi.ExecConfig{Command: command, Args: args}
	}
	withEnv := func(e *clientcmdapi.ExecConfig, env ...clientcmdapi.ExecEnvVar) *clientcmdapi.ExecConfig {
		e.Env = env
		return e
	}
	for name, test := range map[string]struct {
		raw  *clientcmdapi.Config
		want Hint
	}{
		"aws eks update-kubeconfig": {
			kubeconfig("arn:aws:eks:us-west-2:111122223333:cluster/demo", server,
				withEnv(exec("aws", "--region", "us-west-2", "eks", "get-token", "--cluster-name", "demo", "--output", "json", "--role-arn", "arn:aws:iam::111122223333:role/admin"),
					clientcmdapi.ExecEnvVar{Name: "AWS_PROFILE", Value: "prod"})),
			Hint{Name: "demo", Region: "us-west-2", Profile: "prod", RoleARN: "arn:aws:iam::111122223333:role/admin", Server: server, Form: FormExec},
		},
		"flags with =": {
			kubeconfig("x", server, exec("/usr/local/bin/aws", "eks", "get-token", "--cluster-name=demo", "--region=us-east-1", "--profile=dev")),
			Hint{Name: "demo", Region: "us-east-1", Profile: "dev", Server: server, Form: FormExec},
		},
		"the authenticator, region from the host": {
			kubeconfig("x", server, exec("aws-iam-authenticator", "token", "-i", "demo", "-r", "arn:aws:iam::111122223333:role/admin")),
			Hint{Name: "demo", Region: "eu-central-1", RoleARN: "arn:aws:iam::111122223333:role/admin", Server: server, Form: FormExec},
		},
		"the authenticator, long flag and environment": {
			kubeconfig("x", "https://localhost:8443", withEnv(exec("aws-iam-authenticator", "token", "--cluster-id", "demo"), clientcmdapi.ExecEnvVar{Name: "AWS_REGION", Value: "ap-south-1"})),
			Hint{Name: "demo", Region: "ap-south-1", Server: "https://localhost:8443", Form: FormExec},
		},
		"behind a shell": {
			kubeconfig("x", server, exec("bash", "-c", "aws eks get-token --cluster-name 'demo' --region us-west-1")),
			Hint{Name: "demo", Region: "us-west-1", Server: server, Form: FormExec},
		},
		"behind a shell of Windows": {
			kubeconfig("x", server, exec(`C:\Program Files\Git\bin\bash.exe`, "-c", "aws eks get-token --cluster-name 'demo' --region us-west-1")),
			Hint{Name: "demo", Region: "us-west-1", Server: server, Form: FormExec},
		},
		"a flag without its value": {
			kubeconfig("x", server, exec("aws", "eks", "get-token", "--cluster-name")),
			Hint{Region: "eu-central-1", Server: server, Form: FormServer},
		},
		"cluster name is an ARN": {
			kubeconfig("arn:aws-cn:eks:cn-north-1:111122223333:cluster/demo", "https://0123.sk1.cn-north-1.eks.amazonaws.com.cn", nil),
			Hint{Name: "demo", Region: "cn-north-1", Server: "https://0123.sk1.cn-north-1.eks.amazonaws.com.cn", Form: FormARN},
		},
		"ARN of GovCloud": {
			kubeconfig("arn:aws-us-gov:eks:us-gov-west-1:111122223333:cluster/demo", "https://proxy", nil),
			Hint{Name: "demo", Region: "us-gov-west-1", Server: "https://proxy", Form: FormARN},
		},
		"eksctl": {
			kubeconfig("my.demo.us-east-2.eksctl.io", server, nil),
			Hint{Name: "my.demo", Region: "us-east-2", Server: server, Form: FormEksctl},
		},
		"host alone": {
			kubeconfig("prod", server, nil),
			Hint{Region: "eu-central-1", Server: server, Form: FormServer},
		},
		"dual-stack host": {
			kubeconfig("prod", "https://0123.gr7.eks-cluster.us-west-2.api.aws", nil),
			Hint{Region: "us-west-2", Server: "https://0123.gr7.eks-cluster.us-west-2.api.aws", Form: FormServer},
		},
		"not EKS": {
			kubeconfig("kind-kind", "https://127.0.0.1:6443", nil),
			Hint{Server: "https://127.0.0.1:6443"},
		},
		"another plugin": {
			kubeconfig("gke", "https://10.0.0.1", exec("gke-gcloud-auth-plugin")),
			Hint{Server: "https://10.0.0.1"},
		},
		"no such context": {clientcmdapi.NewConfig(), Hint{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ClusterHint(test.raw, "ctx")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHintOverride(t *testing.T) {
	found := Hint{Name: "demo", Region: "us-west-2", Profile: "prod", Server: server, Form: FormExec}
	if got := found.Override("", "", ""); got != found {
		t.Errorf("nothing said, got %+v", got)
	}
	want := Hint{Name: "other", Region: "us-east-1", Profile: "dev", Server: server, Form: FormFlag}
	if got := found.Override("other", "us-east-1", "dev"); got != want {
		t.Errorf("got %+v", got)
	}
}

func FuzzClusterHint(f *testing.F) {
	f.Add("arn:aws:eks:us-west-2:111122223333:cluster/demo", server, "--cluster-name", "demo")
	f.Add("a.us-west-2.eksctl.io", "://", "-i", "=")
	f.Fuzz(func(t *testing.T, cluster, server, flag, value string) {
		hint := ClusterHint(kubeconfig(cluster, server, &clientcmdapi.ExecConfig{Command: "sh", Args: []string{flag, value}}), "ctx")
		if hint.Server != server {
			t.Errorf("server %q became %q", server, hint.Server)
		}
		if hint.Form == FormExec && hint.Name == "" {
			t.Errorf("a name was claimed and not given: %+v", hint)
		}
	})
}
