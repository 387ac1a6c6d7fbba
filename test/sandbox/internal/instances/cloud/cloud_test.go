package cloud

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node/imds"
)

const (
	name  = "ip-10-20-16-7.us-west-2.compute.internal"
	group = "workers"
)

func instance() instances.Instance {
	return instances.Instance{State: types.InstanceStateNameRunning, Instance: imds.Instance{
		ID: "i-0123456789abcdef0", Type: "m5.large", Region: "us-west-2", Zone: "us-west-2a", ZoneID: "usw2-az1",
		PrivateIP: "10.20.16.7", PrivateDNS: name, Tags: map[string]string{"aws:autoscaling:groupName": group},
	}}
}

func byName(all ...instances.Instance) map[string]instances.Instance {
	m := map[string]instances.Instance{}
	for _, i := range all {
		m[i.PrivateDNS] = i
	}
	return m
}

func taints(n *corev1.Node) []string {
	var keys []string
	for _, t := range n.Spec.Taints {
		keys = append(keys, t.Key)
	}
	return keys
}

func TestInitialized(t *testing.T) {
	fresh := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": "blue"}},
		Spec: corev1.NodeSpec{Taints: []corev1.Taint{
			{Key: taintUninitialized, Value: "true", Effect: corev1.TaintEffectNoSchedule},
			{Key: "dedicated", Effect: corev1.TaintEffectNoSchedule},
		}},
	}
	got := initialized(fresh, instance())
	if got.Spec.ProviderID != "aws:///us-west-2a/i-0123456789abcdef0" {
		t.Errorf("provider id %q", got.Spec.ProviderID)
	}
	if diff := cmp.Diff([]string{"dedicated"}, taints(got)); diff != "" {
		t.Errorf("taints (-want +got):\n%s", diff)
	}
	for key, want := range map[string]string{
		"team": "blue", "node.kubernetes.io/instance-type": "m5.large", "topology.kubernetes.io/zone": "us-west-2a",
		"topology.kubernetes.io/region": "us-west-2", "topology.k8s.aws/zone-id": "usw2-az1",
	} {
		if got.Labels[key] != want {
			t.Errorf("label %s is %q, want %q", key, got.Labels[key], want)
		}
	}
	wantAddresses := []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: "10.20.16.7"},
		{Type: corev1.NodeInternalDNS, Address: name},
		{Type: corev1.NodeHostName, Address: name},
	}
	if diff := cmp.Diff(wantAddresses, got.Status.Addresses); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if len(fresh.Spec.Taints) != 2 {
		t.Error("the given node was changed")
	}

	again := initialized(got, instance())
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("a second look changes something:\n%s", diff)
	}

	stopped := instance()
	stopped.State, stopped.PublicIP = types.InstanceStateNameStopped, "198.51.100.7"
	got = initialized(got, stopped)
	if diff := cmp.Diff([]string{"dedicated", taintShutdown}, taints(got)); diff != "" {
		t.Errorf("taints while stopped (-want +got):\n%s", diff)
	}
	if got.Status.Addresses[1] != (corev1.NodeAddress{Type: corev1.NodeExternalIP, Address: "198.51.100.7"}) {
		t.Errorf("addresses %v", got.Status.Addresses)
	}
	if diff := cmp.Diff([]string{"dedicated"}, taints(initialized(got, instance()))); diff != "" {
		t.Errorf("taints after start (-want +got):\n%s", diff)
	}
}

// servingRequest is what a kubelet asks for, changed by the test.
func servingRequest(t *testing.T, change func(*x509.CertificateRequest, *certificatesv1.CertificateSigningRequestSpec)) *certificatesv1.CertificateSigningRequest {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.CertificateRequest{
		Subject:     pkix.Name{CommonName: "system:node:" + name, Organization: []string{"system:nodes"}},
		DNSNames:    []string{name},
		IPAddresses: []net.IP{net.ParseIP("10.20.16.7")},
	}
	spec := certificatesv1.CertificateSigningRequestSpec{
		SignerName: certificatesv1.KubeletServingSignerName,
		Username:   "system:node:" + name, Groups: []string{"system:nodes", "system:authenticated"},
	}
	if change != nil {
		change(template, &spec)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	if spec.Request == nil {
		spec.Request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	}
	return &certificatesv1.CertificateSigningRequest{ObjectMeta: metav1.ObjectMeta{Name: "csr-1"}, Spec: spec}
}

func TestCheckServing(t *testing.T) {
	tests := map[string]struct {
		change func(*x509.CertificateRequest, *certificatesv1.CertificateSigningRequestSpec)
		want   string // part of the reason; empty: approved
	}{
		"a node's own": {nil, ""},
		"address only": {func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequestSpec) { r.DNSNames = nil }, ""},
		"another's name": {func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequestSpec) {
			r.DNSNames = []string{"kubernetes.default"}
		}, "not the instance's"},
		"another's address": {func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequestSpec) {
			r.IPAddresses = append(r.IPAddresses, net.ParseIP("10.20.0.10"))
		}, "not the instance's"},
		"no names": {func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequestSpec) {
			r.DNSNames, r.IPAddresses = nil, nil
		}, "not those of a server"},
		"another's subject": {func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequestSpec) {
			r.Subject.CommonName = "system:node:other"
		}, "not the requester's"},
		"more organisations": {func(r *x509.CertificateRequest, _ *certificatesv1.CertificateSigningRequestSpec) {
			r.Subject.Organization = []string{"system:nodes", "system:masters"}
		}, "not the requester's"},
		"no instance": {func(r *x509.CertificateRequest, s *certificatesv1.CertificateSigningRequestSpec) {
			r.Subject.CommonName, s.Username = "system:node:ghost", "system:node:ghost"
		}, "no instance"},
		"a user": {func(_ *x509.CertificateRequest, s *certificatesv1.CertificateSigningRequestSpec) {
			s.Username = "alice"
		}, "no node"},
		"not in the group": {func(_ *x509.CertificateRequest, s *certificatesv1.CertificateSigningRequestSpec) { s.Groups = nil }, "no node"},
		"not PEM": {func(_ *x509.CertificateRequest, s *certificatesv1.CertificateSigningRequestSpec) {
			s.Request = []byte("x")
		}, "not PEM"},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			err := checkServing(servingRequest(t, tt.change), byName(instance()))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("checkServing = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestNetworks(t *testing.T) {
	clock := time.Unix(0, 0)
	n := newNetworks(func() time.Time { return clock })
	var wrote []string
	fail := true
	write := func(id, path string, data []byte) error {
		if fail {
			return errors.New("node is off")
		}
		if path != conflistPath || !strings.Contains(string(data), `"aws-cni"`) {
			t.Errorf("%s: %s", path, data)
		}
		_, rest, _ := strings.Cut(string(data), `"subnet": "`)
		subnet, _, _ := strings.Cut(rest, `"`)
		wrote = append(wrote, id+" "+subnet)
		return nil
	}
	sync := func(id string) error { return n.sync(id, write) }

	if err := sync("i-a"); err != nil || len(wrote) != 0 {
		t.Errorf("right after registration: %v, %v", wrote, err)
	}
	clock = clock.Add(cniDelay)
	if err := sync("i-a"); err == nil {
		t.Error("a failed write gave no error")
	}
	fail = false
	for _, id := range []string{"i-a", "i-a", "i-b"} {
		if err := sync(id); err != nil {
			t.Fatal(err)
		}
	}
	clock = clock.Add(cniDelay)
	if err := sync("i-b"); err != nil {
		t.Fatal(err)
	}
	n.forget(map[string]instances.Instance{"b": {Instance: imds.Instance{ID: "i-b"}}})
	for range 2 {
		if err := sync("i-c"); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(cniDelay)
	}
	want := []string{"i-a 10.20.128.0/24", "i-b 10.20.129.0/24", "i-c 10.20.130.0/24"}
	if diff := cmp.Diff(want, wrote); diff != "" {
		t.Errorf("networks (-want +got):\n%s", diff)
	}
}

func TestFaults(t *testing.T) {
	var f Faults
	if err := f.Inject("no-dns", ""); err == nil {
		t.Error("an unknown fault was injected")
	}
	for _, fault := range AllFaults() {
		if err := f.Inject(string(fault), ""); err != nil || !f.Active(fault, "any") {
			t.Errorf("%s: active %v, %v", fault, f.Active(fault, "any"), err)
		}
	}
	for _, group := range []string{"b", "a"} {
		if err := f.Inject("no-ccm", group); err != nil {
			t.Fatal(err)
		}
	}
	for _, off := range []Off{{NoCNI, ""}, {NoCCM, "b"}} {
		if err := f.Clear(string(off.Fault), off.Group); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]Off{{NoCCM, ""}, {NoCCM, "a"}, {NoCSR, ""}, {NoSSM, ""}}, f.List()); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if err := f.Clear("no-ccm", ""); err != nil || f.Active(NoCCM, "a") {
		t.Errorf("cleared for all, it is still off for a group: %v", err)
	}
}

// A role that is off for one group goes on for the others.
func TestFaultsOfOneGroup(t *testing.T) {
	var f Faults
	if err := f.Inject("no-cni", group); err != nil {
		t.Fatal(err)
	}
	if !f.Active(NoCNI, group) || f.Active(NoCNI, "other") || f.Active(NoCNI, "") || f.Active(NoCCM, group) {
		t.Errorf("off: %v", f.List())
	}
}

// world is a Source with one instance.
type world struct {
	instances []instances.Instance
	files     []string
}

func (w *world) Instances() []instances.Instance { return w.instances }

func (w *world) WriteFile(id, path string, _ []byte) error {
	w.files = append(w.files, id+":"+path)
	return nil
}

// A node comes, each fault keeps its role from acting, and when its instance is
// gone so is the node.
func TestControllers(t *testing.T) {
	request := servingRequest(t, nil)
	client := fake.NewClientset(request, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.NodeSpec{ProviderID: "aws:///us-west-2a/i-0123456789abcdef0", Taints: []corev1.Taint{{Key: taintUninitialized}}},
	}, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "fargate"}, Spec: corev1.NodeSpec{ProviderID: "aws:///us-west-2a/x/fargate"}})
	w, faults := &world{instances: []instances.Instance{instance()}}, &Faults{}
	c := New(client, w, faults, slog.New(slog.DiscardHandler))
	clock := time.Unix(0, 0)
	c.cni.now = func() time.Time { return clock }

	// sync looks at the cluster as it is now.
	sync := func() {
		t.Helper()
		factory := informers.NewSharedInformerFactory(client, 0)
		c.nodes = factory.Core().V1().Nodes().Lister()
		c.requests = factory.Certificates().V1().CertificateSigningRequests().Lister()
		stop := make(chan struct{})
		factory.Start(stop)
		factory.WaitForCacheSync(stop)
		if err := c.sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		close(stop)
		factory.Shutdown()
		clock = clock.Add(cniDelay)
	}
	state := func() string {
		t.Helper()
		nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: labels.Everything().String()})
		if err != nil {
			t.Fatal(err)
		}
		r, err := client.CertificatesV1().CertificateSigningRequests().Get(t.Context(), request.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, n := range nodes.Items {
			text = append(text, n.Name+strings.Join(taints(&n), ""))
		}
		if decided(r) {
			text = append(text, "approved")
		}
		return strings.Join(append(text, w.files...), " ")
	}

	for _, f := range AllFaults() {
		if err := faults.Inject(string(f), group); err != nil {
			t.Fatal(err)
		}
	}
	sync()
	sync()
	if got, want := state(), "fargate "+name+taintUninitialized; got != want {
		t.Errorf("with all roles off: %s, want %s", got, want)
	}
	for _, f := range AllFaults() {
		if err := faults.Clear(string(f), group); err != nil {
			t.Fatal(err)
		}
	}
	sync()
	sync()
	if got, want := state(), "fargate "+name+" approved i-0123456789abcdef0:"+conflistPath; got != want {
		t.Errorf("with all roles on: %s, want %s", got, want)
	}
	next := instance()
	next.ID = "i-0fedcba9876543210" // with the address, and so the name, of the one that has gone
	w.instances = []instances.Instance{next}
	sync()
	if got, want := state(), "fargate approved i-0123456789abcdef0:"+conflistPath; got != want {
		t.Errorf("without the instance: %s, want %s", got, want)
	}
}
