package life

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/e2e/harness"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
)

// servingPort is where the pods of serve answer.
const servingPort = 8080

// lingering is for how many seconds a pod goes on answering when its end has
// begun: longer than proxies need to hear of it on a machine that is busy.
const lingering = 10

// serve runs a Deployment of web servers on the nodes of a group, with a Service
// and a budget. A pod goes on answering for a while after its end has begun, as
// every server must that is taken out of a Service without a gap.
func (w *world) serve(name, group string, replicas int32, minAvailable int) {
	w.t.Helper()
	labels := map[string]string{"app": name}
	kube := sandbox.Kube(w.t)
	grace := int64(lingering + 2)
	probe := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt(servingPort)}}
	container := corev1.Container{
		Name: "c", Image: node.BusyboxImage, ImagePullPolicy: corev1.PullNever,
		Command: []string{"sh", "-c", fmt.Sprintf("echo $HOSTNAME > /index.html; exec httpd -f -p %d -h /", servingPort)},
		// A kubelet on a machine that is busy may take long over a probe: that is
		// not what is tested here.
		ReadinessProbe: &corev1.Probe{ProbeHandler: probe, PeriodSeconds: 1, TimeoutSeconds: 10, FailureThreshold: 6},
		Lifecycle:      &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"sleep", fmt.Sprint(lingering)}}}},
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
	w.budget(name, labels, minAvailable)
	w.t.Cleanup(func() {
		_ = kube.AppsV1().Deployments("default").Delete(context.Background(), name, metav1.DeleteOptions{})
		_ = kube.CoreV1().Services("default").Delete(context.Background(), name, metav1.DeleteOptions{})
	})
}

// poller asks a Service again and again from a node, each time over a
// connection of its own. A try that fails is made again, as clients do, and
// counted: on a busy machine kube-proxy is late with what has changed, and a
// pod that has just gone refuses.
type poller struct {
	t       *testing.T
	from    string // instance id
	address string // of the Service
	stop    context.CancelFunc
	done    chan struct{}

	asked, failed int
	again         int           // tries that failed
	errs          []error       // of them
	longest       time.Duration // between two answers
	pods          map[string]int
}

// tries are how often a request is tried, and retryAfter the time between two.
const (
	tries      = 3
	retryAfter = 200 * time.Millisecond
)

// maxTold is how many failures are told in full.
const maxTold = 10

// pollEvery is the time between two requests.
const pollEvery = 50 * time.Millisecond

// poll starts kube-proxy on an instance, and asks from there. The result is
// read by end.
func poll(t *testing.T, from, service string) *poller {
	t.Helper()
	kube := sandbox.Kube(t)
	const proxies = "nodes-proxy" // on EKS the add-on's service account has the role
	_, err := kube.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: proxies}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:node-proxier"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:nodes"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = kube.RbacV1().ClusterRoleBindings().Delete(context.Background(), proxies, metav1.DeleteOptions{})
	})
	if _, err := sandbox.Node(from, "systemctl", "start", "kube-proxy"); err != nil {
		t.Fatal(err)
	}
	found, err := kube.CoreV1().Services("default").Get(t.Context(), service, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := &poller{t: t, from: from, address: net.JoinHostPort(found.Spec.ClusterIP, "80"), done: make(chan struct{}), pods: map[string]int{}}
	harness.Eventually(t, time.Minute, func() error { _, err := p.get(t.Context()); return err })
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
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
		pod, err := p.request(ctx)
		if ctx.Err() != nil {
			return // what was cut short by the end does not count
		}
		p.asked++
		if err != nil {
			p.failed++
			continue
		}
		p.pods[pod]++
		p.longest = max(p.longest, time.Since(last))
		last = time.Now()
	}
}

// request asks until a pod answers, and returns its name.
func (p *poller) request(ctx context.Context) (pod string, err error) {
	for try := range tries {
		if try > 0 {
			time.Sleep(retryAfter)
		}
		if pod, err = p.get(ctx); err == nil || ctx.Err() != nil {
			return pod, err
		}
		p.again++
		if p.again <= maxTold {
			p.errs = append(p.errs, fmt.Errorf("%s, endpoints %s: %w", time.Now().Format("15:04:05.000"), p.endpoints(ctx), err))
		}
	}
	return "", err
}

// get makes one try and returns the name of the pod that answered.
func (p *poller) get(ctx context.Context) (pod string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		return sandbox.DialFrom(ctx, p.from, address)
	}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/", nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(string(body))
	if response.StatusCode != http.StatusOK || name == "" {
		return "", fmt.Errorf("%s: %s: %q", p.address, response.Status, body)
	}
	return name, nil
}

// endpoints says what the Service's slices have, to tell a Service without
// endpoints from one whose endpoints do not answer.
func (p *poller) endpoints(ctx context.Context) string {
	list, err := sandbox.Kube(p.t).DiscoveryV1().EndpointSlices("default").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	var words []string
	for _, slice := range list.Items {
		for _, endpoint := range slice.Endpoints {
			words = append(words, fmt.Sprintf("%s on %s ready=%t", strings.Join(endpoint.Addresses, ","), *endpoint.NodeName, *endpoint.Conditions.Ready))
		}
	}
	return fmt.Sprint(words)
}

// end stops asking, and holds that every request was served.
func (p *poller) end(what string) {
	p.t.Helper()
	p.stop()
	<-p.done
	p.t.Logf("%s: %d requests through the Service, %d failed, %d tried again, answered by %d pods, at most %s between two answers",
		what, p.asked, p.failed, p.again, len(p.pods), p.longest.Round(time.Millisecond))
	for _, err := range p.errs {
		p.t.Log(err)
	}
	if p.failed > 0 || p.asked == 0 {
		p.t.Errorf("%s: %d of %d requests failed", what, p.failed, p.asked)
	}
}
