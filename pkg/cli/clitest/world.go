// Package clitest is a small, stateful AWS and Kubernetes for stories that
// run the real commands: healthy unless a story says otherwise. It knows the
// calls that the plugin makes and refuses all others loudly.
//
// Time passes by looking: every look at a stack's events shows one more, and
// every look at the instances takes them one step further.
package clitest

import (
	"encoding/pem"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// The fixed parts of the world.
const (
	Region    = "us-west-2"
	Account   = "111122223333"
	Cluster   = "demo"
	roleARN   = "arn:aws:iam::" + Account + ":role/eksnodes-demo-NodeInstanceRole-1A2B3C"
	vpcID     = "vpc-0a1b2c3d4e5f60718"
	clusterSG = "sg-0c1d2e3f405162738"
)

// World is one AWS account and region with one EKS cluster.
type World struct {
	mu     sync.Mutex
	aws    *httptest.Server
	kube   *httptest.Server
	denied map[string]bool
	calls  []string // "eks:DescribeCluster", "kube:create configmaps", in order

	mode       string
	failing    string // logical id of the resource that cannot be created
	reason     string
	noLaunch   string // why the Auto Scaling group cannot launch
	neverReady bool
	frozen     bool   // stacks stay as they are
	openings   string // XML of rules by which port 22 was opened
	stack      *stack
	entries    map[string]*entry // by principal
	roles      map[string]string // path of a role by its name; "": there is no such role
	me         string            // ARN of the caller
	roleMade   time.Time         // when the nodes' role was
	awsAuth    map[string]string // data of the ConfigMap; nil: there is none
	conflicts  int               // so many writes of it come too late
	group      *group
	instances  []*instance
	many       int  // groups of 50 machines in place of the one
	templates  bool // launch templates can be read
	versions   []templateVersion
	template   string // of the stack, as far as a story gives one
	launched   int    // instances ever
	keepNodes  bool   // Node objects stay when their machines go
	nodes      map[string]*node
	pods       []corev1.Pod
	budgets    []policyv1.PodDisruptionBudget
	ending     ending
	blocked    bool // the stack's security group is used by others
	version    int  // resourceVersion of everything in the cluster's API
	changed    chan struct{}
}

type stack struct {
	name, id   string
	status     string
	token      string // of the last request
	body       string // of the template
	parameters map[string]string
	tags       map[string]string
	events     []event // shown
	coming     []event // one is shown at every look
	deleting   bool
}

// entry is an access entry as EKS speaks of it.
type entry struct {
	Principal string   `json:"principalArn"`
	Type      string   `json:"type"`
	Username  string   `json:"username,omitempty"`
	Groups    []string `json:"kubernetesGroups,omitempty"`
	Created   int64    `json:"createdAt"` // Unix time
	policies  []string
}

// made is the entry with the time that it is made at.
func (e *entry) made() *entry {
	e.Created = time.Now().Unix()
	return e
}

type event struct{ id, resource, kind, status, reason, token string }

type group struct {
	name              string
	min, desired, max int
	tags              map[string]string
	suspended         []string
	warm              int // machines in its warm pool; 0: it has none
}

type instance struct {
	id, zone, state string
	n               int // counts all that were launched
	version         int // of the launch template
	protected       bool
	tags            map[string]string
}

type node struct {
	name, providerID string
	ready, cordoned  bool
}

// New starts a world with an empty cluster in mode API_AND_CONFIG_MAP.
func New() *World {
	w := &World{
		denied: map[string]bool{}, mode: "API_AND_CONFIG_MAP", entries: map[string]*entry{}, roles: map[string]string{},
		me:       "arn:aws:iam::" + Account + ":user/me",
		roleMade: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC),
		nodes:    map[string]*node{}, version: 1, changed: make(chan struct{}),
	}
	w.aws = httptest.NewServer(http.HandlerFunc(w.serveAWS))
	w.kube = httptest.NewTLSServer(http.HandlerFunc(w.serveKube))
	return w
}

// Close ends the world.
func (w *World) Close() {
	w.kube.CloseClientConnections()
	w.kube.Close()
	w.aws.Close()
}

// AWS is the URL of every AWS service; Kube that of the API server.
func (w *World) AWS() string { return w.aws.URL }

// Kube is the URL of the API server.
func (w *World) Kube() string { return w.kube.URL }

// CA is the API server's certificate in PEM.
func (w *World) CA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.kube.Certificate().Raw})
}

// Kubeconfig is a kubeconfig as `aws eks update-kubeconfig` names things.
func (w *World) Kubeconfig(ca []byte) string {
	return kubeconfig(Region, Account, Cluster, w.Kube(), ca)
}

// Do changes the world by a story's words:
//
//	deny eks:ListAccessEntries
//	mode CONFIG_MAP
//	fail NodeInstanceRole 'reason'
//	no-launch 'reason'
//	never-ready
//	freeze
//	opening OWNER UNTIL
//	entry ARN TYPE [USERNAME GROUP,GROUP]
//	no-entry ARN
//	cordon NODE
//	keep-nodes
//	launch-templates
//	stack-template TEXT
//	pod NAME NODE [APP]
//	budget APP ALLOWED
//	block
//	many GROUPS
//	protect INSTANCE
//	group-desired N
//	role NAME PATH|none
//	me ARN
//	aws-auth KEY TEXT
//	conflicts 2
//	role-again
//	heal
//	deletion-protection
//	managed NAME
//	fargate NAME
//	service NAME
//	ingress NAME HOST
//	volume ID Delete|Retain
//	cluster-stack NAME
//	nothing-left
func (w *World) Do(words ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case len(words) == 2 && words[0] == "deny":
		w.denied[words[1]] = true
	case len(words) == 2 && words[0] == "mode":
		w.mode = words[1]
	case len(words) == 3 && words[0] == "fail":
		w.failing, w.reason = words[1], words[2]
	case len(words) == 2 && words[0] == "no-launch":
		w.noLaunch = words[1]
	case len(words) == 1 && words[0] == "never-ready":
		w.neverReady = true
	case len(words) == 1 && words[0] == "freeze":
		w.frozen = true
	case len(words) == 3 && words[0] == "opening":
		w.openings += opening(words[1], words[2])
	case len(words) == 3 && words[0] == "entry":
		w.entries[words[1]] = (&entry{Principal: words[1], Type: words[2]}).made()
	case len(words) == 5 && words[0] == "entry":
		w.entries[words[1]] = (&entry{Principal: words[1], Type: words[2], Username: words[3], Groups: strings.Split(words[4], ",")}).made()
	case len(words) == 2 && words[0] == "cordon" && w.nodes[words[1]] != nil:
		w.nodes[words[1]].cordoned = true
		w.touch()
	case len(words) == 2 && words[0] == "protect":
		for _, in := range w.instances {
			if in.id == words[1] {
				in.protected, in.tags["eksnodes.dev/protected-while-scaling"] = true, "true"
			}
		}
	case (len(words) == 3 || len(words) == 4) && words[0] == "pod":
		w.addPod(words[1], words[2], strings.Join(words[3:], ""))
	case len(words) == 3 && words[0] == "budget":
		allowed, _ := strconv.Atoi(words[2])
		w.budgets = []policyv1.PodDisruptionBudget{{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: words[1]},
			Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": words[1]}}},
			Status:     policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: int32(allowed)},
		}}
	case len(words) == 2 && words[0] == "many":
		w.many, _ = strconv.Atoi(words[1])
	case len(words) == 1 && words[0] == "block":
		w.blocked = true
	case len(words) == 1 && words[0] == "launch-templates":
		w.templates = true
	case len(words) == 2 && words[0] == "stack-template":
		w.template = html.EscapeString(words[1])
	case len(words) == 1 && words[0] == "keep-nodes":
		w.keepNodes = true
	case len(words) == 2 && words[0] == "no-entry":
		delete(w.entries, words[1])
	case len(words) == 2 && words[0] == "group-desired" && w.group != nil:
		w.group.desired, _ = strconv.Atoi(words[1])
	case len(words) == 2 && words[0] == "warm-pool" && w.group != nil:
		w.group.warm, _ = strconv.Atoi(words[1])
	case len(words) == 2 && words[0] == "conflicts":
		w.conflicts, _ = strconv.Atoi(words[1])
	case len(words) == 1 && words[0] == "role-again": // all entries are older
		w.roleMade = time.Now().Add(-time.Minute)
		for _, entry := range w.entries {
			entry.Created -= 3600
		}
	case len(words) == 3 && words[0] == "role":
		w.roles[words[1]] = strings.TrimSuffix(words[2], "none")
	case len(words) == 2 && words[0] == "me":
		w.me = words[1]
	case len(words) == 3 && words[0] == "aws-auth":
		if w.awsAuth == nil {
			w.awsAuth = map[string]string{}
		}
		w.awsAuth[words[1]] = words[2]
		w.touch()
	case len(words) == 1 && words[0] == "heal":
		w.failing, w.reason, w.noLaunch, w.neverReady, w.frozen = "", "", "", false, false
		clear(w.denied)
	case len(words) == 1 && words[0] == "forget-calls":
		w.calls = nil
	default:
		return w.leave(words)
	}
	return nil
}

// Calls lists what was called, in order, each with its service.
func (w *World) Calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// Writes lists the calls that change something.
func (w *World) Writes() []string {
	return slices.DeleteFunc(w.Calls(), func(call string) bool {
		_, operation, _ := strings.Cut(call, ":")
		for _, reading := range []string{"Describe", "List", "Get", "get ", "list ", "watch ", "create selfsubjectreviews"} {
			if strings.HasPrefix(operation, reading) {
				return true
			}
		}
		return false
	})
}

// State is what stands now, one line each.
func (w *World) State() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out strings.Builder
	if w.stack != nil && w.stack.status != "DELETE_COMPLETE" {
		fmt.Fprintf(&out, "stack %s %s\n", w.stack.name, w.stack.status)
	}
	if w.ending.state == clusterGone {
		fmt.Fprintln(&out, "no cluster")
	}
	for principal, entry := range w.entries {
		fmt.Fprintf(&out, "entry %s %s %s %v %v\n", entry.Type, principal, entry.Username, entry.Groups, entry.policies)
	}
	fmt.Fprintf(&out, "mode %s\n", w.mode)
	if text := w.awsAuth["mapRoles"]; text != "" {
		fmt.Fprintf(&out, "aws-auth\n%s\n", text)
	}
	fmt.Fprintf(&out, "nodes %d\n", len(w.nodes))
	for _, in := range w.instances {
		fmt.Fprintf(&out, "instance %s protected %t tags %v\n", in.id, in.protected, in.tags)
		fmt.Fprintf(&out, "instance %s of version %d\n", in.id, in.version)
	}
	if w.group != nil {
		fmt.Fprintf(&out, "group min %d desired %d max %d suspended %v mark %q\n", w.group.min, w.group.desired, w.group.max, w.group.suspended, w.group.tags["eksnodes.dev/upgrade"])
	}
	return out.String()
}

// touch tells watchers that something changed; the caller holds the lock.
func (w *World) touch() {
	w.version++
	close(w.changed)
	w.changed = make(chan struct{})
}

// opening is a rule of a security group that lets somebody reach sshd until a
// time.
func opening(owner, until string) string {
	return fmt.Sprintf(`<item><securityGroupRuleId>sgr-1</securityGroupRuleId><groupId>%s</groupId><isEgress>false</isEgress>
<ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><cidrIpv4>192.0.2.7/32</cidrIpv4><tagSet>
<item><key>%[2]sssh-owner</key><value>%[3]s</value></item><item><key>%[2]sssh-until</key><value>%[4]s</value></item></tagSet></item>`,
		clusterSG, product.TagPrefix, owner, until)
}
