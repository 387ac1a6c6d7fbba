package kube

import (
	"context"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/gentype"
	"k8s.io/client-go/rest"
)

// Client makes requests to the API server for the few kinds that are read
// here. It is built from the parts of client-go's own typed clients; the whole
// clientset brings in every kind of Kubernetes and ten megabytes.
type Client struct {
	core, apps rest.Interface
	params     runtime.ParameterCodec
}

// The typed clients, with the methods of client-go's.
type (
	// NodeClient is for nodes.
	NodeClient = gentype.ClientWithList[*corev1.Node, *corev1.NodeList]
	// ConfigMapClient is for one namespace.
	ConfigMapClient = gentype.ClientWithList[*corev1.ConfigMap, *corev1.ConfigMapList]
	// ServiceAccountClient is for one namespace.
	ServiceAccountClient = gentype.ClientWithList[*corev1.ServiceAccount, *corev1.ServiceAccountList]
	// DaemonSetClient is for one namespace.
	DaemonSetClient = gentype.ClientWithList[*appsv1.DaemonSet, *appsv1.DaemonSetList]
)

// NewClient prepares a client; it opens no connection.
func NewClient(config *rest.Config) (*Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("prepare the Kubernetes client: %w", err)
		}
	}
	codecs := serializer.NewCodecFactory(scheme)
	shared, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("prepare the Kubernetes client: %w", err)
	}
	of := func(gv schema.GroupVersion, path string) (rest.Interface, error) {
		config := rest.CopyConfig(config)
		config.GroupVersion, config.APIPath = &gv, path
		config.NegotiatedSerializer = codecs.WithoutConversion()
		client, err := rest.RESTClientForConfigAndClient(config, shared)
		if err != nil {
			return nil, fmt.Errorf("prepare the Kubernetes client: %w", err)
		}
		return client, nil
	}
	client := &Client{params: runtime.NewParameterCodec(scheme)}
	if client.core, err = of(corev1.SchemeGroupVersion, "/api"); err != nil {
		return nil, err
	}
	if client.apps, err = of(appsv1.SchemeGroupVersion, "/apis"); err != nil {
		return nil, err
	}
	return client, nil
}

// Nodes returns the client of nodes.
func (c *Client) Nodes() *NodeClient {
	return gentype.NewClientWithList("nodes", c.core, c.params, "",
		func() *corev1.Node { return &corev1.Node{} }, func() *corev1.NodeList { return &corev1.NodeList{} })
}

// ConfigMaps returns the client of a namespace's ConfigMaps.
func (c *Client) ConfigMaps(namespace string) *ConfigMapClient {
	return gentype.NewClientWithList("configmaps", c.core, c.params, namespace,
		func() *corev1.ConfigMap { return &corev1.ConfigMap{} }, func() *corev1.ConfigMapList { return &corev1.ConfigMapList{} })
}

// ServiceAccounts returns the client of a namespace's service accounts.
func (c *Client) ServiceAccounts(namespace string) *ServiceAccountClient {
	return gentype.NewClientWithList("serviceaccounts", c.core, c.params, namespace,
		func() *corev1.ServiceAccount { return &corev1.ServiceAccount{} }, func() *corev1.ServiceAccountList { return &corev1.ServiceAccountList{} })
}

// DaemonSets returns the client of a namespace's DaemonSets.
func (c *Client) DaemonSets(namespace string) *DaemonSetClient {
	return gentype.NewClientWithList("daemonsets", c.apps, c.params, namespace,
		func() *appsv1.DaemonSet { return &appsv1.DaemonSet{} }, func() *appsv1.DaemonSetList { return &appsv1.DaemonSetList{} })
}

// ServerVersion asks the API server which version it is.
func (c *Client) ServerVersion(ctx context.Context) (version.Info, error) {
	var info version.Info
	data, err := c.core.Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return info, err
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return info, fmt.Errorf("decode the server's version: %w", err)
	}
	return info, nil
}
