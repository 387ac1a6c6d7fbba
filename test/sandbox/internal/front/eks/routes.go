package eks

import (
	"net/url"
	"strings"
)

// route is one operation's HTTP binding.
type route struct{ operation, method, path string }

// routes are all operations of the service, so that calls which the sandbox
// does not serve are named in its log. From the Amazon EKS API Reference,
// "Actions": https://docs.aws.amazon.com/eks/latest/APIReference/API_Operations.html
//
//nolint:gochecknoglobals // a table that nothing changes
var routes = []route{
	{"ActivateCertificateAuthority", "POST", "/clusters/{name}/certificate-authorities/{certificateAuthorityId}/activate"},
	{"AssociateAccessPolicy", "POST", "/clusters/{name}/access-entries/{principalArn}/access-policies"},
	{"AssociateEncryptionConfig", "POST", "/clusters/{name}/encryption-config/associate"},
	{"AssociateIdentityProviderConfig", "POST", "/clusters/{name}/identity-provider-configs/associate"},
	{"CancelUpdate", "POST", "/clusters/{name}/updates/{updateId}/cancel-update"},
	{"CreateAccessEntry", "POST", "/clusters/{name}/access-entries"},
	{"CreateAddon", "POST", "/clusters/{name}/addons"},
	{"CreateCapability", "POST", "/clusters/{name}/capabilities"},
	{"CreateCertificateAuthority", "POST", "/clusters/{name}/certificate-authorities"},
	{"CreateCluster", "POST", "/clusters"},
	{"CreateEksAnywhereSubscription", "POST", "/eks-anywhere-subscriptions"},
	{"CreateFargateProfile", "POST", "/clusters/{name}/fargate-profiles"},
	{"CreateNodegroup", "POST", "/clusters/{name}/node-groups"},
	{"CreatePodIdentityAssociation", "POST", "/clusters/{name}/pod-identity-associations"},
	{"DeleteAccessEntry", "DELETE", "/clusters/{name}/access-entries/{principalArn}"},
	{"DeleteAddon", "DELETE", "/clusters/{name}/addons/{addonName}"},
	{"DeleteCapability", "DELETE", "/clusters/{name}/capabilities/{capabilityName}"},
	{"DeleteCertificateAuthority", "DELETE", "/clusters/{name}/certificate-authorities/{certificateAuthorityId}"},
	{"DeleteCluster", "DELETE", "/clusters/{name}"},
	{"DeleteEksAnywhereSubscription", "DELETE", "/eks-anywhere-subscriptions/{id}"},
	{"DeleteFargateProfile", "DELETE", "/clusters/{name}/fargate-profiles/{fargateProfileName}"},
	{"DeleteNodegroup", "DELETE", "/clusters/{name}/node-groups/{nodegroupName}"},
	{"DeletePodIdentityAssociation", "DELETE", "/clusters/{name}/pod-identity-associations/{associationId}"},
	{"DeregisterCluster", "DELETE", "/cluster-registrations/{name}"},
	{"DescribeAccessEntry", "GET", "/clusters/{name}/access-entries/{principalArn}"},
	{"DescribeAddon", "GET", "/clusters/{name}/addons/{addonName}"},
	{"DescribeAddonConfiguration", "GET", "/addons/configuration-schemas"},
	{"DescribeAddonVersions", "GET", "/addons/supported-versions"},
	{"DescribeCapability", "GET", "/clusters/{name}/capabilities/{capabilityName}"},
	{"DescribeCertificateAuthority", "GET", "/clusters/{name}/certificate-authorities/{certificateAuthorityId}"},
	{"DescribeCluster", "GET", "/clusters/{name}"},
	{"DescribeClusterVersions", "GET", "/cluster-versions"},
	{"DescribeEksAnywhereSubscription", "GET", "/eks-anywhere-subscriptions/{id}"},
	{"DescribeFargateProfile", "GET", "/clusters/{name}/fargate-profiles/{fargateProfileName}"},
	{"DescribeIdentityProviderConfig", "POST", "/clusters/{name}/identity-provider-configs/describe"},
	{"DescribeInsight", "GET", "/clusters/{name}/insights/{id}"},
	{"DescribeInsightsRefresh", "GET", "/clusters/{name}/insights-refresh"},
	{"DescribeNodegroup", "GET", "/clusters/{name}/node-groups/{nodegroupName}"},
	{"DescribePodIdentityAssociation", "GET", "/clusters/{name}/pod-identity-associations/{associationId}"},
	{"DescribeUpdate", "GET", "/clusters/{name}/updates/{updateId}"},
	{"DisassociateAccessPolicy", "DELETE", "/clusters/{name}/access-entries/{principalArn}/access-policies/{policyArn}"},
	{"DisassociateIdentityProviderConfig", "POST", "/clusters/{name}/identity-provider-configs/disassociate"},
	{"ListAccessEntries", "GET", "/clusters/{name}/access-entries"},
	{"ListAccessPolicies", "GET", "/access-policies"},
	{"ListAddons", "GET", "/clusters/{name}/addons"},
	{"ListAssociatedAccessPolicies", "GET", "/clusters/{name}/access-entries/{principalArn}/access-policies"},
	{"ListCapabilities", "GET", "/clusters/{name}/capabilities"},
	{"ListCertificateAuthorities", "GET", "/clusters/{name}/certificate-authorities"},
	{"ListClusters", "GET", "/clusters"},
	{"ListEksAnywhereSubscriptions", "GET", "/eks-anywhere-subscriptions"},
	{"ListFargateProfiles", "GET", "/clusters/{name}/fargate-profiles"},
	{"ListIdentityProviderConfigs", "GET", "/clusters/{name}/identity-provider-configs"},
	{"ListInsights", "POST", "/clusters/{name}/insights"},
	{"ListNodegroups", "GET", "/clusters/{name}/node-groups"},
	{"ListPodIdentityAssociations", "GET", "/clusters/{name}/pod-identity-associations"},
	{"ListTagsForResource", "GET", "/tags/{resourceArn}"},
	{"ListUpdates", "GET", "/clusters/{name}/updates"},
	{"RegisterCluster", "POST", "/cluster-registrations"},
	{"StartInsightsRefresh", "POST", "/clusters/{name}/insights-refresh"},
	{"TagResource", "POST", "/tags/{resourceArn}"},
	{"UntagResource", "DELETE", "/tags/{resourceArn}"},
	{"UpdateAccessEntry", "POST", "/clusters/{name}/access-entries/{principalArn}"},
	{"UpdateAddon", "POST", "/clusters/{name}/addons/{addonName}/update"},
	{"UpdateCapability", "POST", "/clusters/{name}/capabilities/{capabilityName}"},
	{"UpdateClusterConfig", "POST", "/clusters/{name}/update-config"},
	{"UpdateClusterVersion", "POST", "/clusters/{name}/updates"},
	{"UpdateEksAnywhereSubscription", "POST", "/eks-anywhere-subscriptions/{id}"},
	{"UpdateNodegroupConfig", "POST", "/clusters/{name}/node-groups/{nodegroupName}/update-config"},
	{"UpdateNodegroupVersion", "POST", "/clusters/{name}/node-groups/{nodegroupName}/update-version"},
	{"UpdatePodIdentityAssociation", "POST", "/clusters/{name}/pod-identity-associations/{associationId}"},
}

// Route finds the operation of a request by its method and escaped path, and
// the parameters in the path by their names. An unknown path has no operation.
func Route(method, escapedPath string) (operation string, params map[string]string) {
	segments := strings.Split(strings.Trim(escapedPath, "/"), "/")
	for _, r := range routes {
		if r.method != method {
			continue
		}
		if params, ok := r.match(segments); ok {
			return r.operation, params
		}
	}
	return "", nil
}

func (r route) match(segments []string) (map[string]string, bool) {
	want := strings.Split(strings.Trim(r.path, "/"), "/")
	if len(want) != len(segments) {
		return nil, false
	}
	params := map[string]string{}
	for i, w := range want {
		name, variable := strings.CutPrefix(w, "{")
		if !variable {
			if w != segments[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(segments[i])
		if err != nil || value == "" {
			return nil, false
		}
		params[strings.TrimSuffix(name, "}")] = value
	}
	return params, true
}
