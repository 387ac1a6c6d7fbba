package nodegroup

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// ourStack is the stack of a group of ours.
func ourStack(group string) snapshot.Stack {
	name, err := StackName(snapshottest.Cluster, group)
	if err != nil {
		panic(err)
	}
	return snapshot.Stack{Name: name, ID: "arn:stack/" + group, Status: "CREATE_COMPLETE",
		Tags: map[string]string{product.TagCluster: snapshottest.Cluster, product.TagGroup: group}}
}

// standing is a cluster with the healthy group, ours.
func standing(edits ...snapshottest.Edit) *snapshot.Snapshot {
	return snapshottest.Healthy(append([]snapshottest.Edit{func(s *snapshot.Snapshot) {
		s.Groups[0].Tool = ToolOurs
		s.Stacks = []snapshot.Stack{ourStack(snapshottest.Group)}
	}}, edits...)...)
}

func TestTeardownRefuses(t *testing.T) {
	stray := func(labels map[string]string) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			s.Nodes = append(s.Nodes, snapshot.Node{InstanceID: "i-stray", Cloud: &snapshot.Instance{State: "running"}, Kube: &snapshot.KubeNode{Name: "stray", Labels: labels}})
		}
	}
	silent := func(state string, tags map[string]string) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			s.Nodes = append(s.Nodes, snapshot.Node{InstanceID: "i-silent", Cloud: &snapshot.Instance{State: state, Tags: tags}})
		}
	}
	foreign := func(tool string, stack *snapshot.Stack) snapshottest.Edit {
		return func(s *snapshot.Snapshot) {
			s.Groups = append(s.Groups, snapshot.Group{Name: "ng", ASGName: "asg-ng", Tool: tool, Stack: stack})
		}
	}
	balancer := &snapshot.Leftovers{LoadBalancers: []snapshot.LoadBalancer{{Kind: "ingress", Namespace: "shop", Name: "web", Address: "x.elb.amazonaws.com"}}}
	lost := &snapshot.Leftovers{Volumes: []snapshot.ClaimedDisk{{ID: "vol-1", Name: "pv", Claim: "shop/data", Size: "8Gi"}, {ID: "vol-2", Kept: true}, {ID: "vol-3", Name: "free"}}}
	none := &snapshot.Leftovers{}
	for name, test := range map[string]struct {
		edit    snapshottest.Edit
		facts   TeardownFacts
		options TeardownOptions
		want    []string // "what | fix"
	}{
		"nothing":     {facts: TeardownFacts{Leftovers: none}},
		"managed":     {facts: TeardownFacts{Leftovers: none, ManagedGroups: []string{"blue"}}, want: []string{"managed node group blue | aws eks delete-nodegroup --cluster-name demo --nodegroup-name blue --region us-west-2"}},
		"fargate":     {facts: TeardownFacts{Leftovers: none, FargateProfiles: []string{"fp"}}, want: []string{"Fargate profile fp | aws eks delete-fargate-profile --cluster-name demo --fargate-profile-name fp --region us-west-2"}},
		"eksctl":      {edit: foreign("eksctl", &snapshot.Stack{Name: "s"}), facts: TeardownFacts{Leftovers: none}, want: []string{"node group ng, made by eksctl (Auto Scaling group asg-ng) | eksctl delete nodegroup --cluster demo --name ng --region us-west-2"}},
		"a stack":     {edit: foreign("cloudformation", &snapshot.Stack{Name: "s"}), facts: TeardownFacts{Leftovers: none}, want: []string{"node group ng, made by cloudformation (Auto Scaling group asg-ng) | aws cloudformation delete-stack --region us-west-2 --stack-name s"}},
		"terraform":   {edit: foreign("terraform", nil), facts: TeardownFacts{Leftovers: none}, want: []string{"node group ng, made by terraform (Auto Scaling group asg-ng) | delete it with what made it"}},
		"karpenter":   {edit: stray(map[string]string{labelNodePool: "default"}), facts: TeardownFacts{Leftovers: none}, want: []string{"node stray, made by Karpenter | kubectl delete nodepool default"}},
		"by hand":     {edit: stray(nil), facts: TeardownFacts{Leftovers: none}, want: []string{"node stray belongs to no group (i-stray is running) | aws ec2 terminate-instances --region us-west-2 --instance-ids i-stray"}},
		"silent":      {edit: silent("stopped", nil), facts: TeardownFacts{Leftovers: none}, want: []string{"instance i-silent belongs to no group (i-silent is stopped) | aws ec2 terminate-instances --region us-west-2 --instance-ids i-silent"}},
		"silent pool": {edit: silent("running", map[string]string{labelNodePool: "default"}), facts: TeardownFacts{Leftovers: none}, want: []string{"instance i-silent, made by Karpenter | kubectl delete nodepool default"}},
		"its managed": {edit: silent("running", map[string]string{tagManaged: "ng"}), facts: TeardownFacts{Leftovers: none}},
		"ended":       {edit: silent("shutting-down", nil), facts: TeardownFacts{Leftovers: none}},
		"no machine": {edit: func(s *snapshot.Snapshot) {
			s.Nodes = append(s.Nodes, snapshot.Node{Kube: &snapshot.KubeNode{Name: "stray"}})
		}, facts: TeardownFacts{Leftovers: none},
			want: []string{"node stray belongs to no group, and its machine is not known | kubectl delete node stray"}},
		"hybrid":      {edit: stray(map[string]string{labelCompute: "hybrid"}), facts: TeardownFacts{Leftovers: none}, want: []string{"node stray is a hybrid one | run nodeadm uninstall on it, then: kubectl delete node stray"}},
		"auto mode":   {edit: stray(map[string]string{labelCompute: "auto"}), facts: TeardownFacts{Leftovers: none}},
		"its profile": {edit: stray(map[string]string{labelCompute: "fargate"}), facts: TeardownFacts{Leftovers: none}},
		"balancer": {facts: TeardownFacts{Leftovers: balancer}, options: TeardownOptions{OrphanVolumes: true},
			want: []string{"the load balancer of ingress shop/web would be left behind (x.elb.amazonaws.com) | kubectl delete ingress --namespace shop web, or --orphan-load-balancers"}},
		"balancer, told": {facts: TeardownFacts{Leftovers: balancer}, options: TeardownOptions{OrphanLoadBalancers: true}},
		"volumes": {facts: TeardownFacts{Leftovers: lost}, options: TeardownOptions{OrphanLoadBalancers: true}, want: []string{
			"volume vol-1 of shop/data (8Gi) would be left behind | kubectl delete persistentvolumeclaim --namespace shop data, or --orphan-volumes",
			"volume vol-3 of free () would be left behind | kubectl delete persistentvolume free, or --orphan-volumes"}},
		"volumes, told":   {facts: TeardownFacts{Leftovers: lost}, options: TeardownOptions{OrphanVolumes: true}},
		"not known":       {facts: TeardownFacts{LeftoversGap: "access denied"}, options: TeardownOptions{OrphanVolumes: true}, want: []string{"load balancers and volumes that the cluster has made could not be looked for: access denied | --orphan-load-balancers --orphan-volumes leaves them behind, if there are any"}},
		"not known, told": {facts: TeardownFacts{LeftoversGap: "access denied"}, options: TeardownOptions{OrphanVolumes: true, OrphanLoadBalancers: true}},
		"protected": {edit: func(s *snapshot.Snapshot) { s.Cluster.DeletionProtection = true }, facts: TeardownFacts{Leftovers: none},
			want: []string{"cluster demo is protected from deletion | aws eks update-cluster-config --no-deletion-protection --name demo --region us-west-2"}},
		"updating":  {edit: func(s *snapshot.Snapshot) { s.Cluster.Status = "UPDATING" }, facts: TeardownFacts{Leftovers: none}, want: []string{"cluster demo is UPDATING | wait until it is ACTIVE"}},
		"going":     {edit: func(s *snapshot.Snapshot) { s.Cluster.Status = "DELETING" }, facts: TeardownFacts{ManagedGroups: []string{"blue"}}},
		"its stack": {facts: TeardownFacts{Leftovers: none, Stack: &ClusterStack{Stack: snapshot.Stack{Name: "net", TerminationProtection: true}}}, want: []string{"the cluster's stack net is protected | aws cloudformation update-termination-protection --no-enable-termination-protection --region us-west-2 --stack-name net"}},
		"nested": {facts: TeardownFacts{Leftovers: none, Stack: &ClusterStack{Stack: snapshot.Stack{Name: "net", Root: "arn:aws:cloudformation:us-west-2:1:stack/all/1"}}},
			want: []string{"the cluster's stack net is nested in stack all, which may hold more than the cluster | aws cloudformation delete-stack --region us-west-2 --stack-name all"}},
		"a group's stack": {edit: func(s *snapshot.Snapshot) { s.Stacks[0].TerminationProtection = true }, facts: TeardownFacts{Leftovers: none},
			want: []string{"stack eksnodes-demo-workers is protected: aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name eksnodes-demo-workers | "}},
	} {
		t.Run(name, func(t *testing.T) {
			var edits []snapshottest.Edit
			if test.edit != nil {
				edits = append(edits, test.edit)
			}
			plan, err := MakeTeardownPlan(standing(edits...), &test.facts, test.options)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, refusal := range plan.Refusals {
				got = append(got, refusal.What+" | "+refusal.Fix)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTeardownFindsAllOfOurs: groups that stand, stacks without a group, and
// nodes without either.
func TestTeardownFindsAllOfOurs(t *testing.T) {
	snap := standing(func(s *snapshot.Snapshot) {
		failed := ourStack("halfmade")
		failed.Status = "ROLLBACK_COMPLETE"
		other := ourStack("others")
		other.Tags[product.TagCluster] = "another"
		s.Stacks = append(s.Stacks, failed, other)
		s.Nodes = append(s.Nodes, snapshot.Node{InstanceID: "i-gone", Kube: &snapshot.KubeNode{Name: "orphan", Labels: map[string]string{product.TagGroup: "past"}}})
		s.Access.Entries = append(s.Access.Entries, snapshot.AccessEntry{PrincipalARN: "arn:aws:iam::111122223333:role/eksnodes-demo-mapped-NodeInstanceRole-1A2B"})
	})
	plan, err := MakeTeardownPlan(snap, &TeardownFacts{Leftovers: &snapshot.Leftovers{}}, TeardownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, group := range plan.Groups {
		names = append(names, group.Group)
	}
	if want := []string{"halfmade", "mapped", "past", "workers"}; !slices.Equal(names, want) || len(plan.Refusals) > 0 {
		t.Errorf("groups %v, want %v; against it %v", names, want, plan.Refusals)
	}
}

// site plays all that a teardown changes, and writes down what is asked.
type site struct {
	log    []string
	fail   string // what is asked in vain
	looks  []string
	cancel func() // called when fail is asked
}

func (s *site) do(what string) error {
	s.log = append(s.log, what)
	if what != s.fail {
		return nil
	}
	if s.cancel != nil {
		s.cancel()
		return context.Canceled
	}
	return errors.New("no")
}

func (s *site) SuspendProcesses(_ context.Context, group string, _ []string) error {
	return s.do("suspend " + group)
}

func (s *site) ResumeProcesses(_ context.Context, group string, _ []string) error {
	return s.do("resume " + group)
}

func (s *site) Drain(_ context.Context, nodes []string) error {
	return s.do("drain " + strings.Join(nodes, " "))
}
func (s *site) DeleteNode(_ context.Context, name, _ string) error {
	return s.do("delete node " + name)
}
func (s *site) DeleteCluster(_ context.Context, name string) error {
	return s.do("delete cluster " + name)
}
func (s *site) ClusterStatus(context.Context, string) (string, error) {
	if len(s.looks) == 0 {
		return "", nil
	}
	status := s.looks[0]
	s.looks = s.looks[1:]
	return status, nil
}

func (s *site) Stack(_ context.Context, id string) (*snapshot.Stack, error) {
	return &snapshot.Stack{Name: id, ID: id, Status: "DELETE_COMPLETE"}, nil
}

func (s *site) StackEvents(_ context.Context, id, after string) ([]StackEvent, error) {
	if after != "" || !slices.Contains(s.log, "delete stack "+id) {
		return nil, nil
	}
	return []StackEvent{{ID: "1", Resource: id, ResourceType: stackResourceType, Status: "DELETE_COMPLETE"}}, nil
}
func (s *site) CreateStack(context.Context, NewStack) (string, error) {
	return "", s.do("create stack")
}
func (s *site) DeleteStack(_ context.Context, id, _ string) error { return s.do("delete stack " + id) }
func (s *site) AccessEntry(context.Context, string, string) (*snapshot.AccessEntry, error) {
	return &snapshot.AccessEntry{Type: EntryType}, nil
}

func (s *site) CreateAccessEntry(context.Context, string, string, string, map[string]string) error {
	return s.do("create entry")
}

func (s *site) DeleteAccessEntry(_ context.Context, _, principal string) error {
	return s.do("delete entry " + principal)
}

func twoGroups() *TeardownPlan {
	plan := &TeardownPlan{Cluster: "demo", Status: clusterActive}
	for _, name := range []string{"a", "b"} {
		plan.Groups = append(plan.Groups, &DeletePlan{
			Group: name, Cluster: "demo", ASGName: "asg-" + name, Stack: snapshot.Stack{Name: name, ID: name, Status: "CREATE_COMPLETE"}, SkipDrain: true,
			Nodes: []DeleteNode{{Name: "node-" + name, InstanceID: "i-" + name}}, Mapping: MapEntry, RoleARN: "role-" + name,
		})
	}
	return plan
}

func TestTeardownRun(t *testing.T) {
	suspended := []string{"suspend asg-a", "suspend asg-b", "drain node-a node-b"}
	first := []string{"delete stack a", "delete node node-a", "delete entry role-a"}
	second := []string{"delete stack b", "delete node node-b", "delete entry role-b"}
	for name, test := range map[string]struct {
		fail      string
		interrupt bool
		looks     []string
		plan      func(*TeardownPlan)
		want      []string
		err       string
		left      []string // of an interruption
	}{
		"to the end":     {looks: []string{"ACTIVE", "DELETING", "DELETING"}, want: slices.Concat(suspended, first, second, []string{"delete cluster demo"})},
		"drain fails":    {fail: "drain node-a node-b", want: slices.Concat(suspended, []string{"resume asg-a", "resume asg-b"}), err: "drain: no"},
		"suspend fails":  {fail: "suspend asg-b", want: []string{"suspend asg-a", "suspend asg-b", "resume asg-a", "resume asg-b"}, err: "suspend launches of asg-b: no"},
		"stack refused":  {fail: "delete stack a", want: slices.Concat(suspended, []string{"delete stack a", "resume asg-a", "resume asg-b"}), err: "node group a: delete stack a: no"},
		"entry refused":  {fail: "delete entry role-a", want: slices.Concat(suspended, first, []string{"resume asg-b"}), err: "no"},
		"second refused": {fail: "delete stack b", want: slices.Concat(suspended, first, []string{"delete stack b", "resume asg-b"}), err: "node group b"},
		"cluster stays":  {fail: "delete cluster demo", want: slices.Concat(suspended, first, second, []string{"delete cluster demo"}), err: "delete cluster demo: no"},
		"cluster fails":  {looks: []string{"DELETING", "FAILED"}, want: slices.Concat(suspended, first, second, []string{"delete cluster demo"}), err: "cluster demo is FAILED and not DELETING"},
		"interrupted": {fail: "drain node-a node-b", interrupt: true, want: slices.Concat(suspended, []string{"resume asg-a", "resume asg-b"}), err: "interrupted",
			left: []string{"drain", "stack a", "leftover Node objects", "mapping of role-a", "stack b", "leftover Node objects", "mapping of role-b", "cluster demo"}},
		"between groups": {fail: "delete stack b", interrupt: true, want: slices.Concat(suspended, first, []string{"delete stack b", "resume asg-b"}), err: "interrupted",
			left: []string{"stack b", "leftover Node objects", "mapping of role-b", "cluster demo"}},
		"going already": {plan: func(p *TeardownPlan) { p.Groups, p.Status = nil, clusterDeleting }, looks: []string{"DELETING"}},
		"by its stack": {plan: func(p *TeardownPlan) {
			p.Groups, p.Stack = nil, &ClusterStack{Stack: snapshot.Stack{Name: "c", ID: "c"}}
		}, want: []string{"delete stack c"}},
		"without a drain": {plan: func(p *TeardownPlan) { p.Groups, p.SkipDrain = p.Groups[:1], true }, want: slices.Concat(suspended[:1], first, []string{"delete cluster demo"})},
		"refused":         {plan: func(p *TeardownPlan) { p.refuse("a volume", "") }, err: "tear down demo: a volume"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			s := &site{fail: test.fail, looks: test.looks}
			if test.interrupt {
				s.cancel = cancel
			}
			plan := twoGroups()
			if test.plan != nil {
				test.plan(plan)
			}
			var told notes
			teardown := Teardown{Clusters: s, Poll: time.Microsecond, Remover: &Remover{
				Stacks: s, Writer: s, Suspension: s, Drainer: s, Nodes: s, Entries: s, Progress: &told, StackPoll: time.Microsecond,
			}}
			_, err := teardown.Run(ctx, plan)
			if diff := cmp.Diff(test.want, s.log); diff != "" {
				t.Error(diff)
			}
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			var interrupted *InterruptedError
			if errors.As(err, &interrupted) != test.interrupt {
				t.Errorf("error %v", err)
			} else if test.interrupt && !slices.Equal(interrupted.Left, test.left) {
				t.Errorf("left %q, want %q", interrupted.Left, test.left)
			}
		})
	}
}
