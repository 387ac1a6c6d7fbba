package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxEvents is how many events of one kind are kept: they are many and only
// a few of them are about nodes that do not join.
const maxEvents = 2000

// listPage is the part of every list that paging needs.
type listPage struct {
	Metadata struct {
		Continue string `json:"continue"`
	} `json:"metadata"`
}

// list reads all pages of a list as JSON and hands each to add, which says
// whether it wants more. The kinds read here have no typed client: that would
// bring their schemes into the binary for one call each.
func (c *Client) list(ctx context.Context, path string, query url.Values, add func(page []byte) (more bool, err error)) error {
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", strconv.Itoa(nodePage))
	for {
		request := c.core.Get().AbsPath(path).SetHeader("Accept", "application/json")
		for key := range query {
			request = request.Param(key, query.Get(key))
		}
		data, err := request.Do(ctx).Raw()
		if err != nil {
			return err
		}
		var page listPage
		if err := json.Unmarshal(data, &page); err != nil {
			return fmt.Errorf("decode %s: %w", path, err)
		}
		more, err := add(data)
		if err != nil {
			return fmt.Errorf("decode %s: %w", path, err)
		}
		if page.Metadata.Continue == "" || !more {
			return nil
		}
		query.Set("continue", page.Metadata.Continue)
	}
}

// readList makes a source of a list: decode one page, convert it, keep it.
func readList[List, Fact any](c *Client, doing, path string, convert func(*List) []Fact, keep func(*snapshot.System, []Fact)) func(context.Context, *snapshot.Snapshot) (gather.Fill, error) {
	return func(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
		var facts []Fact
		err := c.list(ctx, path, nil, func(data []byte) (bool, error) {
			var page List
			if err := json.Unmarshal(data, &page); err != nil {
				return false, err
			}
			facts = append(facts, convert(&page)...)
			return true, nil
		})
		if err != nil {
			return nil, wrap(doing, err)
		}
		return func(snap *snapshot.Snapshot) { keep(&snap.Kube.System, facts) }, nil
	}
}

// systemSources read what runs in the cluster for the nodes' sake: one list
// each, two for events and webhooks.
func (c *Connection) systemSources() []gather.Source {
	return []gather.Source{
		{Section: snapshot.SectionDaemonSets, Read: readList(c.Client, "list daemonsets", "/apis/apps/v1/daemonsets",
			each(func(l *appsv1.DaemonSetList) []appsv1.DaemonSet { return l.Items }, ConvertDaemonSet),
			func(s *snapshot.System, facts []snapshot.DaemonSet) { s.DaemonSets = facts })},
		{Section: snapshot.SectionSystemPods, Read: readList(c.Client, "list pods in kube-system", "/api/v1/namespaces/kube-system/pods",
			each(func(l *corev1.PodList) []corev1.Pod { return l.Items }, ConvertPod),
			func(s *snapshot.System, facts []snapshot.Pod) { s.Pods = facts })},
		{Section: snapshot.SectionLeases, Read: readList(c.Client, "list leases in kube-node-lease", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
			each(func(l *coordinationv1.LeaseList) []coordinationv1.Lease { return l.Items }, ConvertLease),
			func(s *snapshot.System, facts []snapshot.Lease) { s.Leases = facts })},
		{Section: snapshot.SectionCSRs, Read: readList(c.Client, "list certificatesigningrequests", "/apis/certificates.k8s.io/v1/certificatesigningrequests",
			each(func(l *certificatesv1.CertificateSigningRequestList) []certificatesv1.CertificateSigningRequest {
				return l.Items
			}, ConvertCSR),
			func(s *snapshot.System, facts []snapshot.CSR) { s.CSRs = facts })},
		{Section: snapshot.SectionEvents, Read: c.readEvents},
		{Section: snapshot.SectionWebhooks, Read: c.readWebhooks},
	}
}

// each applies a converter of one object to a list.
func each[List, Item, Fact any](items func(*List) []Item, convert func(*Item) Fact) func(*List) []Fact {
	return func(list *List) []Fact {
		all := items(list)
		facts := make([]Fact, 0, len(all))
		for i := range all {
			facts = append(facts, convert(&all[i]))
		}
		return facts
	}
}

// readEvents reads events about nodes, which Kubernetes keeps in the default
// namespace, and the warnings of kube-system.
func (c *Connection) readEvents(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	var events []snapshot.Event
	for _, from := range []struct{ namespace, field string }{{"default", "involvedObject.kind=Node"}, {"kube-system", "type=Warning"}} {
		found := 0
		err := c.Client.list(ctx, "/api/v1/namespaces/"+from.namespace+"/events", url.Values{"fieldSelector": {from.field}}, func(data []byte) (bool, error) {
			var page corev1.EventList
			if err := json.Unmarshal(data, &page); err != nil {
				return false, err
			}
			for i := range page.Items {
				events = append(events, ConvertEvent(&page.Items[i]))
			}
			found += len(page.Items)
			return found < maxEvents, nil
		})
		if err != nil {
			return nil, wrap("list events in "+from.namespace, err)
		}
	}
	return func(snap *snapshot.Snapshot) { snap.Kube.System.Events = events }, nil
}

// readWebhooks reads both kinds of admission webhooks.
func (c *Connection) readWebhooks(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	const api = "/apis/admissionregistration.k8s.io/v1/"
	var webhooks []snapshot.Webhook
	err := c.Client.list(ctx, api+"validatingwebhookconfigurations", nil, func(data []byte) (bool, error) {
		var page admissionv1.ValidatingWebhookConfigurationList
		if err := json.Unmarshal(data, &page); err != nil {
			return false, err
		}
		for i := range page.Items {
			webhooks = append(webhooks, ConvertValidating(&page.Items[i])...)
		}
		return true, nil
	})
	if err != nil {
		return nil, wrap("list validatingwebhookconfigurations", err)
	}
	err = c.Client.list(ctx, api+"mutatingwebhookconfigurations", nil, func(data []byte) (bool, error) {
		var page admissionv1.MutatingWebhookConfigurationList
		if err := json.Unmarshal(data, &page); err != nil {
			return false, err
		}
		for i := range page.Items {
			webhooks = append(webhooks, ConvertMutating(&page.Items[i])...)
		}
		return true, nil
	})
	if err != nil {
		return nil, wrap("list mutatingwebhookconfigurations", err)
	}
	return func(snap *snapshot.Snapshot) { snap.Kube.System.Webhooks = webhooks }, nil
}
