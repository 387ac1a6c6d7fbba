package secgroup

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var resolver = netip.MustParseAddr("10.20.0.2")

func permission(protocol string, from, to int32, peers ...string) types.IpPermission {
	p := types.IpPermission{IpProtocol: aws.String(protocol), FromPort: aws.Int32(from), ToPort: aws.Int32(to)}
	for _, peer := range peers {
		switch {
		case len(peer) > 3 && peer[:3] == "sg-":
			p.UserIdGroupPairs = append(p.UserIdGroupPairs, types.UserIdGroupPair{GroupId: aws.String(peer)})
		case netip.MustParsePrefix(peer).Addr().Is4():
			p.IpRanges = append(p.IpRanges, types.IpRange{CidrIp: aws.String(peer)})
		default:
			p.Ipv6Ranges = append(p.Ipv6Ranges, types.Ipv6Range{CidrIpv6: aws.String(peer)})
		}
	}
	return p
}

func TestRuleset(t *testing.T) {
	members := Members{"sg-nodes": {netip.MustParseAddr("10.20.32.9"), netip.MustParseAddr("10.20.16.7")}, "sg-empty": nil}
	everywhere := permission("-1", -1, -1, "0.0.0.0/0")
	tests := map[string][]types.SecurityGroup{
		"cluster-group": {{
			IpPermissions:       []types.IpPermission{permission("-1", -1, -1, "sg-nodes")},
			IpPermissionsEgress: []types.IpPermission{everywhere},
		}},
		"ssh-from-one-network": {{
			IpPermissions: []types.IpPermission{
				permission("tcp", 22, 22, "203.0.113.0/24"),
				permission("tcp", 1025, 65535, "sg-nodes", "10.20.0.0/16"),
			},
			IpPermissionsEgress: []types.IpPermission{permission("tcp", 443, 443, "0.0.0.0/0", "::/0")},
		}},
		"several-groups": {
			{IpPermissions: []types.IpPermission{permission("6", 0, 65535, "10.20.0.0/16"), permission("icmp", 8, -1, "0.0.0.0/0")}},
			{IpPermissions: []types.IpPermission{permission("udp", 53, 53, "sg-nodes"), permission("50", -1, -1, "10.20.0.10/32")}},
		},
		"nothing":           {{}},
		"group-of-nobody":   {{IpPermissions: []types.IpPermission{permission("tcp", 22, 22, "sg-empty", "sg-unknown")}}},
		"icmp-and-version6": {{IpPermissions: []types.IpPermission{permission("icmp", 3, 4, "0.0.0.0/0"), permission("58", -1, -1, "2001:db8::/32")}}},
	}
	for name, groups := range tests {
		t.Run(name, func(t *testing.T) {
			got := Ruleset(Resolve(groups, members), resolver)
			golden := filepath.Join("testdata", name+".nft")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("ruleset (-want +got):\n%s", diff)
			}
		})
	}
}

// A group whose rules name no reachable peer must not turn into "everybody".
func TestNoPeerAllowsNobody(t *testing.T) {
	groups := []types.SecurityGroup{{IpPermissions: []types.IpPermission{
		{IpProtocol: aws.String("tcp"), PrefixListIds: []types.PrefixListId{{PrefixListId: aws.String("pl-1")}}},
	}}}
	if p := Resolve(groups, nil); len(p.Ingress) != 0 {
		t.Errorf("ingress = %+v, want none", p.Ingress)
	}
}
