// Package hostcert makes TLS server certificates for AWS host names as they are
// asked for.
package hostcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// Issuer makes and keeps leaf certificates of one authority.
type Issuer struct {
	authority *x509.Certificate
	signer    crypto.Signer
	allowed   func(host string) bool

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// New returns an issuer for the host names that allowed accepts. The authority
// carries its key and its certificate.
func New(authority tls.Certificate, allowed func(host string) bool) (*Issuer, error) {
	if len(authority.Certificate) == 0 {
		return nil, errors.New("host certificates: the authority has no certificate")
	}
	cert, err := x509.ParseCertificate(authority.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("host certificates: %w", err)
	}
	signer, ok := authority.PrivateKey.(crypto.Signer)
	if !ok || !cert.IsCA {
		return nil, errors.New("host certificates: the authority cannot sign certificates")
	}
	return &Issuer{authority: cert, signer: signer, allowed: allowed, leaves: map[string]*tls.Certificate{}}, nil
}

// TLSConfig is a server's configuration that presents a certificate for the
// name that the client asks for, or for the address that it has connected to.
func (i *Issuer) TLSConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: i.get}
}

func (i *Issuer) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := hello.ServerName
	if name == "" {
		host, _, err := net.SplitHostPort(hello.Conn.LocalAddr().String())
		if err != nil {
			return nil, fmt.Errorf("host certificate: %w", err)
		}
		return i.leaf(host)
	}
	if !i.allowed(name) {
		return nil, fmt.Errorf("host certificate: %s is not served here", name)
	}
	return i.leaf(name)
}

func (i *Issuer) leaf(name string) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if c, ok := i.leaves[name]; ok && time.Until(c.Leaf.NotAfter) > time.Minute {
		return c, nil
	}
	c, err := i.issue(name)
	if err != nil {
		return nil, fmt.Errorf("host certificate of %s: %w", name, err)
	}
	i.leaves[name] = c
	return c, nil
}

func (i *Issuer) issue(name string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(30 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.authority, key.Public(), i.signer)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, i.authority.Raw}, PrivateKey: key, Leaf: parsed}, nil
}
