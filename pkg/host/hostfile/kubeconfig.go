package hostfile

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// kubeconfig is the part of a kubeconfig that a kubelet's has. Fields that
// hold credentials are looked at for being there, and forgotten.
type kubeconfig struct {
	CurrentContext string `json:"current-context"`
	Contexts       []struct {
		Name    string `json:"name"`
		Context struct {
			Cluster string `json:"cluster"`
			User    string `json:"user"`
		} `json:"context"`
	} `json:"contexts"`
	Clusters []struct {
		Name    string `json:"name"`
		Cluster struct {
			Server string `json:"server"`
			CAFile string `json:"certificate-authority"`
			CAData string `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []kubeconfigUser `json:"users"`
}

type kubeconfigUser struct {
	Name string `json:"name"`
	User struct {
		Token      string `json:"token"`
		TokenFile  string `json:"tokenFile"`
		ClientCert string `json:"client-certificate"`
		ClientData string `json:"client-certificate-data"`
		Exec       *struct {
			APIVersion string   `json:"apiVersion"`
			Command    string   `json:"command"`
			Args       []string `json:"args"`
			Env        []struct {
				Name  string `json:"name"`
				Value string `json:"value"`
			} `json:"env"`
		} `json:"exec"`
	} `json:"user"`
}

// Kubeconfig is a kubeconfig with what else reaching the cluster takes.
type Kubeconfig struct {
	Facts snapshot.HostKubeconfig
	CA    []byte // PEM, of an inline authority; a file's is the caller's to read
	// ExecArgs and ExecEnv are for running the program. They may hold
	// anything, and are no facts.
	ExecArgs, ExecEnv []string
}

// ParseKubeconfig reads the context in use. A file that cannot be used has
// Facts.Invalid.
func ParseKubeconfig(path string, data []byte) Kubeconfig {
	out := Kubeconfig{Facts: snapshot.HostKubeconfig{Path: path}}
	var file kubeconfig
	if err := yaml.Unmarshal(data, &file); err != nil {
		out.Facts.Invalid = "it is not YAML" // the parser's words may quote it
		return out
	}
	if err := out.choose(&file); err != nil {
		out.Facts.Invalid = redact.Line(err.Error())
	}
	return out
}

// choose takes what the current context names.
func (k *Kubeconfig) choose(file *kubeconfig) error {
	at := -1
	for i := range file.Contexts {
		if file.Contexts[i].Name == file.CurrentContext {
			at = i
		}
	}
	if at < 0 {
		return fmt.Errorf("there is no context %q", file.CurrentContext)
	}
	want := file.Contexts[at].Context
	found := false
	for i := range file.Clusters {
		if file.Clusters[i].Name != want.Cluster {
			continue
		}
		found = true
		cluster := file.Clusters[i].Cluster
		k.Facts.Server, k.Facts.CAFile = redact.Line(cluster.Server), redact.Line(cluster.CAFile)
		if cluster.CAData != "" {
			ca, err := decodePEM(cluster.CAData)
			if err != nil {
				return err
			}
			k.CA, k.Facts.CA, k.Facts.CAFile = ca, Sums(ca), ""
		}
	}
	if !found || k.Facts.Server == "" {
		return fmt.Errorf("there is no server for the cluster %q", want.Cluster)
	}
	for i := range file.Users {
		if file.Users[i].Name == want.User {
			k.user(&file.Users[i])
			return nil
		}
	}
	return fmt.Errorf("there is no user %q", want.User)
}

func (k *Kubeconfig) user(u *kubeconfigUser) {
	switch user := &u.User; {
	case user.Exec != nil:
		k.Facts.Auth = "exec"
		k.Facts.Exec = &snapshot.HostExec{Command: redact.Line(user.Exec.Command), APIVersion: redact.Line(user.Exec.APIVersion)}
		k.ExecArgs = user.Exec.Args
		for _, variable := range user.Exec.Env {
			k.ExecEnv = append(k.ExecEnv, variable.Name+"="+variable.Value)
			if variable.Name == "AWS_REGION" || variable.Name == "AWS_DEFAULT_REGION" {
				k.Facts.Exec.Region = redact.Line(variable.Value)
			}
		}
		execArguments(k.Facts.Exec, user.Exec.Args)
	case user.ClientCert != "" || user.ClientData != "":
		k.Facts.Auth = "client-certificate"
	case user.Token != "" || user.TokenFile != "":
		k.Facts.Auth = "token"
	default:
		k.Facts.Auth = "none"
	}
}

// execArguments reads what the programs that EKS uses are told: aws eks
// get-token --cluster-name, aws-iam-authenticator token -i.
func execArguments(exec *snapshot.HostExec, args []string) {
	fields := map[string]*string{
		"--cluster-name": &exec.Cluster, "--cluster-id": &exec.Cluster, "-i": &exec.Cluster,
		"--region": &exec.Region, "--role-arn": &exec.RoleARN, "--role": &exec.RoleARN, "-r": &exec.RoleARN,
	}
	for i, arg := range args {
		name, value, joined := strings.Cut(arg, "=")
		field := fields[name]
		if field == nil {
			continue
		}
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		*field = redact.Line(value)
	}
}

// ExecSigns reports whether the program is one that makes tokens of EKS, so
// that what it signs for can be told from its arguments.
func ExecSigns(exec *snapshot.HostExec) bool {
	name := exec.Command[strings.LastIndexByte(exec.Command, '/')+1:]
	return slices.Contains([]string{"aws", "aws-iam-authenticator", "heptio-authenticator-aws"}, name)
}
