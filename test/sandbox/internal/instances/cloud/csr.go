package cloud

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances"
)

func decided(r *certificatesv1.CertificateSigningRequest) bool {
	return slices.ContainsFunc(r.Status.Conditions, func(c certificatesv1.CertificateSigningRequestCondition) bool {
		return c.Type == certificatesv1.CertificateApproved || c.Type == certificatesv1.CertificateDenied
	})
}

const (
	nodeUserPrefix = "system:node:"
	nodesGroup     = "system:nodes"
)

// checkServing reports why a request for a kubelet's serving certificate should
// not be approved: it must come from a node that is a running instance, for
// that node's name, with no other names and addresses than the instance's.
// (Kubernetes documentation, "Certificates and Certificate Signing Requests",
// signer kubernetes.io/kubelet-serving.)
func checkServing(r *certificatesv1.CertificateSigningRequest, byName map[string]instances.Instance) error {
	name, isNode := strings.CutPrefix(r.Spec.Username, nodeUserPrefix)
	if !isNode || !slices.Contains(r.Spec.Groups, nodesGroup) {
		return fmt.Errorf("requested by %s, which is no node", r.Spec.Username)
	}
	i, known := byName[name]
	if !known {
		return fmt.Errorf("node %s is no instance", name)
	}
	block, _ := pem.Decode(r.Spec.Request)
	if block == nil {
		return errors.New("request is not PEM")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return fmt.Errorf("parse request: %w", err)
	}
	if request.Subject.CommonName != r.Spec.Username || !slices.Equal(request.Subject.Organization, []string{nodesGroup}) {
		return fmt.Errorf("subject %s is not the requester's", request.Subject)
	}
	if len(request.EmailAddresses)+len(request.URIs) > 0 || len(request.DNSNames)+len(request.IPAddresses) == 0 {
		return errors.New("names are not those of a server")
	}
	for _, dns := range request.DNSNames {
		if dns != i.PrivateDNS && dns != i.PublicDNS {
			return fmt.Errorf("name %s is not the instance's", dns)
		}
	}
	for _, ip := range request.IPAddresses {
		if text := ip.String(); text != i.PrivateIP && text != i.PublicIP {
			return fmt.Errorf("address %s is not the instance's", text)
		}
	}
	return nil
}

func (c *Controllers) approve(ctx context.Context, r *certificatesv1.CertificateSigningRequest) error {
	r = r.DeepCopy()
	r.Status.Conditions = append(r.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue,
		Reason: "AutoApproved", Message: "Serving certificate of an EC2 instance's kubelet",
	})
	_, err := c.client.CertificatesV1().CertificateSigningRequests().UpdateApproval(ctx, r.Name, r, metav1.UpdateOptions{})
	if err != nil {
		return ignoreRace(fmt.Errorf("approve %s: %w", r.Name, err))
	}
	return nil
}
