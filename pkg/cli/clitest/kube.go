package clitest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
)

// serveKube is the cluster's API, as far as the plugin looks at it.
func (w *World) serveKube(rw http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	watching := r.URL.Query().Get("watch") != ""
	verb := map[string]string{http.MethodGet: "get", http.MethodPost: "create", http.MethodPut: "update", http.MethodDelete: "delete"}[r.Method]
	switch {
	case watching:
		verb = "watch"
	case r.URL.Path == "/api/v1/nodes":
		verb = "list"
	}
	resource := parts[len(parts)-1]
	if strings.Contains(r.URL.Path, "/configmaps") {
		resource = "configmaps"
	}
	w.mu.Lock()
	w.calls = append(w.calls, "kube:"+verb+" "+resource)
	w.mu.Unlock()
	switch {
	case r.URL.Path == "/version":
		send(rw, http.StatusOK, map[string]string{"major": "1", "minor": "34", "gitVersion": "v1.34.4"})
	case r.URL.Path == "/api/v1/nodes" && watching:
		w.watchNodes(rw, r)
	case r.URL.Path == "/api/v1/nodes":
		w.mu.Lock()
		list := corev1.NodeList{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(w.version)}, Items: w.nodeObjects()}
		w.mu.Unlock()
		list.Kind, list.APIVersion = "NodeList", "v1"
		if w.many > 0 {
			list = w.manyNodes(r.URL.Query())
		}
		send(rw, http.StatusOK, list)
	case strings.HasPrefix(r.URL.Path, "/api/v1/namespaces/kube-system/configmaps"):
		w.configMaps(rw, r)
	case strings.HasPrefix(r.URL.Path, "/api/v1/nodes/"):
		w.oneNode(rw, r, parts[len(parts)-1])
	case r.URL.Path == "/api/v1/pods":
		w.mu.Lock()
		defer w.mu.Unlock()
		node := strings.TrimPrefix(r.URL.Query().Get("fieldSelector"), "spec.nodeName=")
		list := corev1.PodList{Items: []corev1.Pod{}}
		for _, pod := range w.pods {
			if node == "" || pod.Spec.NodeName == node {
				list.Items = append(list.Items, pod)
			}
		}
		send(rw, http.StatusOK, list)
	case r.URL.Path == "/apis/policy/v1/poddisruptionbudgets":
		w.mu.Lock()
		defer w.mu.Unlock()
		send(rw, http.StatusOK, policyv1.PodDisruptionBudgetList{Items: w.budgets})
	case strings.HasSuffix(r.URL.Path, "/selfsubjectreviews"):
		w.mu.Lock()
		me := w.me
		w.mu.Unlock()
		send(rw, http.StatusCreated, map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
			"status": map[string]any{"userInfo": map[string]any{"username": "me", "extra": map[string]any{"arn": []string{me}}}}})
	default:
		if list := w.made(r.URL.Path); list != nil {
			send(rw, http.StatusOK, list)
			return
		}
		notFound(rw, r.URL.Path)
	}
}

func send(rw http.ResponseWriter, status int, object any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(object) // the client is gone if this fails
}

func notFound(rw http.ResponseWriter, what string) {
	send(rw, http.StatusNotFound, metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound, Message: what + " not found"})
}

func (w *World) nodeObjects() []corev1.Node {
	var out []corev1.Node
	for _, n := range w.nodes {
		status := corev1.ConditionFalse
		if n.ready {
			status = corev1.ConditionTrue
		}
		out = append(out, corev1.Node{
			TypeMeta:   metav1.TypeMeta{Kind: "Node", APIVersion: "v1"},
			ObjectMeta: metav1.ObjectMeta{Name: n.name, UID: types.UID(n.name), ResourceVersion: strconv.Itoa(w.version), Labels: map[string]string{"eksnodes.dev/group": "workers"}},
			Spec:       corev1.NodeSpec{ProviderID: n.providerID, Unschedulable: n.cordoned},
			Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v1.34.4"}, Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status,
				Reason: "KubeletNotReady", Message: "container runtime network not ready: cni plugin not initialized"}}},
		})
	}
	return out
}

// oneNode gives or deletes a Node object.
func (w *World) oneNode(rw http.ResponseWriter, r *http.Request, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, node := range w.nodeObjects() {
		if node.Name != name {
			continue
		}
		if r.Method == http.MethodDelete {
			delete(w.nodes, name)
			w.touch()
		}
		send(rw, http.StatusOK, node)
		return
	}
	notFound(rw, "nodes "+name)
}

// addPod puts a pod on a node: one of a ReplicaSet that a budget of its
// application covers, or one that nothing makes anew.
func (w *World) addPod(name, node, app string) {
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: corev1.PodSpec{NodeName: node}}
	if app != "" {
		controls := true
		pod.Labels = map[string]string{"app": app}
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: app, Controller: &controls}}
		pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	}
	w.pods = append(w.pods, pod)
}

// watchNodes streams the whole list after every change; a client takes a
// repeated ADDED for an update.
func (w *World) watchNodes(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(http.StatusOK)
	stream := json.NewEncoder(rw)
	for first := true; ; first = false {
		w.mu.Lock()
		nodes, version, changed := w.nodeObjects(), strconv.Itoa(w.version), w.changed
		w.mu.Unlock()
		for i := range nodes {
			if stream.Encode(map[string]any{"type": "ADDED", "object": nodes[i]}) != nil {
				return
			}
		}
		if first && r.URL.Query().Get("sendInitialEvents") == "true" {
			_ = stream.Encode(map[string]any{"type": "BOOKMARK", "object": map[string]any{"kind": "Node", "apiVersion": "v1",
				"metadata": map[string]any{"resourceVersion": version, "annotations": map[string]string{metav1.InitialEventsAnnotationKey: "true"}}}})
		}
		if flusher, ok := rw.(http.Flusher); ok {
			flusher.Flush()
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
	}
}

func (w *World) configMaps(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	object := func() corev1.ConfigMap {
		return corev1.ConfigMap{TypeMeta: metav1.TypeMeta{Kind: "ConfigMap", APIVersion: "v1"},
			ObjectMeta: metav1.ObjectMeta{Name: "aws-auth", Namespace: "kube-system", ResourceVersion: strconv.Itoa(w.version)}, Data: w.awsAuth}
	}
	if r.Method == http.MethodGet {
		if w.awsAuth == nil {
			notFound(rw, "configmaps aws-auth")
			return
		}
		send(rw, http.StatusOK, object())
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	decoded, _, err := serializer.NewCodecFactory(scheme).UniversalDeserializer().Decode(body, nil, nil) // protobuf or JSON
	in, isMap := decoded.(*corev1.ConfigMap)
	if err != nil || !isMap {
		http.Error(rw, fmt.Sprintf("not a ConfigMap: %v", err), http.StatusBadRequest)
		return
	}
	if r.URL.Query().Get("dryRun") != "" {
		send(rw, http.StatusOK, in)
		return
	}
	if w.conflicts > 0 {
		w.conflicts--
		w.touch() // somebody else was faster
	}
	if r.Method == http.MethodPut && in.ResourceVersion != "" && in.ResourceVersion != strconv.Itoa(w.version) {
		refuseKube(rw, http.StatusConflict, metav1.StatusReasonConflict, "the object has been modified")
		return
	}
	w.awsAuth = in.Data
	w.touch()
	send(rw, http.StatusOK, object())
}
