package imds

import (
	"encoding/json"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// tree gives the fixed values of the metadata tree by path, without the version
// in front. Folders exist by having children.
func tree(i Instance) map[string]string {
	t := map[string]string{
		"meta-data/ami-id":                      i.ImageID,
		"meta-data/ami-launch-index":            strconv.Itoa(i.LaunchIndex),
		"meta-data/ami-manifest-path":           "(unknown)",
		"meta-data/hostname":                    i.PrivateDNS,
		"meta-data/instance-action":             "none",
		"meta-data/instance-id":                 i.ID,
		"meta-data/instance-life-cycle":         i.Lifecycle,
		"meta-data/instance-type":               i.Type,
		"meta-data/local-hostname":              i.PrivateDNS,
		"meta-data/local-ipv4":                  i.PrivateIP,
		"meta-data/mac":                         i.MAC,
		"meta-data/placement/availability-zone": i.Zone,
		"meta-data/placement/region":            i.Region,
		"meta-data/profile":                     "default-hvm",
		"meta-data/reservation-id":              i.ReservationID,
		"meta-data/security-groups":             strings.Join(groupNames(i.Groups), "\n"),
		"meta-data/services/domain":             i.DNSSuffix,
		"meta-data/services/partition":          i.Partition,
		"dynamic/instance-identity/document":    identityDocument(i),
	}
	optional := map[string]string{
		"meta-data/autoscaling/target-lifecycle-state": i.TargetState,

		"meta-data/placement/availability-zone-id": i.ZoneID,
		"meta-data/public-hostname":                i.PublicDNS,
		"meta-data/public-ipv4":                    i.PublicIP,
		"user-data":                                string(i.UserData),
	}
	if i.PublicKey != "" {
		optional["meta-data/public-keys/0/openssh-key"] = i.PublicKey
	}
	if i.Profile != nil {
		t["meta-data/iam/info"] = profileInfo(i)
	}
	if i.Options.Tags {
		for key, value := range i.Tags {
			t["meta-data/tags/instance/"+key] = value
		}
	}
	addInterface(t, optional, i)
	for path, value := range optional {
		if value != "" {
			t[path] = value
		}
	}
	return t
}

func addInterface(t, optional map[string]string, i Instance) {
	base := "meta-data/network/interfaces/macs/" + i.MAC + "/"
	for name, value := range map[string]string{
		"device-number":          "0",
		"interface-id":           i.InterfaceID,
		"local-hostname":         i.PrivateDNS,
		"local-ipv4s":            i.PrivateIP,
		"mac":                    i.MAC,
		"owner-id":               i.Account,
		"security-group-ids":     strings.Join(groupIDs(i.Groups), "\n"),
		"security-groups":        strings.Join(groupNames(i.Groups), "\n"),
		"subnet-id":              i.SubnetID,
		"subnet-ipv4-cidr-block": i.SubnetCIDR,
		"vpc-id":                 i.VPCID,
		"vpc-ipv4-cidr-block":    i.VPCCIDR,
		"vpc-ipv4-cidr-blocks":   i.VPCCIDR,
	} {
		t[base+name] = value
	}
	optional[base+"public-hostname"] = i.PublicDNS
	optional[base+"public-ipv4s"] = i.PublicIP
	if i.PublicIP != "" {
		t[base+"ipv4-associations/"+i.PublicIP] = i.PrivateIP
	}
}

func groupNames(groups []Group) []string {
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return names
}

func groupIDs(groups []Group) []string {
	var ids []string
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	return ids
}

// identityDocument has the fields of EC2's document, unsigned.
func identityDocument(i Instance) string {
	return indented(map[string]any{
		"accountId":               i.Account,
		"architecture":            i.Architecture,
		"availabilityZone":        i.Zone,
		"billingProducts":         nil,
		"devpayProductCodes":      nil,
		"marketplaceProductCodes": nil,
		"imageId":                 i.ImageID,
		"instanceId":              i.ID,
		"instanceType":            i.Type,
		"kernelId":                nil,
		"pendingTime":             i.LaunchTime.UTC().Format(time.RFC3339),
		"privateIp":               i.PrivateIP,
		"ramdiskId":               nil,
		"region":                  i.Region,
		"version":                 "2017-09-30",
	})
}

func profileInfo(i Instance) string {
	return indented(map[string]any{
		"Code":               "Success",
		"LastUpdated":        i.LaunchTime.UTC().Format(time.RFC3339),
		"InstanceProfileArn": i.Profile.ARN,
		"InstanceProfileId":  i.Profile.ID,
	})
}

func indented(v map[string]any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil { // strings and nil only
		panic(err)
	}
	return string(text)
}

// list gives the children of a folder, one a line, folders with a slash at the
// end; false when there is no such folder.
func list(t map[string]string, folder string, i Instance) (string, bool) {
	folder = strings.TrimSuffix(folder, "/") + "/"
	if folder == "meta-data/public-keys/" && i.PublicKey != "" {
		return "0=" + i.KeyName, true
	}
	var children []string
	for path := range t {
		rest, below := strings.CutPrefix(path, folder)
		if !below || rest == "" {
			continue
		}
		child, _, isFolder := strings.Cut(rest, "/")
		if isFolder {
			child += "/"
		}
		children = append(children, child)
	}
	if len(children) == 0 {
		return "", false
	}
	sort.Strings(children)
	return strings.Join(slices.Compact(children), "\n"), true
}
