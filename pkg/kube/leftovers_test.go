package kube

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

const elb = "k8s-shop.elb.us-west-2.amazonaws.com"

func TestBalancedServices(t *testing.T) {
	named := func(name string, kind corev1.ServiceType, host string) corev1.Service {
		service := corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.ServiceSpec{Type: kind}}
		if host != "" {
			service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: host}}
		}
		return service
	}
	got := balancedServices([]corev1.Service{
		named("web", corev1.ServiceTypeLoadBalancer, elb), named("new", corev1.ServiceTypeLoadBalancer, ""), named("inner", corev1.ServiceTypeClusterIP, ""),
	})
	want := []snapshot.LoadBalancer{{Kind: "service", Namespace: "shop", Name: "web", Address: elb}, {Kind: "service", Namespace: "shop", Name: "new"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBalancedIngresses(t *testing.T) {
	named := func(name, host string, finalizers ...string) networkingv1.Ingress {
		ingress := networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Finalizers: finalizers}}
		if host != "" {
			ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{Hostname: host}}
		}
		return ingress
	}
	got := balancedIngresses([]networkingv1.Ingress{
		named("of-its-own", "own.us-west-2.elb.amazonaws.com"), named("by-nginx", elb), named("elsewhere", "lb.example.com"), named("none", ""),
		named("being-made", "", "ingress.k8s.aws/resources"), named("in-a-group", elb, "group.ingress.k8s.aws/shared"),
	}, []string{elb})
	var names []string
	for _, one := range got {
		names = append(names, one.Name)
	}
	if diff := cmp.Diff([]string{"of-its-own", "being-made", "in-a-group"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestIsELB(t *testing.T) {
	for host, want := range map[string]bool{
		"a.us-west-2.elb.amazonaws.com": true, "a.elb.us-west-2.amazonaws.com": true, "a.elb.cn-north-1.amazonaws.com.cn": true,
		"a.elb.example.com": false, "amazonaws.com": false, "": false,
	} {
		if got := isELB(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestClaimedDisks(t *testing.T) {
	volume := func(name string, reclaim corev1.PersistentVolumeReclaimPolicy, source corev1.PersistentVolumeSource) corev1.PersistentVolume {
		return corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PersistentVolumeSpec{
			Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")}, PersistentVolumeReclaimPolicy: reclaim, PersistentVolumeSource: source,
		}}
	}
	csi := func(driver string) corev1.PersistentVolumeSource {
		return corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: driver, VolumeHandle: "vol-1"}}
	}
	claimed := volume("a", corev1.PersistentVolumeReclaimDelete, csi("ebs.csi.aws.com"))
	claimed.Spec.ClaimRef = &corev1.ObjectReference{Namespace: "shop", Name: "data"}
	got := claimedDisks([]corev1.PersistentVolume{
		claimed, volume("b", corev1.PersistentVolumeReclaimRetain, csi("ebs.csi.eks.amazonaws.com")), volume("c", corev1.PersistentVolumeReclaimDelete, csi("efs.csi.aws.com")),
		volume("d", corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeSource{AWSElasticBlockStore: &corev1.AWSElasticBlockStoreVolumeSource{VolumeID: "aws://us-west-2a/vol-4"}}),
		volume("e", corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}),
	})
	want := []snapshot.ClaimedDisk{
		{ID: "vol-1", Name: "a", Claim: "shop/data", Size: "20Gi"}, {ID: "vol-1", Name: "b", Size: "20Gi", Kept: true}, {ID: "vol-4", Name: "d", Size: "20Gi"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
