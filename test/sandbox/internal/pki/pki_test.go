package pki

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

func parse(t *testing.T, p Pair) *x509.Certificate {
	t.Helper()
	c, err := p.TLS()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestIssue(t *testing.T) {
	ca, err := NewAuthority("cluster")
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewAuthority("cluster")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parse(t, ca.Pair))

	tests := []struct {
		name   string
		signer *Authority
		req    Request
		host   string
		usage  x509.ExtKeyUsage
		wantOK bool
	}{
		{"server by name", ca, Request{Name: "api", Hosts: []string{"api.example", "10.0.0.1"}}, "api.example", x509.ExtKeyUsageServerAuth, true},
		{"server by address", ca, Request{Name: "api", Hosts: []string{"api.example", "10.0.0.1"}}, "10.0.0.1", x509.ExtKeyUsageServerAuth, true},
		{"server by another name", ca, Request{Name: "api", Hosts: []string{"api.example"}}, "other.example", x509.ExtKeyUsageServerAuth, false},
		{"client", ca, Request{Name: "admin", Groups: []string{"system:masters"}}, "", x509.ExtKeyUsageClientAuth, true},
		{"a client is no server", ca, Request{Name: "admin"}, "", x509.ExtKeyUsageServerAuth, false},
		{"another authority of the same name", other, Request{Name: "admin"}, "", x509.ExtKeyUsageClientAuth, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := tt.signer.Issue(tt.req)
			if err != nil {
				t.Fatal(err)
			}
			cert := parse(t, p)
			_, err = cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: tt.host, KeyUsages: []x509.ExtKeyUsage{tt.usage}})
			if (err == nil) != tt.wantOK {
				t.Errorf("verify: %v, want ok %v", err, tt.wantOK)
			}
			if cert.Subject.CommonName != tt.req.Name || len(cert.Subject.Organization) != len(tt.req.Groups) {
				t.Errorf("subject %v", cert.Subject)
			}
		})
	}
}

func TestIssueWithoutName(t *testing.T) {
	ca, err := NewAuthority("cluster")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Issue(Request{}); err == nil {
		t.Error("a certificate without a name was issued")
	}
}

func TestWriteKeepsKeysPrivate(t *testing.T) {
	ca, err := NewAuthority("aws")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := ca.Pair.Write(dir, "aws-ca"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "aws-ca.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v, want mode 0600", info.Mode(), err)
	}
}
