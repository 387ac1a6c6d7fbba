package life

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
)

// servingPort is where the pods of serve answer.
const servingPort = 8080

// serve runs a Deployment of web servers on the nodes of a group, with a Service
// and a budget. A pod goes on answering for a while after its end has begun, as
// every server must that is taken out of a Service without a gap.
func (w *world) serve(name, group string, replicas int32, minAvailable int) {
	w.t.Helper()
	labels := map[string]string{"app": name}
	kube := sandbox.Kube(w.t)
	grace := int64(6)
	probe := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt(servingPort)}}
	container := corev1.Container{
		Name: "c", Image: node.BusyboxImage, ImagePullPolicy: corev1.PullNever,
		Command:        []string{"sh", "-c", fmt.Sprintf("echo served > /index.html; exec httpd -f -p %d -h /", servingPort)},
		ReadinessProbe: &corev1.Probe{ProbeHandler: probe, PeriodSeconds: 1},
		Lifecycle:      &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"sleep", "4"}}}},
	}
	_, err := kube.AppsV1().Deployments("default").Create(w.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				TerminationGracePeriodSeconds: &grace, Containers: []corev1.Container{container},
				NodeSelector: map[string]string{"eksnodes.dev/group": group},
			}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := kube.CoreV1().Services("default").Create(w.t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt(servingPort)}}},
	}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	budget := intstr.FromInt(minAvailable)
	if _, err := kube.PolicyV1().PodDisruptionBudgets("default").Create(w.t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: &budget, Selector: &metav1.LabelSelector{MatchLabels: labels}},
	}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = kube.AppsV1().Deployments("default").Delete(context.Background(), name, metav1.DeleteOptions{})
		_ = kube.CoreV1().Services("default").Delete(context.Background(), name, metav1.DeleteOptions{})
		_ = kube.PolicyV1().PodDisruptionBudgets("default").Delete(context.Background(), name, metav1.DeleteOptions{})
	})
}

// poller asks a Service again and again from a node, as a client that knows the
// ready endpoints and tries the next one when the first does not answer.
type poller struct {
	t    *testing.T
	from string // instance id
	name string // of the Service
	stop context.CancelFunc
	done chan struct{}

	mu                       sync.Mutex
	asked, retried, unserved int
	errs                     []error
	longest                  time.Duration // between two answers
}

// pollEvery is the time between two requests.
const pollEvery = 50 * time.Millisecond

// poll starts asking; the result is read by end.
func poll(t *testing.T, from, name string) *poller {
	ctx, stop := context.WithCancel(context.Background())
	p := &poller{t: t, from: from, name: name, stop: stop, done: make(chan struct{})}
	t.Cleanup(stop)
	go p.run(ctx)
	return p
}

func (p *poller) run(ctx context.Context) {
	defer close(p.done)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		addresses, err := p.endpoints(ctx)
		if err != nil {
			p.note(err, 0)
			continue
		}
		served, tries := p.ask(ctx, addresses)
		if ctx.Err() != nil {
			return // what was cut short by the end does not count
		}
		p.mu.Lock()
		p.asked++
		p.retried += max(tries-1, 0)
		if served {
			p.longest = max(p.longest, time.Since(last))
			last = time.Now()
		} else {
			p.unserved++
		}
		p.mu.Unlock()
	}
}

// ask tries the endpoints from another one each time.
func (p *poller) ask(ctx context.Context, addresses []string) (served bool, tries int) {
	for i := range addresses {
		address := addresses[(p.asked+i)%len(addresses)]
		tries++
		if err := p.get(ctx, address); err != nil {
			p.note(err, tries)
			continue
		}
		return true, tries
	}
	return false, tries
}

func (p *poller) note(err error, try int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, fmt.Errorf("%s, try %d: %w", time.Now().Format("15:04:05.000"), try, err))
}

// get makes one request over a connection of its own.
func (p *poller) get(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		return sandbox.DialFrom(ctx, p.from, address)
	}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || string(body) != "served\n" {
		return fmt.Errorf("%s: %s: %q", address, response.Status, body)
	}
	return nil
}

// endpoints are the addresses that the Service's slices call ready.
func (p *poller) endpoints(ctx context.Context) ([]string, error) {
	list, err := sandbox.Kube(p.t).DiscoveryV1().EndpointSlices("default").List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + p.name})
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, slice := range list.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				for _, address := range endpoint.Addresses {
					addresses = append(addresses, fmt.Sprintf("%s:%d", address, servingPort))
				}
			}
		}
	}
	slices.Sort(addresses)
	return addresses, nil
}

// end stops asking, and holds that every request was served.
func (p *poller) end(what string) {
	p.t.Helper()
	p.stop()
	<-p.done
	p.t.Logf("%s: %d requests, %d unserved, %d tries more, at most %s between two answers", what, p.asked, p.unserved, p.retried, p.longest.Round(time.Millisecond))
	for _, err := range p.errs[:min(len(p.errs), 10)] {
		p.t.Log(err)
	}
	if p.unserved > 0 || p.asked == 0 {
		p.t.Errorf("%s: %d of %d requests were not served", what, p.unserved, p.asked)
	}
}
