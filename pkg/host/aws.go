//go:build linux

package host

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"golang.org/x/net/http/httpproxy"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// metadata asks instance metadata, by version 2 only: an answer to an
// unsigned question proves nothing of what the kubelet can do.
func (m *Machine) metadata() *imds.Client {
	return imds.New(imds.Options{
		ClientEnableState: imds.ClientEnabled,
		Endpoint:          m.imds,
		EnableFallback:    aws.FalseTernary,
		HTTPClient:        &http.Client{Transport: &http.Transport{DialContext: m.dial, DisableKeepAlives: true}, Timeout: 2 * time.Second},
		Retryer:           aws.NopRetryer{},
	})
}

// awsConfig is the machine's own identity: the credentials of its instance
// profile, whatever the environment of the person at the terminal says.
func (m *Machine) awsConfig(region string, known *snapshot.Host) aws.Config {
	provider := ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = m.metadata() })
	return aws.Config{
		Region:      region,
		Credentials: aws.NewCredentialsCache(provider),
		HTTPClient:  m.client(known, 8*time.Second),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// client sends requests as the kubelet's programs would: through its proxy,
// trusting the machine's authorities. No redirect is followed.
func (m *Machine) client(known *snapshot.Host, limit time.Duration) *http.Client {
	return &http.Client{
		Timeout: limit,
		Transport: &http.Transport{
			DialContext: m.dial, DisableKeepAlives: true, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: limit,
			Proxy:           m.proxyOf(known),
			TLSClientConfig: &tls.Config{RootCAs: m.trusted(), MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// proxyOf is the kubelet's proxy, nil for none.
func (m *Machine) proxyOf(known *snapshot.Host) func(*http.Request) (*url.URL, error) {
	settings := m.kubeletProxy(known)
	if settings == nil {
		return nil
	}
	proxy := settings.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return proxy(r.URL) }
}

// kubeletProxy is what the kubelet's unit sets, nil for nothing. Passwords in
// it have been taken out where it was read; a proxy that asks for one refuses
// the agent, and that is what the report then says.
func (m *Machine) kubeletProxy(known *snapshot.Host) *httpproxy.Config {
	if known.Proxy == nil {
		return nil
	}
	for _, unit := range known.Proxy.Units {
		if unit.Unit == "kubelet" && (unit.HTTP != "" || unit.HTTPS != "") {
			return &httpproxy.Config{HTTPProxy: unit.HTTP, HTTPSProxy: unit.HTTPS, NoProxy: unit.No}
		}
	}
	return nil
}

// authorities are those that the machine trusts; nil: the process's own.
func (m *Machine) authorities() *x509.CertPool {
	for _, bundle := range []string{"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"} {
		data, err := m.root.readUpTo(bundle, 2<<20)
		if err != nil {
			continue
		}
		pool := x509.NewCertPool()
		if pool.AppendCertsFromPEM(data) {
			return pool
		}
	}
	return nil
}

// partitionOf is the partition of a region.
func partitionOf(region string) string {
	for _, row := range [][2]string{{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"us-isob-", "aws-iso-b"}, {"us-isof-", "aws-iso-f"}, {"eu-isoe-", "aws-iso-e"}, {"us-iso-", "aws-iso"}, {"eusc-", "aws-eusc"}} {
		if strings.HasPrefix(region, row[0]) {
			return row[1]
		}
	}
	return "aws"
}

// regionOf is the region that the machine's requests go to: its kubeconfig's,
// else its own.
func regionOf(known *snapshot.Host) (string, error) {
	if known.Kubeconfig != nil && known.Kubeconfig.Exec != nil && known.Kubeconfig.Exec.Region != "" {
		return known.Kubeconfig.Exec.Region, nil
	}
	if known.IMDS != nil && known.IMDS.Region != "" {
		return known.IMDS.Region, nil
	}
	return "", notAsked("no region: neither instance metadata nor the kubeconfig names one")
}
