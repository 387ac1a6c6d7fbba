// Package hostfile takes files of a node apart: pure functions from their
// bytes to facts. The agent on the machine and whoever was handed the files
// read them by the same code.
//
// Nothing in a result is a secret of the file: keys, tokens and passwords are
// passed over where they stand.
package hostfile

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxCertificates bounds how many certificates of a bundle are looked at.
const maxCertificates = 16

// Sums are the sha256 sums of the certificates in a PEM bundle, hexadecimal,
// in its order.
func Sums(bundle []byte) []string {
	var sums []string
	for len(sums) < maxCertificates {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			sum := sha256.Sum256(block.Bytes)
			sums = append(sums, hex.EncodeToString(sum[:]))
		}
	}
	return sums
}

// Certificate reads the first certificate of a PEM file. Private keys beside
// it are passed over.
func Certificate(path, use string, data []byte) snapshot.HostCertificate {
	out := snapshot.HostCertificate{Path: path, Use: use}
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			out.Invalid = "there is no certificate in it"
			return out
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			out.Invalid = redact.Line(err.Error())
			return out
		}
		sum := sha256.Sum256(block.Bytes)
		out.Subject, out.Issuer = redact.Line(certificate.Subject.String()), redact.Line(certificate.Issuer.String())
		out.NotBefore, out.NotAfter, out.SHA256 = certificate.NotBefore, certificate.NotAfter, hex.EncodeToString(sum[:])
		return out
	}
}

// decodePEM is a certificate authority as configuration carries it: base64 of
// PEM.
func decodePEM(text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("the certificate authority is not base64: it may be cut off")
	}
	if len(Sums(data)) == 0 {
		return nil, fmt.Errorf("the certificate authority holds no certificate")
	}
	return data, nil
}
