package front_test

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
	fronteks "github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/eks"
)

const adminPolicy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

// accessRecorder is an AccessChanged hook that remembers.
type accessRecorder struct {
	mu   sync.Mutex
	seen []front.Access
}

func (a *accessRecorder) changed(_ context.Context, access front.Access) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, access)
	return nil
}

func (a *accessRecorder) last(t *testing.T) front.Access {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) == 0 {
		t.Fatal("AccessChanged was never called")
	}
	return a.seen[len(a.seen)-1]
}

func demo(mode string) front.Cluster {
	return front.Cluster{
		Name: "demo", Version: "1.34", PlatformVersion: "eks.9", CAPEM: "-----BEGIN CERTIFICATE-----\n",
		Endpoint: "https://0123456789ABCDEF0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com",
		RoleARN:  "arn:aws:iam::111122223333:role/eks-cluster-demo", VPCID: "vpc-1", SubnetIDs: []string{"subnet-a", "subnet-b"},
		ClusterSecurityGroup: "sg-cluster", ServiceIPv4CIDR: "10.100.0.0/16", AuthenticationMode: mode,
		Entries: []fronteks.SeedEntry{{PrincipalARN: aliceARN, PolicyARNs: []string{adminPolicy}}},
	}
}

func newCluster(t *testing.T, mode string) (*rig, *eks.Client, *accessRecorder) {
	t.Helper()
	var access accessRecorder
	g := newRig(t, front.Hooks{AccessChanged: access.changed})
	if err := g.front.AddCluster(t.Context(), demo(mode)); err != nil {
		t.Fatal(err)
	}
	return g, eks.NewFromConfig(g.config()), &access
}

func TestDescribeCluster(t *testing.T) {
	_, client, _ := newCluster(t, "API_AND_CONFIG_MAP")
	out, err := client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("demo")})
	if err != nil {
		t.Fatal(err)
	}
	want := demo("")
	c := out.Cluster
	got := []string{
		*c.Arn, *c.Endpoint, *c.Version, string(c.Status), *c.ResourcesVpcConfig.VpcId, *c.ResourcesVpcConfig.ClusterSecurityGroupId,
		strings.Join(c.ResourcesVpcConfig.SubnetIds, ","), *c.KubernetesNetworkConfig.ServiceIpv4Cidr,
		string(c.KubernetesNetworkConfig.IpFamily), string(c.AccessConfig.AuthenticationMode), *c.CertificateAuthority.Data,
	}
	if diff := cmp.Diff([]string{
		"arn:aws:eks:us-west-2:111122223333:cluster/demo", want.Endpoint, "1.34", "ACTIVE", "vpc-1", "sg-cluster",
		"subnet-a,subnet-b", "10.100.0.0/16", "ipv4", "API_AND_CONFIG_MAP", base64.StdEncoding.EncodeToString([]byte(want.CAPEM)),
	}, got); diff != "" {
		t.Errorf("cluster (-want +got):\n%s", diff)
	}
	if age := time.Since(*c.CreatedAt); age < 0 || age > time.Minute {
		t.Errorf("created %v ago", age)
	}

	_, err = client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: aws.String("absent")})
	var notFound *types.ResourceNotFoundException
	if !errors.As(err, &notFound) || *notFound.ClusterName != "absent" {
		t.Errorf("absent cluster: %v", err)
	}
}

func TestClustersLiveInOneRegion(t *testing.T) {
	g, client, _ := newCluster(t, "API")
	names := func(c *eks.Client) []string {
		out, err := c.ListClusters(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return out.Clusters
	}
	if got := names(client); !slices.Equal(got, []string{"demo"}) {
		t.Errorf("clusters = %v", got)
	}
	cfg := g.config()
	cfg.Region = "eu-central-1"
	if got := names(eks.NewFromConfig(cfg)); len(got) != 0 {
		t.Errorf("clusters of another region = %v", got)
	}
}

func TestAccessEntryOfNodes(t *testing.T) {
	g, client, access := newCluster(t, "API_AND_CONFIG_MAP")
	create := &eks.CreateAccessEntryInput{
		ClusterName: aws.String("demo"), PrincipalArn: aws.String(nodeRole), Type: aws.String("EC2_LINUX"), Tags: map[string]string{"a": "b"},
	}
	out, err := client.CreateAccessEntry(t.Context(), create)
	if err != nil {
		t.Fatal(err)
	}
	e := out.AccessEntry
	if *e.Type != "EC2_LINUX" || *e.Username != "system:node:{{EC2PrivateDNSName}}" || !slices.Equal(e.KubernetesGroups, []string{"system:nodes"}) ||
		*e.PrincipalArn != nodeRole || e.Tags["a"] != "b" || e.CreatedAt == nil || e.ModifiedAt == nil ||
		!strings.HasPrefix(*e.AccessEntryArn, "arn:aws:eks:us-west-2:111122223333:access-entry/demo/role/111122223333/nodes/") {
		t.Errorf("entry = %+v", e)
	}
	want := front.AccessEntry{
		PrincipalARN: nodeRole, CanonicalARN: "arn:aws:iam::111122223333:role/nodes", PrincipalID: "AROANODES00000000001",
		Type: "EC2_LINUX", Username: "system:node:{{EC2PrivateDNSName}}", Groups: []string{"system:bootstrappers", "system:nodes"},
	}
	if diff := cmp.Diff(want, access.last(t).Entries[0]); diff != "" {
		t.Errorf("the authenticator is told (-want +got):\n%s", diff)
	}

	create.ClientRequestToken = nil
	_, err = client.CreateAccessEntry(t.Context(), create)
	var inUse *types.ResourceInUseException
	if !errors.As(err, &inUse) {
		t.Errorf("second entry of the principal: %v", err)
	}

	// The entry keeps the unique id: a role made again under its name is another one.
	g.moto.setRole("nodes", "AROANODES00000000002")
	_, err = client.AssociateAccessPolicy(t.Context(), &eks.AssociateAccessPolicyInput{
		ClusterName: aws.String("demo"), PrincipalArn: aws.String(aliceARN), PolicyArn: aws.String(adminPolicy),
		AccessScope: &types.AccessScope{Type: types.AccessScopeTypeCluster},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := access.last(t).Entries[0].PrincipalID; got != "AROANODES00000000001" {
		t.Errorf("unique id after the role was made again = %s", got)
	}

	name := &eks.DeleteAccessEntryInput{ClusterName: create.ClusterName, PrincipalArn: create.PrincipalArn}
	if _, err := client.DeleteAccessEntry(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if got := access.last(t).Entries; len(got) != 1 || got[0].PrincipalARN != aliceARN {
		t.Errorf("entries after deletion = %+v", got)
	}
	_, err = client.DeleteAccessEntry(t.Context(), name)
	var notFound *types.ResourceNotFoundException
	if !errors.As(err, &notFound) {
		t.Errorf("second deletion: %v", err)
	}
}

func TestAccessEntryRules(t *testing.T) {
	_, client, _ := newCluster(t, "API")
	for name, tc := range map[string]struct {
		principal, kind, username string
		groups                    []string
		want                      string
	}{
		"role with its path":           {principal: nodeRole, kind: "EC2_LINUX"},
		"role without its path":        {principal: "arn:aws:iam::111122223333:role/nodes", kind: "EC2_LINUX", want: "InvalidParameterException"},
		"absent role":                  {principal: "arn:aws:iam::111122223333:role/absent", want: "InvalidParameterException"},
		"role session":                 {principal: "arn:aws:sts::111122223333:assumed-role/nodes/i-1", want: "InvalidParameterException"},
		"account":                      {principal: "arn:aws:iam::111122223333:root", want: "InvalidParameterException"},
		"service-linked role":          {principal: "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/y", want: "InvalidParameterException"},
		"other partition":              {principal: "arn:aws-cn:iam::111122223333:role/nodes", want: "InvalidParameterException"},
		"unknown type":                 {principal: nodeRole, kind: "EC2_BSD", want: "InvalidParameterException"},
		"nodes with groups":            {principal: nodeRole, kind: "EC2_LINUX", groups: []string{"g"}, want: "InvalidParameterException"},
		"nodes with a username":        {principal: nodeRole, kind: "EC2_WINDOWS", username: "u", want: "InvalidParameterException"},
		"nodes of a user":              {principal: aliceARN, kind: "EC2_LINUX", want: "InvalidParameterException"},
		"nodes of another account":     {principal: "arn:aws:iam::999999999999:role/nodes", kind: "EC2_LINUX", want: "InvalidParameterException"},
		"standard of another account":  {principal: "arn:aws:iam::999999999999:role/admins"},
		"standard with groups":         {principal: nodeRole, groups: []string{"viewers"}, username: "ops:{{SessionName}}"},
		"standard with system:masters": {principal: nodeRole, groups: []string{"system:masters"}, want: "InvalidParameterException"},
		"standard with eks: group":     {principal: nodeRole, groups: []string{"eks:x"}, want: "InvalidParameterException"},
		"standard with system: name":   {principal: nodeRole, username: "system:node:x", want: "InvalidParameterException"},
		"session name without colon":   {principal: nodeRole, username: "ops{{SessionName}}", want: "InvalidParameterException"},
	} {
		in := &eks.CreateAccessEntryInput{ClusterName: aws.String("demo"), PrincipalArn: aws.String(tc.principal), KubernetesGroups: tc.groups}
		if tc.kind != "" {
			in.Type = aws.String(tc.kind)
		}
		if tc.username != "" {
			in.Username = aws.String(tc.username)
		}
		_, err := client.CreateAccessEntry(t.Context(), in)
		if got := codeOf(t, err); got != tc.want {
			t.Errorf("%s: code %q, want %q", name, got, tc.want)
		}
		if err == nil {
			_, err := client.DeleteAccessEntry(t.Context(), &eks.DeleteAccessEntryInput{ClusterName: aws.String("demo"), PrincipalArn: in.PrincipalArn})
			if err != nil {
				t.Errorf("%s: delete: %v", name, err)
			}
		}
	}
}

func TestStandardEntry(t *testing.T) {
	_, client, access := newCluster(t, "API")
	cluster, role := aws.String("demo"), aws.String(nodeRole)
	out, err := client.CreateAccessEntry(t.Context(), &eks.CreateAccessEntryInput{ClusterName: cluster, PrincipalArn: role})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := *out.AccessEntry.Username, "arn:aws:sts::111122223333:assumed-role/nodes/{{SessionName}}"; got != want {
		t.Errorf("default username = %s, want %s", got, want)
	}
	if _, err := client.UpdateAccessEntry(t.Context(), &eks.UpdateAccessEntryInput{
		ClusterName: cluster, PrincipalArn: role, KubernetesGroups: []string{"viewers"},
	}); err != nil {
		t.Fatal(err)
	}
	policy := func(arn, scope string, namespaces ...string) error {
		_, err := client.AssociateAccessPolicy(t.Context(), &eks.AssociateAccessPolicyInput{
			ClusterName: cluster, PrincipalArn: role, PolicyArn: aws.String(arn),
			AccessScope: &types.AccessScope{Type: types.AccessScopeType(scope), Namespaces: namespaces},
		})
		return err
	}
	if err := policy(adminPolicy, "namespace", "team"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{policy("arn:aws:eks::aws:cluster-access-policy/Nope", "cluster"), policy(adminPolicy, "namespace"), policy(adminPolicy, "cluster", "n")} {
		if got := codeOf(t, err); got != "InvalidParameterException" {
			t.Errorf("wrong association: code %q", got)
		}
	}
	want := front.AccessEntry{
		PrincipalARN: nodeRole, CanonicalARN: "arn:aws:iam::111122223333:role/nodes", PrincipalID: "AROANODES00000000001",
		Type: "STANDARD", Username: *out.AccessEntry.Username, Groups: []string{"viewers"},
		Policies: []fronteks.AccessPolicy{{ARN: adminPolicy, Namespaces: []string{"team"}}},
	}
	if diff := cmp.Diff(want, access.last(t).Entries[0]); diff != "" {
		t.Errorf("the authenticator is told (-want +got):\n%s", diff)
	}
	byPolicy, err := client.ListAccessEntries(t.Context(), &eks.ListAccessEntriesInput{ClusterName: cluster, AssociatedPolicyArn: aws.String(adminPolicy)})
	if err != nil || !slices.Equal(byPolicy.AccessEntries, []string{nodeRole, aliceARN}) {
		t.Errorf("entries with the policy: %v, %v", byPolicy, err)
	}
	detach := &eks.DisassociateAccessPolicyInput{ClusterName: cluster, PrincipalArn: role, PolicyArn: aws.String(adminPolicy)}
	if _, err := client.DisassociateAccessPolicy(t.Context(), detach); err != nil {
		t.Fatal(err)
	}
	_, err = client.DisassociateAccessPolicy(t.Context(), detach)
	if got := codeOf(t, err); got != "ResourceNotFoundException" {
		t.Errorf("second disassociation: code %q", got)
	}
	left, err := client.ListAssociatedAccessPolicies(t.Context(), &eks.ListAssociatedAccessPoliciesInput{ClusterName: cluster, PrincipalArn: role})
	if err != nil || len(left.AssociatedAccessPolicies) != 0 {
		t.Errorf("policies left: %+v, %v", left, err)
	}
}

func TestNodeEntriesCannotBeChanged(t *testing.T) {
	_, client, _ := newCluster(t, "API")
	cluster, role := aws.String("demo"), aws.String(nodeRole)
	if _, err := client.CreateAccessEntry(t.Context(), &eks.CreateAccessEntryInput{ClusterName: cluster, PrincipalArn: role, Type: aws.String("EC2_LINUX")}); err != nil {
		t.Fatal(err)
	}
	_, updateErr := client.UpdateAccessEntry(t.Context(), &eks.UpdateAccessEntryInput{ClusterName: cluster, PrincipalArn: role, Username: aws.String("x")})
	_, policyErr := client.AssociateAccessPolicy(t.Context(), &eks.AssociateAccessPolicyInput{
		ClusterName: cluster, PrincipalArn: role, PolicyArn: aws.String(adminPolicy), AccessScope: &types.AccessScope{Type: types.AccessScopeTypeCluster},
	})
	for name, err := range map[string]error{"update": updateErr, "policy": policyErr} {
		var invalid *types.InvalidRequestException
		if !errors.As(err, &invalid) {
			t.Errorf("%s of an EC2_LINUX entry: %v", name, err)
		}
	}
}

func TestAuthenticationModes(t *testing.T) {
	_, client, access := newCluster(t, "CONFIG_MAP")
	cluster := aws.String("demo")
	if a := access.last(t); len(a.Entries) != 0 || !a.UsesConfigMap() {
		t.Errorf("in mode CONFIG_MAP the authenticator is told %+v", a)
	}
	_, err := client.ListAccessEntries(t.Context(), &eks.ListAccessEntriesInput{ClusterName: cluster})
	var invalid *types.InvalidRequestException
	if !errors.As(err, &invalid) {
		t.Errorf("ListAccessEntries in mode CONFIG_MAP: %v", err)
	}
	set := func(mode types.AuthenticationMode) (*eks.UpdateClusterConfigOutput, error) {
		return client.UpdateClusterConfig(t.Context(), &eks.UpdateClusterConfigInput{
			Name: cluster, AccessConfig: &types.UpdateAccessConfigRequest{AuthenticationMode: mode},
		})
	}
	for _, step := range []struct {
		mode types.AuthenticationMode
		want string
	}{
		{types.AuthenticationModeApi, "InvalidParameterException"}, // no step may be left out
		{types.AuthenticationModeApiAndConfigMap, ""},
		{types.AuthenticationModeConfigMap, "InvalidParameterException"}, // nor undone
		{types.AuthenticationModeApi, ""},
		{types.AuthenticationModeApiAndConfigMap, "InvalidParameterException"},
	} {
		out, err := set(step.mode)
		if got := codeOf(t, err); got != step.want {
			t.Fatalf("to %s: code %q, want %q", step.mode, got, step.want)
		}
		if err != nil {
			continue
		}
		got, err := client.DescribeUpdate(t.Context(), &eks.DescribeUpdateInput{Name: cluster, UpdateId: out.Update.Id})
		if err != nil || out.Update.Status != types.UpdateStatusInProgress || got.Update.Status != types.UpdateStatusSuccessful {
			t.Errorf("update to %s: %v, then %v, %v", step.mode, out.Update.Status, got, err)
		}
		if a := access.last(t); a.AuthenticationMode != string(step.mode) || len(a.Entries) != 1 {
			t.Errorf("after the change to %s the authenticator is told %+v", step.mode, a)
		}
	}
}

func TestListAccessEntriesPages(t *testing.T) {
	_, client, _ := newCluster(t, "API")
	want := []string{aliceARN}
	for i := range 7 {
		arn := "arn:aws:iam::999999999999:role/r" + strconv.Itoa(i)
		want = append(want, arn)
		if _, err := client.CreateAccessEntry(t.Context(), &eks.CreateAccessEntryInput{ClusterName: aws.String("demo"), PrincipalArn: aws.String(arn)}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	pages := eks.NewListAccessEntriesPaginator(client, &eks.ListAccessEntriesInput{ClusterName: aws.String("demo"), MaxResults: aws.Int32(3)})
	n := 0
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n++
		got = append(got, out.AccessEntries...)
	}
	if !slices.Equal(got, want) || n != 3 {
		t.Errorf("%d pages: %v", n, got)
	}
	_, err := client.ListAccessEntries(t.Context(), &eks.ListAccessEntriesInput{ClusterName: aws.String("demo"), MaxResults: aws.Int32(101)})
	if code := codeOf(t, err); code != "InvalidParameterException" {
		t.Errorf("maxResults 101: code %q", code)
	}
}

func TestCreateAccessEntryIsIdempotentByToken(t *testing.T) {
	_, client, _ := newCluster(t, "API")
	in := &eks.CreateAccessEntryInput{ClusterName: aws.String("demo"), PrincipalArn: aws.String(nodeRole), ClientRequestToken: aws.String("once")}
	first, err := client.CreateAccessEntry(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	second, err := client.CreateAccessEntry(t.Context(), in)
	if err != nil || *second.AccessEntry.AccessEntryArn != *first.AccessEntry.AccessEntryArn {
		t.Errorf("the same request again: %+v, %v", second, err)
	}
}

func TestClusterReads(t *testing.T) {
	_, client, _ := newCluster(t, "API")
	cluster := aws.String("demo")
	addons, err := client.ListAddons(t.Context(), &eks.ListAddonsInput{ClusterName: cluster})
	if err != nil || !slices.Equal(addons.Addons, []string{"coredns", "kube-proxy", "vpc-cni"}) {
		t.Errorf("add-ons: %+v, %v", addons, err)
	}
	addon, err := client.DescribeAddon(t.Context(), &eks.DescribeAddonInput{ClusterName: cluster, AddonName: aws.String("vpc-cni")})
	if err != nil || addon.Addon.Status != types.AddonStatusActive {
		t.Errorf("add-on: %+v, %v", addon, err)
	}
	versions, err := client.DescribeClusterVersions(t.Context(), &eks.DescribeClusterVersionsInput{ClusterVersions: []string{"1.35"}})
	if err != nil || len(versions.ClusterVersions) != 1 || !versions.ClusterVersions[0].DefaultVersion {
		t.Errorf("versions: %+v, %v", versions, err)
	}
	groups, err := client.ListNodegroups(t.Context(), &eks.ListNodegroupsInput{ClusterName: cluster})
	if err != nil || len(groups.Nodegroups) != 0 {
		t.Errorf("node groups: %+v, %v", groups, err)
	}
	_, err = client.DescribeNodegroup(t.Context(), &eks.DescribeNodegroupInput{ClusterName: cluster, NodegroupName: aws.String("x")})
	var notFound *types.ResourceNotFoundException
	if !errors.As(err, &notFound) || *notFound.NodegroupName != "x" {
		t.Errorf("absent node group: %v", err)
	}
	if _, err := client.TagResource(t.Context(), &eks.TagResourceInput{
		ResourceArn: aws.String("arn:aws:eks:us-west-2:111122223333:cluster/demo"), Tags: map[string]string{"team": "blue"},
	}); err != nil {
		t.Fatal(err)
	}
	out, err := client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: cluster})
	if err != nil || out.Cluster.Tags["team"] != "blue" {
		t.Errorf("tags: %+v, %v", out, err)
	}
}

// TestDeleteCluster: a cluster is seen going before it is gone.
func TestDeleteCluster(t *testing.T) {
	g, client, _ := newCluster(t, "API")
	cluster := aws.String("demo")
	deleted, err := client.DeleteCluster(t.Context(), &eks.DeleteClusterInput{Name: cluster})
	if err != nil || deleted.Cluster.Status != types.ClusterStatusDeleting {
		t.Fatalf("%+v, %v", deleted, err)
	}
	out, err := client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: cluster})
	if err != nil || out.Cluster.Status != types.ClusterStatusDeleting {
		t.Errorf("while it goes: %+v, %v", out, err)
	}
	g.send(t, "PUT", "/clock", `{"offset":"1m"}`, nil)
	_, err = client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: cluster})
	if code := codeOf(t, err); code != "ResourceNotFoundException" {
		t.Errorf("deleted cluster: code %q", code)
	}
	list, err := client.ListClusters(t.Context(), &eks.ListClustersInput{})
	if err != nil || len(list.Clusters) != 0 {
		t.Errorf("deleted cluster is listed: %+v, %v", list, err)
	}
}

func TestEKSStateOutlivesTheFront(t *testing.T) {
	dir := t.TempDir()
	moto := newFakeMoto(t)
	start := func() *front.Front {
		f, err := front.New(front.Config{Account: account, Region: region, Partition: "aws", Moto: moto.url, StateDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := start()
	if err := f.AddCluster(t.Context(), demo("API")); err != nil {
		t.Fatal(err)
	}
	before, _ := f.Access("demo")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = start()
	after, ok := f.Access("demo")
	if diff := cmp.Diff(before, after); !ok || diff != "" {
		t.Errorf("access after a restart (-want +got):\n%s", diff)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"eks.json", "calls.jsonl"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
