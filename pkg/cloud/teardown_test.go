package cloud

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// TestGroupStacks reads all pages, and of them only the stacks of this
// product's groups of the one cluster.
func TestGroupStacks(t *testing.T) {
	f := newFake(t)
	stack := func(name, cluster, group string) string {
		return fmt.Sprintf("<member><StackName>%s</StackName><StackStatus>CREATE_COMPLETE</StackStatus><Tags><member><Key>%s</Key><Value>%s</Value></member>"+
			"<member><Key>%s</Key><Value>%s</Value></member></Tags></member>", name, product.TagCluster, cluster, product.TagGroup, group)
	}
	f.answerWith("DescribeStacks", func(c call) (int, string) {
		page := stack("a", "demo", "a") + stack("other", "another", "a") + "<NextToken>2</NextToken>"
		if c.params.Get("NextToken") == "2" {
			page = stack("b", "demo", "b") + "<member><StackName>foreign</StackName><StackStatus>CREATE_COMPLETE</StackStatus></member>" + stack("no-group", "demo", "")
		}
		stacks, token, _ := strings.Cut(page, "<NextToken>")
		if token != "" {
			token = "<NextToken>" + token
		}
		return http.StatusOK, "<DescribeStacksResponse><DescribeStacksResult><Stacks>" + stacks + "</Stacks>" + token + "</DescribeStacksResult></DescribeStacksResponse>"
	})
	stacks, err := f.client().GroupStacks(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range stacks {
		names = append(names, one.Name)
	}
	if !slices.Equal(names, []string{"a", "b"}) || f.last("DescribeStacks").params.Has("StackName") {
		t.Errorf("stacks %v", names)
	}
}

func TestStackResourceTypes(t *testing.T) {
	f := newFake(t)
	f.answer("ListStackResources", http.StatusOK, `<R><ListStackResourcesResult><StackResourceSummaries>
<member><ResourceType>AWS::EKS::Cluster</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>
<member><ResourceType>AWS::EC2::VPC</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>
<member><ResourceType>AWS::EC2::EIP</ResourceType><ResourceStatus>DELETE_COMPLETE</ResourceStatus></member></StackResourceSummaries></ListStackResourcesResult></R>`)
	types, err := f.client().StackResourceTypes(t.Context(), "s")
	if err != nil || !slices.Equal(types, []string{"AWS::EC2::VPC", "AWS::EKS::Cluster"}) {
		t.Errorf("%v, %v", types, err)
	}
}

func TestStackMetadata(t *testing.T) {
	f := newFake(t)
	if none, err := f.client().StackMetadata(t.Context(), "s"); none != "" || err != nil || f.last("GetTemplateSummary").params.Get("StackName") != "s" {
		t.Errorf("%q, %v", none, err)
	}
	f.answer("GetTemplateSummary", http.StatusOK, `<R><GetTemplateSummaryResult><Metadata>{"a": "&lt;b&gt;"}</Metadata></GetTemplateSummaryResult></R>`)
	if got, err := f.client().StackMetadata(t.Context(), "s"); got != `{"a": "<b>"}` || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestClusterMembersAndEnd(t *testing.T) {
	f := newFake(t)
	f.answer("ListNodegroups", http.StatusOK, `{"nodegroups": ["a", "b"]}`)
	f.answer("ListFargateProfiles", http.StatusOK, `{"fargateProfileNames": ["fp"]}`)
	f.answer("DeleteCluster", http.StatusOK, `{"cluster": {"name": "demo", "status": "DELETING"}}`)
	client := f.client()
	groups, err := client.ManagedNodeGroups(t.Context(), "demo")
	if err != nil || !slices.Equal(groups, []string{"a", "b"}) {
		t.Errorf("%v, %v", groups, err)
	}
	profiles, err := client.FargateProfiles(t.Context(), "demo")
	if err != nil || !slices.Equal(profiles, []string{"fp"}) {
		t.Errorf("%v, %v", profiles, err)
	}
	if err := client.DeleteCluster(t.Context(), "demo"); err != nil {
		t.Error(err)
	}
	f.fail("DeleteCluster", http.StatusConflict, "ResourceInUseException", "Cluster has nodegroups attached")
	if err := client.DeleteCluster(t.Context(), "demo"); err == nil || !strings.Contains(err.Error(), "eks:DeleteCluster: Cluster has nodegroups attached") {
		t.Errorf("%v", err)
	}
}
