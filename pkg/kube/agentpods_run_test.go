package kube

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// podServer plays pods of namespaces that are there, and what becomes of them.
type podServer struct {
	namespaces []string
	becomes    corev1.PodStatus
	log        string
	asked      func() // of a pod's state

	mu   sync.Mutex
	pods map[string]*corev1.Pod // by path
	made []string
}

func (s *podServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pod := s.pods[strings.TrimSuffix(r.URL.Path, "/log")]
	switch {
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/pods"):
		s.list(w, r)
	case r.Method == http.MethodPost:
		s.create(w, r)
	case strings.HasSuffix(r.URL.Path, "/events"):
		reply(w, http.StatusOK, corev1.EventList{Items: []corev1.Event{{Reason: "FailedMount", Message: "hostPath type check failed: /etc/eks is not a directory"}}})
	case pod == nil:
		status(w, http.StatusNotFound)
	case strings.HasSuffix(r.URL.Path, "/log"):
		_, _ = io.WriteString(w, s.log)
	case r.Method == http.MethodDelete:
		delete(s.pods, r.URL.Path)
		reply(w, http.StatusOK, pod)
	default:
		if s.asked != nil {
			s.asked()
		}
		pod.Status = s.becomes
		reply(w, http.StatusOK, pod)
	}
}

func (s *podServer) list(w http.ResponseWriter, r *http.Request) {
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}}
	for path, pod := range s.pods {
		if strings.HasPrefix(path, r.URL.Path+"/") && r.URL.Query().Get("labelSelector") == "app.kubernetes.io/name="+pod.Labels["app.kubernetes.io/name"] {
			list.Items = append(list.Items, *pod)
		}
	}
	reply(w, http.StatusOK, list)
}

func (s *podServer) create(w http.ResponseWriter, r *http.Request) {
	namespace := strings.Split(r.URL.Path, "/")[4]
	var pod corev1.Pod
	if err := json.NewDecoder(r.Body).Decode(&pod); err != nil {
		panic(err)
	}
	for _, there := range s.namespaces {
		if there == namespace {
			pod.UID = "uid"
			pod.APIVersion, pod.Kind = "v1", "Pod"
			pod.CreationTimestamp = metav1.Now()
			s.pods[r.URL.Path+"/"+pod.Name] = &pod
			s.made = append(s.made, namespace)
			reply(w, http.StatusCreated, pod)
			return
		}
	}
	status(w, http.StatusNotFound)
}

// A pod is run in the agent's namespace or in kube-system; its report, or why
// there is none, comes home; and in every case the pod is gone.
func TestRunAgentPod(t *testing.T) {
	waiting := func(reason string) corev1.PodStatus {
		return corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "not found\x1b[2J"}}}}}
	}
	ended := corev1.PodStatus{Phase: corev1.PodSucceeded}
	for name, test := range map[string]struct {
		server    *podServer
		interrupt bool
		want      string
		says      string
		in        string
	}{
		"installed":     {&podServer{namespaces: []string{"eksnodes", "kube-system"}, becomes: ended, log: "{\"a\":1}\n"}, false, `{"a":1}`, "", "eksnodes"},
		"not installed": {&podServer{namespaces: []string{"kube-system"}, becomes: ended, log: "{\"a\":1}\n"}, false, `{"a":1}`, "", "kube-system"},
		"no image":      {&podServer{namespaces: []string{"eksnodes"}, becomes: waiting("ErrImagePull")}, false, "", "the pod does not start: ErrImagePull: not found", "eksnodes"},
		"failed":        {&podServer{namespaces: []string{"eksnodes"}, becomes: corev1.PodStatus{Phase: corev1.PodFailed}, log: "error: no\n"}, false, "", "the pod failed: error: no", "eksnodes"},
		"ended by time": {&podServer{namespaces: []string{"eksnodes"}, becomes: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "DeadlineExceeded"}}, false, "", "the pod failed: DeadlineExceeded", "eksnodes"},
		"interrupted":   {&podServer{namespaces: []string{"eksnodes"}, becomes: waiting("ContainerCreating")}, true, "", "FailedMount: hostPath type check failed: /etc/eks is not a directory", "eksnodes"},
		"not allowed":   {&podServer{}, false, "", "create a pod in namespace kube-system", ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server := test.server
			server.pods = map[string]*corev1.Pod{}
			if test.interrupt {
				server.asked = cancel
			}
			listener := httptest.NewServer(server)
			t.Cleanup(listener.Close)
			client, err := NewClient(&rest.Config{Host: listener.URL, QPS: -1})
			if err != nil {
				t.Fatal(err)
			}
			got, notes, err := AgentPods{Client: client}.Run(ctx, "n1", "Amazon Linux 2023")
			if len(notes) > 0 {
				t.Errorf("notes are %q", notes)
			}
			if string(got) != test.want || (err == nil) != (test.says == "") || err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\x1b")) {
				t.Errorf("%q, %v", got, err)
			}
			if strings.Join(server.made, " ") != test.in {
				t.Errorf("made in %q", server.made)
			}
			if len(server.pods) > 0 {
				t.Errorf("%d pods are left", len(server.pods))
			}
		})
	}
}

// A run takes away what one that was killed has left, and says so; a pod of a
// run that may still be at work, and pods of others, stay.
func TestRunSweepsUp(t *testing.T) {
	const path = "/api/v1/namespaces/eksnodes/pods/"
	pod := func(name, label string, age time.Duration) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "eksnodes", Labels: map[string]string{"app.kubernetes.io/name": label}, CreationTimestamp: metav1.NewTime(time.Now().Add(-age)),
		}}
	}
	server := &podServer{
		namespaces: []string{"eksnodes"}, becomes: corev1.PodStatus{Phase: corev1.PodSucceeded}, log: "{}",
		pods: map[string]*corev1.Pod{
			path + "old": pod("old", "node-agent-run", time.Hour), path + "young": pod("young", "node-agent-run", time.Second), path + "installed": pod("installed", "node-agent", time.Hour),
		},
	}
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	client, err := NewClient(&rest.Config{Host: listener.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	_, notes, err := AgentPods{Client: client}.Run(t.Context(), "n1", "")
	if err != nil || len(notes) != 1 || notes[0] != "deleted the pod eksnodes/old, which an earlier run had left" {
		t.Errorf("%q, %v", notes, err)
	}
	if len(server.pods) != 2 || server.pods[path+"young"] == nil || server.pods[path+"installed"] == nil {
		t.Errorf("%d pods are left", len(server.pods))
	}
}
