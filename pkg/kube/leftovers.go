package kube

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// ebsDrivers are the CSI drivers whose volumes are EBS's: the add-on's and
// that of EKS Auto Mode.
func ebsDrivers() []string { return []string{"ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com"} }

// albFinalizer is part of every finalizer that the AWS Load Balancer
// Controller puts on an Ingress for which it has made something
// (https://kubernetes-sigs.github.io/aws-load-balancer-controller/).
const albFinalizer = "ingress.k8s.aws/"

// Leftovers reads what the cluster's controllers have made in AWS: load
// balancers of Services, Ingresses and Gateways, and EBS volumes.
func (c *Client) Leftovers(ctx context.Context) (*snapshot.Leftovers, error) {
	services, err := listAll[corev1.ServiceList](ctx, c, "list services", "/api/v1/services")
	if err != nil {
		return nil, err
	}
	ingresses, err := listAll[networkingv1.IngressList](ctx, c, "list ingresses", "/apis/networking.k8s.io/v1/ingresses")
	if err != nil {
		return nil, err
	}
	gateways, err := listAll[gatewayList](ctx, c, "list gateways", "/apis/gateway.networking.k8s.io/v1/gateways")
	if err != nil && !IsKind(err, Absent) { // most clusters have no such kind
		return nil, err
	}
	volumes, err := listAll[corev1.PersistentVolumeList](ctx, c, "list persistentvolumes", "/api/v1/persistentvolumes")
	if err != nil {
		return nil, err
	}
	out := &snapshot.Leftovers{}
	for _, page := range services {
		out.LoadBalancers = append(out.LoadBalancers, balancedServices(page.Items)...)
	}
	known := make([]string, 0, len(out.LoadBalancers))
	for _, balancer := range out.LoadBalancers {
		known = append(known, balancer.Address)
	}
	for _, page := range ingresses {
		out.LoadBalancers = append(out.LoadBalancers, balancedIngresses(page.Items, known)...)
	}
	for _, page := range gateways {
		out.LoadBalancers = append(out.LoadBalancers, balancedGateways(page.Items, known)...)
	}
	for _, page := range volumes {
		out.Volumes = append(out.Volumes, claimedDisks(page.Items)...)
	}
	return out, nil
}

// listAll reads all pages of a list.
func listAll[List any](ctx context.Context, c *Client, doing, path string) ([]List, error) {
	var pages []List
	err := c.list(ctx, path, nil, func(data []byte) (bool, error) {
		var page List
		if err := json.Unmarshal(data, &page); err != nil {
			return false, err
		}
		pages = append(pages, page)
		return true, nil
	})
	return pages, wrap(doing, err)
}

// balancedServices takes every Service that asks for a load balancer: one
// that has none yet may be getting it.
func balancedServices(services []corev1.Service) []snapshot.LoadBalancer {
	var out []snapshot.LoadBalancer
	for i := range services {
		service := &services[i]
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
			continue
		}
		address := ""
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			address = redact.Line(ingress.Hostname + ingress.IP)
		}
		out = append(out, snapshot.LoadBalancer{Kind: "service", Namespace: service.Namespace, Name: service.Name, Address: address})
	}
	return out
}

// balancedIngresses takes Ingresses with a load balancer of their own. One
// that is served by pods behind a Service has that Service's address.
func balancedIngresses(ingresses []networkingv1.Ingress, known []string) []snapshot.LoadBalancer {
	var out []snapshot.LoadBalancer
	for i := range ingresses {
		ingress := &ingresses[i]
		address := ""
		for _, at := range ingress.Status.LoadBalancer.Ingress {
			address = redact.Line(at.Hostname + at.IP)
		}
		made := slices.ContainsFunc(ingress.Finalizers, func(finalizer string) bool { return strings.Contains(finalizer, albFinalizer) })
		if made || isELB(address) && !slices.Contains(known, address) {
			out = append(out, snapshot.LoadBalancer{Kind: "ingress", Namespace: ingress.Namespace, Name: ingress.Name, Address: address})
		}
	}
	return out
}

// gatewayList is the part of a Gateway API's list that is read here.
type gatewayList struct {
	Items []gateway `json:"items"`
}

type gateway struct {
	Metadata struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"metadata"`
	Status struct {
		Addresses []struct {
			Value string `json:"value"`
		} `json:"addresses"`
	} `json:"status"`
}

func balancedGateways(gateways []gateway, known []string) []snapshot.LoadBalancer {
	var out []snapshot.LoadBalancer
	for _, one := range gateways {
		for _, at := range one.Status.Addresses {
			if address := redact.Line(at.Value); isELB(address) && !slices.Contains(known, address) {
				out = append(out, snapshot.LoadBalancer{Kind: "gateway", Namespace: one.Metadata.Namespace, Name: one.Metadata.Name, Address: address})
				break
			}
		}
	}
	return out
}

// isELB reports whether a host name is one that AWS gives to load balancers:
// NAME.REGION.elb.amazonaws.com, NAME.elb.REGION.amazonaws.com, or of China.
func isELB(host string) bool {
	return strings.Contains(host, ".elb.") && (strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn"))
}

func claimedDisks(volumes []corev1.PersistentVolume) []snapshot.ClaimedDisk {
	var out []snapshot.ClaimedDisk
	for i := range volumes {
		volume := &volumes[i]
		var id string
		switch spec := volume.Spec.PersistentVolumeSource; {
		case spec.CSI != nil && slices.Contains(ebsDrivers(), spec.CSI.Driver):
			id = spec.CSI.VolumeHandle
		case spec.AWSElasticBlockStore != nil: // aws://ZONE/vol-…
			id = spec.AWSElasticBlockStore.VolumeID[strings.LastIndexByte(spec.AWSElasticBlockStore.VolumeID, '/')+1:]
		default:
			continue
		}
		disk := snapshot.ClaimedDisk{
			ID: redact.Line(id), Name: volume.Name, Size: volume.Spec.Capacity.Storage().String(),
			Kept: volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete,
		}
		if claim := volume.Spec.ClaimRef; claim != nil {
			disk.Claim = claim.Namespace + "/" + claim.Name
		}
		out = append(out, disk)
	}
	return out
}
