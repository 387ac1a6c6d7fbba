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

	corev1 "k8s.io/api/core/v1"
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
			got, err := AgentPods{Client: client}.Run(ctx, "n1")
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
