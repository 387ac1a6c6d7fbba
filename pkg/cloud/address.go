package cloud

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
)

// addressEcho is AWS's service that answers with the caller's address.
const addressEcho = "https://checkip.amazonaws.com/"

// PublicAddress is the address from which AWS sees this machine, asked of AWS
// over the way that all its calls go.
func (c *Client) PublicAddress(ctx context.Context) (netip.Addr, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, addressEcho, http.NoBody)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("ask AWS for this machine's address: %w", err)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("ask AWS for this machine's address: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 128))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("ask AWS for this machine's address: %w", err)
	}
	address, err := netip.ParseAddr(strings.TrimSpace(string(text)))
	if answer.StatusCode != http.StatusOK || err != nil {
		return netip.Addr{}, fmt.Errorf("ask AWS for this machine's address: %s answered %s and no address", addressEcho, answer.Status)
	}
	return address.Unmap(), nil
}
