package front

import (
	"crypto/tls"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/hostcert"
)

// TLSConfig is the server configuration for Handler: it presents, for every
// AWS host name, a certificate of the given authority, whose key it needs.
func TLSConfig(authority tls.Certificate) (*tls.Config, error) {
	issuer, err := hostcert.New(authority, awsapi.ServiceHost)
	if err != nil {
		return nil, err
	}
	return issuer.TLSConfig(), nil
}
