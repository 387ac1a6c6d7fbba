package check

import "github.com/eksnodes/kubectl-eksnodes/pkg/report"

// netLineChecks are the ways in which a kubelet fails to reach the API server,
// as it says itself: on the console, by way of the boot beacon, or in a
// journal that was collected. What AWS's side shows is judged by other rules,
// which come first in the chain or stand beside.
func netLineChecks() []Check {
	const docTrouble = docJoin
	dns := do("turn the VPC's DNS attributes on, and have resolvers of one's own forward to the VPC's; a private endpoint's name is known inside of the VPC only",
		"aws ec2 describe-vpc-attribute --vpc-id VPC --attribute enableDnsSupport")
	way := do("follow the machine's way: security groups on port 443 both ways, its subnet's network ACL and route table, and the addresses that the public endpoint allows")
	return []Check{
		linesRow("net.endpoint-nxdomain", "machine finds the API server's name",
			"The kubelet looks the API server's name up before it does anything else.", docTrouble, LinkAPIServer,
			lineRow{sig: "dns-nxdomain", status: report.Fail, confidence: report.Certain, summary: "the machine's resolver does not know %s", value: "host", fix: dns},
			lineRow{sig: "dns-unreachable", status: report.Fail, confidence: report.Certain, summary: "the machine's resolver does not answer for %s", value: "host", unless: "kubelet-401", fix: dns}),
		symptomRow(linesRow("net.api-unreachable", "machine reaches the API server",
			"The kubelet calls the API server on port 443: a packet that is dropped on the way ends in a timeout, whoever dropped it.", docTrouble, LinkAPIServer,
			lineRow{sig: "api-timeout", status: report.Fail, confidence: report.Likely, summary: "the machine gets no connection to the API server: %s", value: "why", unless: "kubelet-401", fix: way})),
		linesRow("net.tls-timeout", "TLS to the API server comes about",
			"When TCP connects and TLS stalls, large packets are lost on the way, or something inspects the traffic.", docTrouble, LinkAPIServer,
			lineRow{sig: "tls-timeout", status: report.Fail, confidence: report.Likely, summary: "the TLS handshake with the API server does not end", fix: do("look for a smaller MTU on the way (a VPN, a transit gateway) and for a proxy or firewall that inspects TLS")}),
		symptomRow(linesRow("net.tls-intercept", "machine meets the API server's own certificate",
			"The certificate is the cluster's own authority's. Another one means another authority in the user data, another server, or a proxy that signs anew.", docTrouble, LinkAPIServer,
			lineRow{sig: "x509-unknown-ca", status: report.Fail, confidence: report.Likely, summary: "the machine does not trust the API server's certificate", fix: do("compare the certificate authority in the user data with the cluster's; when they are the same, something on the way replaces the certificate")},
			lineRow{sig: "x509-name", status: report.Fail, confidence: report.Likely, summary: "what answers at the API server's address has a certificate that is not for %s", value: "host", fix: do("compare the endpoint in the user data with the cluster's; when they are the same, something on the way answers instead")})),
	}
}

// symptomRow marks a row whose words have causes that other rules know better.
func symptomRow(row Check) Check {
	row.Symptom = true
	return row
}
