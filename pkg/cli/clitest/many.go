package clitest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// perGroup is how many machines each of many groups has.
const perGroup = 50

// manyID is the id of machine i of all.
func manyID(i int) string { return fmt.Sprintf("i-%017x", i) }

// page cuts a list of n into pages; the token is where the next one starts.
func page(token string, n, size int) (from, to int, next string) {
	from, _ = strconv.Atoi(token) // "" is the start
	to = min(from+size, n)
	if to < n {
		next = strconv.Itoa(to)
	}
	return from, to, next
}

// manyGroups are the groups of many, each of the demo cluster's.
func (w *World) manyGroups(form url.Values) answer {
	from, to, next := page(form.Get("NextToken"), w.many, 100)
	var out strings.Builder
	for i := from; i < to; i++ {
		var members strings.Builder
		for j := range perGroup {
			fmt.Fprintf(&members, "<member><InstanceId>%s</InstanceId><AvailabilityZone>us-west-2a</AvailabilityZone><LifecycleState>InService</LifecycleState></member>", manyID(i*perGroup+j))
		}
		fmt.Fprintf(&out, `<member><AutoScalingGroupName>many-%[1]d</AutoScalingGroupName><MinSize>0</MinSize><DesiredCapacity>%[2]d</DesiredCapacity><MaxSize>%[2]d</MaxSize>
<Tags><member><Key>kubernetes.io/cluster/demo</Key><Value>owned</Value></member></Tags><Instances>%[3]s</Instances></member>`, i, perGroup, members.String())
	}
	if next != "" {
		next = "<NextToken>" + next + "</NextToken>"
	}
	return wrapped("DescribeAutoScalingGroups", "<AutoScalingGroups>%s</AutoScalingGroups>%s", out.String(), next)
}

func (w *World) manyInstances(form url.Values) answer {
	from, to, next := page(form.Get("NextToken"), w.many*perGroup, 1000)
	var out strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&out, `<item><instanceId>%s</instanceId><imageId>ami-0123456789abcdef0</imageId><instanceType>t3.medium</instanceType><launchTime>2026-11-01T10:00:00Z</launchTime>
<instanceState><name>running</name></instanceState><placement><availabilityZone>us-west-2a</availabilityZone></placement>
<iamInstanceProfile><arn>arn:aws:iam::%s:instance-profile/workers</arn></iamInstanceProfile></item>`, manyID(i), Account)
	}
	if next != "" {
		next = "<nextToken>" + next + "</nextToken>"
	}
	return ok(`<R><reservationSet><item><instancesSet>%s</instancesSet></item></reservationSet>%s</R>`, out.String(), next)
}

// manyNodes is a page of the Node objects of all machines.
func (w *World) manyNodes(query url.Values) corev1.NodeList {
	limit, _ := strconv.Atoi(query.Get("limit"))
	from, to, next := page(query.Get("continue"), w.many*perGroup, limit)
	list := corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList", APIVersion: "v1"}, ListMeta: metav1.ListMeta{Continue: next}}
	for i := from; i < to; i++ {
		list.Items = append(list.Items, corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%d", i)}, Spec: corev1.NodeSpec{ProviderID: "aws:///us-west-2a/" + manyID(i)},
			Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
		})
	}
	return list
}
