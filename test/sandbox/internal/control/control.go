// Package control is how the sandbox's commands talk to its supervisor: HTTP over
// a unix socket in the state directory.
package control

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/parts"
)

// Phase is how far a sandbox is.
type Phase string

// Phases, in their order.
const (
	PhaseStarting Phase = "starting"
	PhaseReady    Phase = "ready"
	PhaseFailed   Phase = "failed"
)

// Status is what a supervisor knows of its sandbox.
type Status struct {
	Name  string `json:"name"`
	Phase Phase  `json:"phase"`
	// Error says why the phase is failed.
	Error string `json:"error,omitempty"`
	// Steps are those of the start, as they were done.
	Steps []Step         `json:"steps"`
	Parts []parts.Status `json:"parts"`
	Nodes []Node         `json:"nodes"`
}

// Step is one step of the start.
type Step struct {
	Name string `json:"name"`
	// Took is zero while the step goes on; in JSON it is nanoseconds.
	Took time.Duration `json:"took,omitempty"`
}

// Node is one instance's node.
type Node struct {
	InstanceID     string `json:"instanceId"`
	PrivateDNSName string `json:"privateDnsName"`
	PrivateIP      string `json:"privateIp"`
	State          string `json:"state"`
	// PID is the node's first process, inside the sandbox's PID namespace; zero
	// when the node is off.
	PID int `json:"pid,omitempty"`
}

// Paths that the supervisor serves itself; all others are the AWS front's.
const (
	// StatusPath answers a Status.
	StatusPath = "/status"
	// RolesPath answers the faults of AWS's controllers that are injected; PUT
	// and DELETE of one below it inject and clear it, with ?group=NAME for the
	// machines of one Auto Scaling group.
	RolesPath = "/roles"
)

// Client talks to one supervisor.
type Client struct {
	http *http.Client
}

// NewClient makes a client of the supervisor behind a socket.
func NewClient(socket string) *Client {
	return &Client{http: &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
		},
	}}
}

// Status asks for the sandbox's status.
func (c *Client) Status(ctx context.Context) (Status, error) {
	body, err := c.Do(ctx, http.MethodGet, StatusPath, nil)
	if err != nil {
		return Status{}, err
	}
	var s Status
	if err := json.Unmarshal(body, &s); err != nil {
		return Status{}, fmt.Errorf("read status: %w", err)
	}
	return s, nil
}

// maxAnswer bounds what is read of an answer; a long call log is the longest.
const maxAnswer = 64 << 20

// Do makes one call and returns the answer's body. An answer outside 2xx is an
// error with its text.
func (c *Client) Do(ctx context.Context, method, path string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, body)
	if err != nil {
		return nil, fmt.Errorf("call supervisor: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("call supervisor: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // reading has told what there is to tell
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read supervisor's answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("supervisor: %s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	return text, nil
}
