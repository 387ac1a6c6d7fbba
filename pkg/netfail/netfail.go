// Package netfail classifies errors of network requests: which link of the
// way broke.
package netfail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Of is the failure of an error, nil for none. A URL that a request was for
// is not quoted: it may be a presigned one.
func Of(err error) *snapshot.HostFailure {
	if err == nil {
		return nil
	}
	cause := err
	var request *url.Error
	if errors.As(err, &request) {
		cause = request.Err
	}
	return &snapshot.HostFailure{Kind: kindOf(err), Detail: redact.Line(cause.Error())}
}

func kindOf(err error) snapshot.FailureKind {
	var dns *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, &dns):
		return snapshot.FailDNS
	case isTLS(err):
		return snapshot.FailTLS
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return snapshot.FailRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return snapshot.FailUnreachable
	case errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return snapshot.FailTimeout
	case errors.As(err, &network) && network.Timeout():
		return snapshot.FailTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return snapshot.FailRefused
	}
	return snapshot.FailOther
}

func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid)
}
