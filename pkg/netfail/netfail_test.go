package netfail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestKinds(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for want, errs := range map[snapshot.FailureKind][]error{
		snapshot.FailDNS:         {&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}, dial(&net.DNSError{Err: "i/o timeout", IsTimeout: true})},
		snapshot.FailTimeout:     {context.DeadlineExceeded, dial(syscall.ETIMEDOUT), fmt.Errorf("x: %w", context.DeadlineExceeded)},
		snapshot.FailRefused:     {dial(syscall.ECONNREFUSED), dial(syscall.ECONNRESET), dial(syscall.ENOENT)},
		snapshot.FailUnreachable: {dial(syscall.EHOSTUNREACH), dial(syscall.ENETUNREACH)},
		snapshot.FailTLS:         {x509.UnknownAuthorityError{}, fmt.Errorf("x: %w", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"})},
		snapshot.FailOther:       {errors.New("x")},
	} {
		for _, err := range errs {
			if got := Of(err); got.Kind != want {
				t.Errorf("%v: %s, want %s", err, got.Kind, want)
			}
		}
	}
	if Of(nil) != nil {
		t.Error("no error is a failure")
	}
}

// A request's URL may be presigned: it is not quoted.
func TestURLIsNotQuoted(t *testing.T) {
	got := Of(&url.Error{Op: "Get", URL: "https://sts/?X-Amz-Signature=0123abcd", Err: syscall.ECONNREFUSED})
	if strings.Contains(got.Detail, "0123abcd") || got.Kind != snapshot.FailRefused {
		t.Errorf("got %+v", got)
	}
}
