package clitest

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// The images of the world: the newest of its family, and the one before.
const (
	newestImage = "ami-0123456789abcdef0"
	olderImage  = "ami-0fedcba9876543210"
)

// templateVersion is what machines are started from: the values of the
// parameters that the launch template takes from its stack, and the user data.
type templateVersion struct{ image, kind, size, volume, userData, hops string }

// newVersion makes the version that the stack's parameters ask for, if the
// last one is another.
func (w *World) newVersion() {
	p := w.stack.parameters
	userData, hops := launchOf(w.stack)
	version := templateVersion{p["NodeImageId"], p["NodeInstanceType"], p["NodeVolumeSize"], p["NodeVolumeType"], userData, hops}
	if n := len(w.versions); n == 0 || w.versions[n-1] != version {
		w.versions = append(w.versions, version)
	}
}

// launchOf are the user data (base64) and the hop limit that a stack's launch
// template has. User data is the pieces of a text with references to parameters
// between them.
func launchOf(s *stack) (userData, hops string) {
	var template struct {
		Resources struct {
			NodeLaunchTemplate struct {
				Properties struct {
					LaunchTemplateData struct {
						MetadataOptions struct {
							HopLimit int `json:"HttpPutResponseHopLimit"`
						}
						UserData struct {
							Base64 struct {
								Join []any `json:"Fn::Join"`
							} `json:"Fn::Base64"`
						}
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(s.body), &template); err != nil {
		return "", ""
	}
	data := template.Resources.NodeLaunchTemplate.Properties.LaunchTemplateData
	hops = strconv.Itoa(data.MetadataOptions.HopLimit)
	join := data.UserData.Base64.Join
	if len(join) != 2 {
		return "", hops
	}
	pieces, _ := join[1].([]any)
	var text strings.Builder
	for _, piece := range pieces {
		switch piece := piece.(type) {
		case string:
			text.WriteString(piece)
		case map[string]any:
			text.WriteString(s.parameters[fmt.Sprint(piece["Ref"])])
		}
	}
	return base64.StdEncoding.EncodeToString([]byte(text.String())), hops
}

// templateVersions answers DescribeLaunchTemplateVersions for one version or
// for a range.
func (w *World) templateVersions(form url.Values) answer {
	number := func(key string) int { n, _ := strconv.Atoi(form.Get(key)); return n }
	first, last := number("MinVersion"), number("MaxVersion")
	if only := number("LaunchTemplateVersion.1"); only > 0 {
		first, last = only, only
	}
	var out strings.Builder
	for n := max(first, 1); n <= min(last, len(w.versions)); n++ {
		v := w.versions[n-1]
		fmt.Fprintf(&out, `<item><launchTemplateId>lt-0123456789abcdef0</launchTemplateId><versionNumber>%d</versionNumber>
<launchTemplateData><imageId>%s</imageId><instanceType>%s</instanceType><userData>%s</userData>
<blockDeviceMappingSet><item><deviceName>/dev/xvda</deviceName><ebs><volumeSize>%s</volumeSize><volumeType>%s</volumeType></ebs></item></blockDeviceMappingSet>
<iamInstanceProfile><arn>arn:aws:iam::%s:instance-profile/workers</arn></iamInstanceProfile>
<metadataOptions><httpTokens>required</httpTokens><httpPutResponseHopLimit>%s</httpPutResponseHopLimit></metadataOptions>
</launchTemplateData></item>`, n, v.image, v.kind, v.userData, v.size, v.volume, Account, v.hops)
	}
	return ok(`<R><launchTemplateVersionSet>%s</launchTemplateVersionSet></R>`, out.String())
}

// describeImages answers with those of the asked images that there are.
func describeImages(form url.Values) answer {
	var asked []string
	for i := 1; form.Has(fmt.Sprintf("Filter.1.Value.%d", i)); i++ {
		asked = append(asked, form.Get(fmt.Sprintf("Filter.1.Value.%d", i)))
	}
	var out strings.Builder
	for _, image := range []struct{ id, release, created string }{
		{newestImage, "v20261101", "2026-11-01"}, {olderImage, "v20261001", "2026-10-01"},
	} {
		if !slices.Contains(asked, image.id) {
			continue
		}
		fmt.Fprintf(&out, `<item><imageId>%s</imageId><imageState>available</imageState><creationDate>%sT10:00:00.000Z</creationDate><architecture>x86_64</architecture>
<name>amazon-eks-node-al2023-x86_64-standard-1.34-%s</name><imageOwnerId>602401143452</imageOwnerId><rootDeviceName>/dev/xvda</rootDeviceName>
<blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeSize>20</volumeSize></ebs></item></blockDeviceMapping></item>`, image.id, image.created, image.release)
	}
	return ok(`<R><imagesSet>%s</imagesSet></R>`, out.String())
}

// endMember ends an instance of the group; without smaller, the next look at
// the activities starts another.
func (w *World) endMember(id string, smaller bool) {
	if smaller {
		w.group.desired--
	}
	w.instances = slices.DeleteFunc(w.instances, func(in *instance) bool { return in.id == id })
	w.dropNode(id)
	w.touch()
}

// dropNode removes the Node object of an instance that is gone, unless a story
// keeps them.
func (w *World) dropNode(id string) {
	for name, node := range w.nodes {
		if strings.HasSuffix(node.providerID, "/"+id) && !w.keepNodes {
			delete(w.nodes, name)
		}
	}
}

// imageOf is the image that a machine was started from.
func (w *World) imageOf(in *instance) string {
	if in.version == 0 || in.version > len(w.versions) {
		return newestImage
	}
	return w.versions[in.version-1].image
}
