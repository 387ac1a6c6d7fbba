// Package kube reads what a cluster's own API says into a snapshot, finds out
// from the kubeconfig which EKS cluster that is, and edits aws-auth.
package kube

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Flags are kubectl's connection flags: --kubeconfig, --context, --cluster,
// --user, --server, --request-timeout, --as and so on.
type Flags struct {
	Kubeconfig string
	Overrides  clientcmd.ConfigOverrides
}

// Bind adds the flags to a flag set. Names and passwords have no flags: EKS
// takes neither.
func (f *Flags) Bind(set *pflag.FlagSet) {
	set.StringVar(&f.Kubeconfig, clientcmd.RecommendedConfigPathFlag, "", "Path to the kubeconfig file to use")
	names := clientcmd.RecommendedConfigOverrideFlags("")
	names.AuthOverrideFlags.Username = clientcmd.FlagInfo{}
	names.AuthOverrideFlags.Password = clientcmd.FlagInfo{}
	names.ContextOverrideFlags.Namespace.ShortName = "n"
	names.ClusterOverrideFlags.APIServer.ShortName = "s"
	clientcmd.BindOverrideFlags(&f.Overrides, set, names)
}

// Connection is a way to the API server of one kubeconfig context.
type Connection struct {
	Config      *rest.Config
	Client      *Client
	Raw         clientcmdapi.Config // the merged kubeconfig, flags applied
	ContextName string
	Server      string // URL
	ServerCA    string // PEM; empty when the system's roots are used
}

// Load reads the kubeconfig and prepares a client. It opens no connection
// and runs no credential plugin; the first request does.
func Load(flags *Flags, version string) (*Connection, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = flags.Kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &flags.Overrides)
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config.UserAgent = product.Binary + "/" + version
	config.QPS, config.Burst = -1, 0          // the API server's own fairness decides
	config.WarningHandler = rest.NoWarnings{} // nothing here uses what could be deprecated
	client, err := NewClient(config)
	if err != nil {
		return nil, err
	}
	ca, err := serverCA(config)
	if err != nil {
		return nil, err
	}
	conn := &Connection{Config: config, Client: client, Server: config.Host, ServerCA: ca}
	conn.Raw, conn.ContextName = applyOverrides(raw, &flags.Overrides)
	return conn, nil
}

// Target is what the connection says of the cluster that is meant.
func (c *Connection) Target() snapshot.Target {
	return snapshot.Target{Context: c.ContextName, Server: c.Server, ServerCA: c.ServerCA}
}

// Hint says which EKS cluster the context means.
func (c *Connection) Hint() Hint {
	hint := ClusterHint(&c.Raw, c.ContextName)
	if hint.Server == "" {
		hint.Server = c.Server
	}
	return hint
}

func serverCA(config *rest.Config) (string, error) {
	if len(config.CAData) > 0 || config.CAFile == "" {
		return string(config.CAData), nil
	}
	pem, err := os.ReadFile(config.CAFile)
	if err != nil {
		return "", fmt.Errorf("read the cluster's CA: %w", err)
	}
	return string(pem), nil
}

// applyOverrides puts the flags into the kubeconfig, so that what is read
// from it later is what is connected to.
func applyOverrides(raw clientcmdapi.Config, flags *clientcmd.ConfigOverrides) (clientcmdapi.Config, string) {
	raw = *raw.DeepCopy()
	name := raw.CurrentContext
	if flags.CurrentContext != "" {
		name = flags.CurrentContext
	}
	context := raw.Contexts[name]
	if context == nil {
		return raw, name
	}
	if flags.Context.Cluster != "" {
		context.Cluster = flags.Context.Cluster
	}
	if flags.Context.AuthInfo != "" {
		context.AuthInfo = flags.Context.AuthInfo
	}
	if cluster := raw.Clusters[context.Cluster]; cluster != nil && flags.ClusterInfo.Server != "" {
		cluster.Server = flags.ClusterInfo.Server
	}
	return raw, name
}
