package signature

// apiLines are of the way to the API server, up to the TLS handshake.
func apiLines() []Line {
	return []Line{
		{
			ID: "dns-nxdomain", In: []string{Kubelet, Console},
			Find:    []string{`lookup (?P<host>[^\s"\\]+\.eks\.amazonaws\.com(?:\.cn)?)\.?(?: on (?P<server>\S+))?: no such host`},
			Source:  "Go net/net.go errNoSuchHost, DNSError.Error",
			Match:   []string{`dial tcp: lookup 0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com on 10.0.0.2:53: no such host`},
			NoMatch: "dial tcp: lookup example.com on 10.0.0.2:53: no such host",
		},
		{
			ID: "dns-unreachable", In: []string{Kubelet, Console},
			Find:    []string{`lookup (?P<host>[^\s"\\]+\.eks\.amazonaws\.com(?:\.cn)?)\.?(?: on (?P<server>\S+))?: (?:read udp \S+: i/o timeout|i/o timeout|server misbehaving|read udp \S+: read: connection refused)`},
			Source:  "Go net/net.go errTimeout, net/dnsclient_unix.go errServerMisbehaving, DNSError.Error",
			Match:   []string{`dial tcp: lookup 0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com on 10.0.0.2:53: server misbehaving`, `dial tcp: lookup 0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com: i/o timeout`},
			NoMatch: "dial tcp: lookup 0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com on 10.0.0.2:53: no such host",
		},
		{
			ID: "api-timeout", In: []string{Kubelet, Console},
			Find:    []string{`\.eks\.amazonaws\.com(?:\.cn)?[^\s"\\]*\\*": dial tcp (?P<ip>[0-9a-f.:\[\]]+):(?P<port>\d+): (?P<why>i/o timeout|connect: no route to host|connect: connection refused|connect: network is unreachable|connect: connection timed out)`},
			Source:  "Go net/net.go OpError, syscall zerrors_linux",
			Match:   []string{`Post "https://ABC.gr7.us-west-2.eks.amazonaws.com/api/v1/nodes": dial tcp 10.0.1.7:443: i/o timeout`},
			NoMatch: `Get "https://ec2.us-west-2.amazonaws.com/": dial tcp 10.0.1.7:443: i/o timeout`,
		},
		{
			ID: "tls-timeout", In: []string{Kubelet, Console},
			Find:    []string{`net/http: TLS handshake timeout`},
			Source:  "Go net/http/transport.go tlsHandshakeTimeoutError",
			Match:   []string{`Get "https://ABC.gr7.us-west-2.eks.amazonaws.com/livez": net/http: TLS handshake timeout`},
			NoMatch: "tls: internal error",
		},
		{
			ID: "x509-unknown-ca", In: []string{Kubelet, Console},
			Find:    []string{`x509: certificate signed by unknown authority`},
			Source:  "Go crypto/x509/verify.go UnknownAuthorityError",
			Match:   []string{`tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of "crypto/rsa: verification error")`},
			NoMatch: "x509: certificate has expired or is not yet valid",
		},
		{
			ID: "x509-name", In: []string{Kubelet, Console},
			Find:   []string{`x509: certificate is valid for (?P<names>.+), not (?P<host>[^\s"\\]+)`, `x509: certificate is valid for \d+ (?:IP SANs|names), but none matched (?P<host>[^\s"\\]+)`, `x509: certificate is not valid for any names, but wanted to match (?P<host>[^\s"\\]+)`},
			Source: "Go crypto/x509/verify.go HostnameError",
			Match: []string{
				`x509: certificate is valid for proxy.corp.example, not ABC.gr7.us-west-2.eks.amazonaws.com`,
				`x509: certificate is valid for 120 names, but none matched ABC.gr7.us-west-2.eks.amazonaws.com`,
				`x509: certificate is not valid for any names, but wanted to match ABC.gr7.us-west-2.eks.amazonaws.com`,
			},
			NoMatch: "x509: certificate signed by unknown authority",
		},
		{
			ID: "x509-time", In: []string{Kubelet, Console},
			Find:    []string{`x509: certificate has expired or is not yet valid`},
			Source:  "Go crypto/x509/verify.go CertificateInvalidError",
			Match:   []string{`x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2025-01-01T00:00:00Z`},
			NoMatch: "x509: certificate signed by unknown authority",
		},
	}
}
