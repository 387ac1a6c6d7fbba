package kube

import (
	"net/url"
	"regexp"
	"strings"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Form says which part of a kubeconfig named the cluster.
type Form string

// The forms, in the order in which they are believed.
const (
	FormFlag   Form = "flag"   // the user said so
	FormExec   Form = "exec"   // arguments of the credential plugin
	FormARN    Form = "arn"    // the kubeconfig cluster's name is the EKS cluster's ARN, as `aws eks update-kubeconfig` writes it
	FormEksctl Form = "eksctl" // NAME.REGION.eksctl.io
	FormServer Form = "server" // only the API server's host is known: region, not name
	FormNone   Form = ""       // nothing points at EKS
)

// Hint is what a kubeconfig context says of the EKS cluster behind it. Name
// is empty when only Server identifies the cluster.
type Hint struct {
	Name    string
	Region  string
	Profile string // of the caller's AWS configuration
	RoleARN string // role that the credential plugin assumes for the token
	Server  string // API server URL
	Form    Form
}

// Override puts what the user said before what was found.
func (h Hint) Override(name, region, profile string) Hint {
	if name != "" {
		h.Name, h.Form = name, FormFlag
	}
	if region != "" {
		h.Region = region
	}
	if profile != "" {
		h.Profile = profile
	}
	return h
}

// ClusterHint reads a context of a kubeconfig. It does no IO.
func ClusterHint(raw *clientcmdapi.Config, contextName string) Hint {
	var hint Hint
	context := raw.Contexts[contextName]
	if context == nil {
		return hint
	}
	if user := raw.AuthInfos[context.AuthInfo]; user != nil && user.Exec != nil {
		hint = hintFromExec(user.Exec)
	}
	hint.complete(hintFromName(context.Cluster))
	if cluster := raw.Clusters[context.Cluster]; cluster != nil {
		hint.Server = cluster.Server
		hint.complete(hintFromServer(cluster.Server))
	}
	return hint
}

// complete takes from other what is still missing. A region found elsewhere
// is kept: the plugin's --region is what the user's token is made with.
func (h *Hint) complete(other Hint) {
	if h.Name == "" && other.Form != FormNone {
		h.Name, h.Form = other.Name, other.Form
	}
	if h.Region == "" {
		h.Region = other.Region
	}
}

// hintFromExec reads the arguments of `aws eks get-token` and
// `aws-iam-authenticator token`, also behind a shell.
func hintFromExec(exec *clientcmdapi.ExecConfig) Hint {
	var hint Hint
	args := exec.Args
	switch programName(exec.Command) {
	case "sh", "bash", "zsh", "dash":
		args = strings.Fields(strings.Join(args, " "))
	}
	var clusterID string
	for i := 0; i < len(args); i++ {
		name, value, hasValue := strings.Cut(args[i], "=")
		target := hint.flag(name, &clusterID)
		if target == nil {
			continue
		}
		if !hasValue && i+1 < len(args) {
			i++
			value = args[i]
		}
		*target = strings.Trim(value, `"'`)
	}
	for _, env := range exec.Env {
		switch {
		case env.Name == "AWS_PROFILE" && hint.Profile == "":
			hint.Profile = env.Value
		case (env.Name == "AWS_REGION" || env.Name == "AWS_DEFAULT_REGION") && hint.Region == "":
			hint.Region = env.Value
		}
	}
	if hint.Name == "" {
		hint.Name = clusterID
	}
	if hint.Name != "" {
		hint.Form = FormExec
	}
	return hint
}

// programName is a command without its folders and Windows' ending: the
// kubeconfig may be of another system than this one.
func programName(command string) string {
	name := command[strings.LastIndexAny(command, `/\`)+1:]
	return strings.TrimSuffix(strings.ToLower(name), ".exe")
}

// flag returns where the value of a flag belongs, or nil.
func (h *Hint) flag(name string, clusterID *string) *string {
	switch name {
	case "--cluster-name":
		return &h.Name
	case "--cluster-id", "-i":
		return clusterID
	case "--region":
		return &h.Region
	case "--role-arn", "--role", "-r":
		return &h.RoleARN
	case "--profile":
		return &h.Profile
	}
	return nil
}

var (
	clusterARN = regexp.MustCompile(`^arn:aws[a-z0-9-]*:eks:([a-z0-9-]+):\d{12}:cluster/(.+)$`)
	eksctlName = regexp.MustCompile(`^(.+)\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.eksctl\.io$`)
	regionName = regexp.MustCompile(`^[a-z]{2,}(?:-[a-z]+)+-\d+$`)
)

func hintFromName(name string) Hint {
	if m := clusterARN.FindStringSubmatch(name); m != nil {
		return Hint{Name: m[2], Region: m[1], Form: FormARN}
	}
	if m := eksctlName.FindStringSubmatch(name); m != nil {
		return Hint{Name: m[1], Region: m[2], Form: FormEksctl}
	}
	return Hint{}
}

// hintFromServer finds the region in HASH.xxx.REGION.eks.amazonaws.com, its
// relatives in other partitions, and HASH.eks-cluster.REGION.api.aws.
func hintFromServer(server string) Hint {
	parsed, err := url.Parse(server)
	if err != nil {
		return Hint{}
	}
	labels := strings.Split(parsed.Hostname(), ".")
	for i, label := range labels {
		switch {
		case label == "eks" && i > 0 && regionName.MatchString(labels[i-1]):
			return Hint{Region: labels[i-1], Form: FormServer}
		case label == "eks-cluster" && i+1 < len(labels) && regionName.MatchString(labels[i+1]):
			return Hint{Region: labels[i+1], Form: FormServer}
		}
	}
	return Hint{}
}
