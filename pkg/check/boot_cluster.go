package check

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// clusterDataChecks compare what user data says of the cluster with the
// cluster. The first three are asked of a machine's kubeconfig too (hostBootRows),
// which may be wrong where the user data is right: their titles name neither.
func clusterDataChecks() []Check {
	rows := []Check{
		userDataRow("boot.cluster-name-wrong", "name of the cluster that the machine joins",
			"The name is signed into the token by which a machine says who it is: with another name the cluster refuses it.", docJoin, clusterName),
		userDataRow("boot.endpoint-wrong", "endpoint that the machine is sent to",
			"A cluster that was made again has another endpoint; machines from the old template go to one that is gone, or not theirs.", docJoin, clusterEndpoint),
		userDataRow("boot.ca-wrong", "certificate authority that the machine trusts",
			"With another authority the machine does not trust the API server and ends in x509 errors.", docJoin, clusterCA),
		userDataRow("boot.ip-family", "IP family of the service network in the user data",
			"The kubelet takes node and DNS addresses of the family that the network has.", docAL2023, ipFamily),
		userDataRow("boot.service-cidr-wrong", "service network in the user data",
			"The kubelet makes the cluster's DNS address of it: with another network pods resolve no names.", docAL2023, serviceCIDR),
	}
	rows[len(rows)-1].Link = LinkReady // the machine joins and is Ready; its pods suffer
	return rows
}

// fits reports whether everything that the user data says of the cluster is
// true.
func (v *bootView) fits() bool {
	for _, rule := range []func(*bootView) []Result{clusterName, clusterEndpoint, clusterCA, ipFamily, serviceCIDR} {
		for _, result := range rule(v) {
			if result.Status == report.Fail {
				return false
			}
		}
	}
	return true
}

func (v *bootView) says(what, value string) report.Evidence {
	return fact(v.source, fmt.Sprintf("user data: %s %s", what, value))
}

func clusterName(v *bootView) []Result {
	name := v.doc.Cluster.Name
	if name == "" {
		return nil
	}
	found := []report.Evidence{v.says("cluster", name), fact("eks:DescribeCluster", "name "+v.snap.Cluster.Name)}
	if name != v.snap.Cluster.Name {
		return fail(report.Certain, fmt.Sprintf("the user data names the cluster %q, not %q", name, v.snap.Cluster.Name), v.template("write the cluster's name"), found...)
	}
	return pass("it is the cluster's", found...)
}

func clusterEndpoint(v *bootView) []Result {
	endpoint := v.doc.Cluster.Endpoint
	if endpoint == "" {
		return nil
	}
	found := []report.Evidence{v.says("endpoint", endpoint), fact("eks:DescribeCluster", "endpoint "+v.snap.Cluster.Endpoint)}
	if !sameHost(endpoint, v.snap.Cluster.Endpoint) {
		return fail(report.Certain, "the endpoint in the user data is not the cluster's", v.template("write the cluster's endpoint"), found...)
	}
	return pass("it is the cluster's", found...)
}

func clusterCA(v *bootView) []Result {
	ca := v.doc.Cluster.CA
	if ca == "" {
		return nil
	}
	pem, err := base64.StdEncoding.DecodeString(ca)
	ours, theirs := fingerprints(string(pem)), fingerprints(v.snap.Cluster.CA)
	found := []report.Evidence{v.says("certificate authority", "sha256 "+short(ours)), fact("eks:DescribeCluster", "certificate authority sha256 "+short(theirs))}
	switch {
	case err != nil || len(ours) == 0:
		return fail(report.Certain, "the certificate authority in the user data is cut off or is no certificate", v.template("write the cluster's authority, in base64 as EKS gives it"), found...)
	case len(theirs) == 0:
		return nil
	case !slices.Equal(ours, theirs):
		return fail(report.Certain, "the certificate authority in the user data is not the cluster's", v.template("write the cluster's authority"), found...)
	}
	return pass("it is the cluster's", found...)
}

// networks are the service networks of the user data and of the cluster.
func (v *bootView) networks() (ours, theirs netip.Prefix, ok bool) {
	ours, err := netip.ParsePrefix(v.doc.Cluster.CIDR)
	if err != nil {
		return ours, theirs, false
	}
	theirs, err = netip.ParsePrefix(v.snap.Cluster.ServiceCIDR)
	return ours, theirs, err == nil
}

func (v *bootView) networkFacts() []report.Evidence {
	return []report.Evidence{v.says("service network", v.doc.Cluster.CIDR), fact("eks:DescribeCluster", "service network "+v.snap.Cluster.ServiceCIDR)}
}

func ipFamily(v *bootView) []Result {
	ours, theirs, ok := v.networks()
	if !ok {
		return nil
	}
	if ours.Addr().Is4() != theirs.Addr().Is4() {
		return fail(report.Certain, fmt.Sprintf("the cluster is %s, and the service network in the user data is not", v.snap.Cluster.IPFamily), v.template("write the cluster's service network"), v.networkFacts()...)
	}
	return pass("it is the cluster's", v.networkFacts()...)
}

func serviceCIDR(v *bootView) []Result {
	ours, theirs, ok := v.networks()
	if v.doc.Cluster.CIDR != "" && !ok && v.snap.Cluster.ServiceCIDR != "" {
		return fail(report.Certain, "the service network in the user data is no address range", v.template("write the cluster's service network"), v.networkFacts()...)
	}
	if !ok || ours.Addr().Is4() != theirs.Addr().Is4() {
		return nil
	}
	have, errHave := userdata.ClusterDNS(v.doc.Cluster.CIDR)
	want, errWant := userdata.ClusterDNS(v.snap.Cluster.ServiceCIDR)
	if errWant != nil {
		return nil
	}
	if errHave != nil || have != want {
		return fail(report.Certain, fmt.Sprintf("the service network in the user data is not the cluster's: pods look for DNS at %s, not %s", have, want),
			v.template("write the cluster's service network"), v.networkFacts()...)
	}
	return pass("it is the cluster's", v.networkFacts()...)
}
