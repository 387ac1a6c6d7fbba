// Package backend talks to the moto server that plays EC2, Auto Scaling, IAM,
// STS and CloudFormation behind the front.
package backend

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// maxAnswer bounds what is read of one answer.
const maxAnswer = 64 << 20

// Client sends calls to moto.
type Client struct {
	base            *url.URL
	account, region string
	transport       http.RoundTripper
}

// New returns a client of the moto server at base.
func New(base *url.URL, account, region string) *Client {
	return &Client{base: base, account: account, region: region, transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     30 * time.Second,
		DisableCompression:  true,
	}}
}

// hopByHop headers belong to one connection (RFC 9110, section 7.6.1).
var hopByHop = []string{"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Accept-Encoding", "Expect"}

// Forward passes a call on as it came. A call that moto does not implement, or
// at which it breaks, returns awsapi.NotImplemented.
func (c *Client) Forward(r *http.Request, call awsapi.Call) (awsapi.Reply, error) {
	u := *r.URL
	u.Scheme, u.Host = c.base.Scheme, c.base.Host
	out, err := http.NewRequestWithContext(r.Context(), r.Method, u.String(), bytes.NewReader(call.Body))
	if err != nil {
		return awsapi.Reply{}, fmt.Errorf("pass %s:%s to moto: %w", call.Service, call.Operation, err)
	}
	out.Host = r.Host
	out.Header = r.Header.Clone()
	for _, h := range hopByHop {
		out.Header.Del(h)
	}
	return c.do(out, call)
}

func (c *Client) do(r *http.Request, call awsapi.Call) (awsapi.Reply, error) {
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		// The error may quote the URL, and with it signatures: say only what kind it is.
		if ctxErr := r.Context().Err(); ctxErr != nil {
			return awsapi.Reply{}, ctxErr
		}
		return awsapi.Reply{}, awsapi.NotImplemented(call, "moto cannot be reached")
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return awsapi.Reply{}, awsapi.NotImplemented(call, "moto broke off its answer")
	}
	if len(body) > maxAnswer {
		return awsapi.Reply{}, awsapi.NotImplemented(call, "moto's answer is too large")
	}
	if why := gap(resp.StatusCode, body); why != "" {
		return awsapi.Reply{}, awsapi.NotImplemented(call, why)
	}
	reply := awsapi.Reply{Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), Header: http.Header{}, Body: body}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) && !strings.Contains(reply.ContentType, "xml") {
		reply.ContentType = "text/xml;charset=UTF-8"
	}
	for _, h := range []string{"X-Amzn-Requestid", "X-Amzn-Errortype"} {
		if v := resp.Header.Get(h); v != "" {
			reply.Header.Set(h, v)
		}
	}
	return reply, nil
}

// gap recognises the answers with which moto says that it lacks an operation
// or has failed in it: web pages instead of AWS documents.
// moto's repairs answer with a code of the sandbox's, which is passed on.
func gap(status int, body []byte) string {
	start := strings.ToLower(string(bytes.TrimSpace(body[:min(len(body), 64)])))
	page := strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
	switch {
	case page && status >= http.StatusBadRequest:
		return fmt.Sprintf("moto answered a web page with status %d: the operation is missing or fails in moto", status)
	case status >= http.StatusInternalServerError && len(body) == 0:
		return fmt.Sprintf("moto answered status %d without a body", status)
	}
	return ""
}

// Query makes a call of the query protocols in the sandbox's own name and
// decodes its XML answer into out. AWS errors are returned as *awsapi.Error.
func (c *Client) Query(ctx context.Context, service, keyID string, form url.Values, out any) error {
	operation := form.Get("Action")
	reply, err := c.query(ctx, service, keyID, form)
	if err != nil {
		return fmt.Errorf("%s at moto: %w", operation, err)
	}
	if code := awsapi.ErrorCode(reply); code != "" || reply.Status >= http.StatusBadRequest {
		return fmt.Errorf("%s at moto: %w", operation, &awsapi.Error{Code: code, Message: messageOf(reply.Body), Status: reply.Status})
	}
	if err := xml.Unmarshal(reply.Body, out); err != nil {
		return fmt.Errorf("%s at moto: decode answer: %w", operation, err)
	}
	return nil
}

// ownKeyID marks the sandbox's own calls. Its account is set by a header of moto's.
const ownKeyID = "AKIAEKSNODESSANDBOX0"

func (c *Client) query(ctx context.Context, service, keyID string, form url.Values) (awsapi.Reply, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.JoinPath("/").String(), strings.NewReader(form.Encode()))
	if err != nil {
		return awsapi.Reply{}, err
	}
	if keyID == "" {
		keyID = ownKeyID
		r.Header.Set("X-Moto-Account-Id", c.account)
	}
	r.Host = service + "." + c.region + ".amazonaws.com"
	now := time.Now().UTC()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	// moto reads the caller and the service from here and checks no signature.
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=host, Signature=0",
		keyID, now.Format("20060102"), c.region, service))
	return c.do(r, awsapi.Call{Service: service, Operation: form.Get("Action")})
}

func messageOf(body []byte) string {
	var x struct {
		Query string `xml:"Error>Message"`
		EC2   string `xml:"Errors>Error>Message"`
	}
	if xml.Unmarshal(body, &x) != nil {
		return ""
	}
	return x.Query + x.EC2
}

// IsCode reports whether err is an AWS error with one of the codes.
func IsCode(err error, codes ...string) bool {
	var e *awsapi.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}
