package clitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ending is what speaks against a cluster's end, and how far that is.
type ending struct {
	protected        bool
	managed, fargate []string
	services         []corev1.Service
	ingresses        []networkingv1.Ingress
	volumes          []corev1.PersistentVolume
	stack            *stack // that the cluster came by
	looks            int    // so many times more the cluster is seen going
	state            string // DELETING, then gone; "" while it stands
}

// The states of a cluster that goes.
const (
	clusterGoing = "DELETING"
	clusterGone  = "gone"
)

// leave is a story's word on what the cluster has made or who lives in it.
func (w *World) leave(words []string) error {
	end := &w.ending
	switch {
	case len(words) == 1 && words[0] == "deletion-protection":
		end.protected = true
	case len(words) == 2 && words[0] == "managed":
		end.managed = append(end.managed, words[1])
	case len(words) == 2 && words[0] == "fargate":
		end.fargate = append(end.fargate, words[1])
	case len(words) == 2 && words[0] == "service":
		service := corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: words[1]}, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}
		service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: words[1] + ".us-west-2.elb.amazonaws.com"}}
		end.services = append(end.services, service)
	case len(words) == 3 && words[0] == "ingress":
		ingress := networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: words[1]}}
		ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{Hostname: words[2]}}
		end.ingresses = append(end.ingresses, ingress)
	case len(words) == 3 && words[0] == "volume":
		end.volumes = append(end.volumes, disk(words[1], corev1.PersistentVolumeReclaimPolicy(words[2])))
	case len(words) == 2 && words[0] == "cluster-stack":
		end.stack = &stack{name: words[1], id: fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/1", Region, Account, words[1]), status: "CREATE_COMPLETE"}
	case len(words) == 1 && words[0] == "nothing-left":
		*end = ending{stack: end.stack}
	default:
		return fmt.Errorf("the world cannot %q", words)
	}
	return nil
}

func disk(id string, reclaim corev1.PersistentVolumeReclaimPolicy) corev1.PersistentVolume {
	return corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-" + id},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")},
			PersistentVolumeReclaimPolicy: reclaim,
			ClaimRef:                      &corev1.ObjectReference{Namespace: "default", Name: "data-" + id},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "ebs.csi.aws.com", VolumeHandle: id}},
		},
	}
}

// endOfCluster answers calls about the end of the cluster; ok is false for
// other calls.
func (w *World) endOfCluster(operation string) (out answer, ok bool) {
	end := &w.ending
	if operation == "DescribeCluster" && end.state == clusterGoing {
		if end.looks--; end.looks < 0 {
			end.state = clusterGone
		}
	}
	if end.state == clusterGone {
		return refuse("eks", http.StatusNotFound, "ResourceNotFoundException", "No cluster found for name: "+Cluster+"."), true
	}
	var document map[string]any
	switch operation {
	case "ListNodegroups":
		document = map[string]any{"nodegroups": end.managed}
	case "ListFargateProfiles":
		document = map[string]any{"fargateProfileNames": end.fargate}
	case "DeleteCluster":
		end.state, end.looks = clusterGoing, 2
		document = map[string]any{"cluster": w.cluster()}
	default:
		return answer{}, false
	}
	text, err := json.Marshal(document)
	if err != nil {
		return answer{http.StatusInternalServerError, err.Error()}, true
	}
	return answer{http.StatusOK, string(text)}, true
}

// made are the lists of what the cluster has made in AWS; nil for other paths.
func (w *World) made(path string) any {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch path {
	case "/api/v1/services":
		return corev1.ServiceList{Items: w.ending.services}
	case "/apis/networking.k8s.io/v1/ingresses":
		return networkingv1.IngressList{Items: w.ending.ingresses}
	case "/api/v1/persistentvolumes":
		return corev1.PersistentVolumeList{Items: w.ending.volumes}
	}
	return nil
}

// stackNamed is the stack with a name or an id; a deleted one is found by its
// id only.
func (w *World) stackNamed(name string) *stack {
	for _, s := range []*stack{w.stack, w.ending.stack} {
		if s != nil && (name == s.id || name == s.name && s.status != "DELETE_COMPLETE") {
			return s
		}
	}
	return nil
}

// allStacks are those that are not deleted.
func (w *World) allStacks() answer {
	var out strings.Builder
	for _, s := range []*stack{w.stack, w.ending.stack} {
		if s != nil && s.status != "DELETE_COMPLETE" {
			out.WriteString(s.xml())
		}
	}
	return wrapped("DescribeStacks", "<Stacks>%s</Stacks>", out.String())
}

// clusterResources is what the cluster's stack holds.
func clusterResources() answer {
	var out strings.Builder
	for _, kind := range []string{"AWS::EKS::Cluster", "AWS::EC2::Subnet", "AWS::EC2::Subnet", "AWS::EC2::VPC"} {
		fmt.Fprintf(&out, "<member><LogicalResourceId>r</LogicalResourceId><ResourceType>%s</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>", kind)
	}
	return wrapped("ListStackResources", "<StackResourceSummaries>%s</StackResourceSummaries>", out.String())
}
