// Package kubeconfig writes the sandbox's kubeconfig files.
package kubeconfig

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/pki"
)

// User is the kubeconfig that `aws eks update-kubeconfig` writes: cluster, context
// and user named by the cluster's ARN, tokens from `aws eks get-token`.
// https://docs.aws.amazon.com/cli/latest/reference/eks/update-kubeconfig.html
func User(clusterARN, clusterName, region, server string, ca []byte) ([]byte, error) {
	return write(clusterARN, server, ca, &api.AuthInfo{Exec: &api.ExecConfig{
		APIVersion:      "client.authentication.k8s.io/v1beta1",
		Command:         "aws",
		Args:            []string{"--region", region, "eks", "get-token", "--cluster-name", clusterName, "--output", "json"},
		InteractiveMode: api.IfAvailableExecInteractiveMode,
	}})
}

// Certificate is a kubeconfig with a client certificate.
func Certificate(name, server string, ca []byte, client pki.Pair) ([]byte, error) {
	return write(name, server, ca, &api.AuthInfo{ClientCertificateData: client.Cert, ClientKeyData: client.Key})
}

// Webhook is the file that tells the API server where its token webhook is.
func Webhook(url string, ca []byte) ([]byte, error) {
	return write("webhook", url, ca, &api.AuthInfo{})
}

func write(name, server string, ca []byte, user *api.AuthInfo) ([]byte, error) {
	config := api.Config{
		Clusters:       map[string]*api.Cluster{name: {Server: server, CertificateAuthorityData: ca}},
		AuthInfos:      map[string]*api.AuthInfo{name: user},
		Contexts:       map[string]*api.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}
	text, err := clientcmd.Write(config)
	if err != nil {
		return nil, fmt.Errorf("write kubeconfig %s: %w", name, err)
	}
	return text, nil
}
