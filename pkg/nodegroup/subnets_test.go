package nodegroup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

func TestSubnetsAreChosen(t *testing.T) {
	private := []string{"subnet-0privatea", "subnet-0privateb"}
	public := []string{"subnet-0publica", "subnet-0publicb"}
	yes, no := true, false
	onlyPublic := func(s *snapshot.Snapshot) { s.Cluster.SubnetIDs = public }
	tagged := func(s *snapshot.Snapshot) {
		s.Network.Subnet("subnet-0publicb").Tags = map[string]string{"for": "edge"}
	}
	tests := map[string]struct {
		edit     snapshottest.Edit
		choice   SubnetChoice
		want     []string
		publicIP *bool
		wrong    string
	}{
		"the cluster's private ones":      {nil, SubnetChoice{}, private, &no, ""},
		"public ones if there is nothing": {onlyPublic, SubnetChoice{}, public, &yes, ""},
		"public ones asked for":           {nil, SubnetChoice{Placement: PlacePublic}, public, &yes, ""},
		"private ones that are not there": {onlyPublic, SubnetChoice{Placement: PlacePrivate}, nil, nil, "none of the 2 subnets to choose from is private"},
		"by id, both kinds":               {nil, SubnetChoice{IDs: []string{public[0], private[1]}}, []string{public[0], private[1]}, nil, ""},
		"by id, unknown":                  {nil, SubnetChoice{IDs: []string{"subnet-0x"}}, nil, nil, "subnet subnet-0x does not exist"},
		"by tag":                          {tagged, SubnetChoice{Tags: map[string]string{"for": "edge"}}, public[1:], &yes, ""},
		"by tag, any value":               {tagged, SubnetChoice{Tags: map[string]string{"for": ""}}, public[1:], &yes, ""},
		"by tag, no match":                {tagged, SubnetChoice{Tags: map[string]string{"for": "else"}}, nil, nil, "no subnet of"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			snap := snapshottest.Healthy()
			if test.edit != nil {
				test.edit(snap)
			}
			chosen, publicIP, err := chooseSubnets(snap, test.choice)
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Fatalf("error is %v, want %q", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, subnetIDs(chosen)); diff != "" {
				t.Errorf("subnets (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.publicIP, publicIP); diff != "" {
				t.Errorf("public addresses (-want +got):\n%s", diff)
			}
		})
	}
}
