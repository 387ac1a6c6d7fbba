package daemonset

import (
	"fmt"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/eksnodes/kubectl-eksnodes/pkg/daemon"
)

// refusedOutside: whoever takes the agent's token off a node can do with it
// what the agent does, and nothing else.
func refusedOutside(t *testing.T, nodes []machine) {
	agent := as(t, nodes[0])
	status := func(node, conditions string) error {
		_, err := agent.CoreV1().Nodes().Patch(t.Context(), node, types.StrategicMergePatchType, []byte(`{"status":`+conditions+`}`), metav1.PatchOptions{}, "status")
		return err
	}
	set := func(kind string) string {
		return fmt.Sprintf(`{"conditions":[{"type":%q,"status":"False","reason":"Test","message":"x"}]}`, kind)
	}
	own, other := nodes[0].node, nodes[1].node
	if err := status(own, set(daemon.ConditionType)); err != nil {
		t.Errorf("its own condition of its own node: %v", err)
	}
	for name, test := range map[string]struct {
		err  error
		says string
	}{
		"another node":          {status(other, set(daemon.ConditionType)), "to no other"},
		"Ready":                 {status(own, set("Ready")), "and no other"},
		"another's condition":   {status(own, set("example.com/Other")), "and no other"},
		"capacity":              {status(own, `{"capacity":{"pods":"1"}}`), "nothing of a node but its condition"},
		"labels":                {patch(t, agent, own, `{"metadata":{"labels":{"a":"b"}}}`, "status"), "nothing of a node but its condition"},
		"taints":                {patch(t, agent, own, `{"spec":{"unschedulable":true}}`), "cannot patch"},
		"list of nodes":         {second(agent.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})), "cannot list"},
		"secrets":               {second(agent.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{})), "cannot list"},
		"pods":                  {second(agent.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})), "cannot list"},
		"ConfigMaps":            {second(agent.CoreV1().ConfigMaps(namespace).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})), "cannot create"},
		"events, of its own":    {second(agent.CoreV1().Events(namespace).Create(t.Context(), &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})), "cannot create"},
		"deletion of its nodes": {agent.CoreV1().Nodes().Delete(t.Context(), own, metav1.DeleteOptions{}), "cannot delete"},
	} {
		if !apierrors.IsForbidden(test.err) && !apierrors.IsInvalid(test.err) || !strings.Contains(fmt.Sprint(test.err), test.says) {
			t.Errorf("%s: %v", name, test.err)
		}
	}
}

func patch(t *testing.T, client kubernetes.Interface, node, document string, subresources ...string) error {
	_, err := client.CoreV1().Nodes().Patch(t.Context(), node, types.StrategicMergePatchType, []byte(document), metav1.PatchOptions{}, subresources...)
	return err
}

func second[T any](_ T, err error) error { return err }

// as is a client with a token of the agent's pod, as the kubelet asks for it.
func as(t *testing.T, m machine) kubernetes.Interface {
	t.Helper()
	found, err := pod(t, m)
	if err != nil {
		t.Fatal(err)
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: found.Name, UID: found.UID},
	}}
	token, err := sandbox.Kube(t).CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), name, request, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return sandbox.KubeAs(t, token.Status.Token)
}
