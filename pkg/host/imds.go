//go:build linux

package host

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// maxMetadata bounds one answer of instance metadata.
const maxMetadata = 32 << 10

// readIMDS asks for the machine's own description, its profile and, of its
// credentials, the code and the expiry: the keys are not kept.
func (m *Machine) readIMDS(ctx context.Context, _ *snapshot.Host) (fill, error) {
	client := m.metadata()
	facts := &snapshot.HostIMDS{}
	done := func(h *snapshot.Host) { h.IMDS = facts }
	document, err := client.GetInstanceIdentityDocument(ctx, nil)
	if err != nil {
		m.metadataFailure(ctx, facts, err)
		return done, nil
	}
	facts.Reachable, facts.TokenStatus, facts.DataStatus = true, http.StatusOK, http.StatusOK
	facts.Region, facts.Zone, facts.AccountID = document.Region, document.AvailabilityZone, document.AccountID
	facts.InstanceID, facts.InstanceType, facts.ImageID, facts.PrivateIP = document.InstanceID, document.InstanceType, document.ImageID, document.PrivateIP
	if name, err := metadataText(ctx, client, "local-hostname"); err == nil {
		facts.PrivateDNS, _, _ = strings.Cut(redact.Line(name), " ")
	}
	return done, readRole(ctx, client, facts)
}

// metadataFailure tells metadata that is off, or refuses the machine, from
// metadata that cannot be reached. The SDK does not tell how the request for a
// session token was answered, so that one is made by hand.
func (m *Machine) metadataFailure(ctx context.Context, facts *snapshot.HostIMDS, err error) {
	var answer *smithyhttp.ResponseError
	status, askErr := m.tokenStatus(ctx, m.dial)
	switch {
	case askErr != nil:
		facts.Failure = netfail.Of(askErr)
		return
	case status == http.StatusOK && errors.As(err, &answer):
		status = answer.HTTPStatusCode()
		facts.TokenStatus, facts.DataStatus = http.StatusOK, status
	case status == http.StatusOK:
		facts.Reachable, facts.TokenStatus, facts.Failure = true, status, netfail.Of(rootCause(err))
		return
	default:
		facts.TokenStatus = status
	}
	facts.Reachable = true
	kind := snapshot.FailAnswer
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		kind = snapshot.FailDenied
	}
	facts.Failure = &snapshot.HostFailure{Kind: kind, Status: status, Detail: fmt.Sprintf("instance metadata answered %d %s", status, http.StatusText(status))}
}

// metadataEndpoint is the service's base URL.
func (m *Machine) metadataEndpoint() string { return cmp.Or(m.imds, "http://169.254.169.254") }

// dialer connects to an address.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// tokenStatus asks for a session token and throws it away.
func (m *Machine) tokenStatus(ctx context.Context, dial dialer) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, m.metadataEndpoint()+"/latest/api/token", nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 2 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// readRole reads which role the machine has, and whether its credentials are
// there.
func readRole(ctx context.Context, client *imds.Client, facts *snapshot.HostIMDS) error {
	yes, no := true, false
	info, err := metadataText(ctx, client, "iam/info")
	if isStatus(err, http.StatusNotFound) {
		facts.HasProfile = &no
		return nil
	}
	if err != nil {
		return err
	}
	facts.HasProfile = &yes
	var profile struct{ Code, InstanceProfileArn string }
	if err := json.Unmarshal([]byte(info), &profile); err != nil {
		return errors.New("iam/info is no JSON")
	}
	facts.InfoCode, facts.ProfileARN = redact.Line(profile.Code), redact.Line(profile.InstanceProfileArn)
	role, err := metadataText(ctx, client, "iam/security-credentials/")
	if isStatus(err, http.StatusNotFound) {
		return nil // a profile without a role
	}
	if err != nil {
		return err
	}
	if facts.RoleName = redact.Line(role); facts.RoleName == "" {
		return nil
	}
	text, err := metadataText(ctx, client, "iam/security-credentials/"+facts.RoleName)
	if isStatus(err, http.StatusNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var credentials struct { // the keys beside these are not read
		Code       string
		Expiration time.Time
	}
	if err := json.Unmarshal([]byte(text), &credentials); err != nil {
		return errors.New("the answer about credentials is no JSON") // it is not quoted
	}
	facts.CredentialsCode, facts.CredentialsExpires = redact.Line(credentials.Code), credentials.Expiration
	return nil
}

// metadataText is one leaf of the metadata.
func metadataText(ctx context.Context, client *imds.Client, path string) (string, error) {
	answer, err := client.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
	if err != nil {
		return "", rootCause(err)
	}
	defer answer.Content.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Content, maxMetadata))
	return string(data), err
}

func isStatus(err error, status int) bool {
	var answer *smithyhttp.ResponseError
	return errors.As(err, &answer) && answer.HTTPStatusCode() == status
}

// rootCause takes the SDK's own words off an error that never was an answer.
func rootCause(err error) error {
	var sending *smithyhttp.RequestSendError
	if errors.As(err, &sending) {
		return sending.Err
	}
	return err
}
