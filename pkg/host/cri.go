//go:build linux

package host

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// criClient speaks the kubelet's interface to container runtimes: gRPC's
// unary calls over HTTP/2 without TLS, which Go's net/http speaks, and the
// few fields that are read. The generated client would be 6.5 MB more.
type criClient struct{ http *http.Client }

// maxCRIAnswer bounds an answer: a full node lists a few hundred containers.
const maxCRIAnswer = 4 << 20

func newCRIClient(socket string) *criClient {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &criClient{&http.Client{Transport: &http.Transport{
		Protocols: &protocols,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}, Timeout: 4 * time.Second}}
}

func (c *criClient) close() { c.http.CloseIdleConnections() }

// call sends a message and returns the answer's fields.
func (c *criClient) call(ctx context.Context, service, method string, message []byte) (fields, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://cri/runtime.v1."+service+"/"+method, nil)
	if err != nil {
		return nil, err
	}
	frame := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...) // not compressed
	request.Body = io.NopCloser(bytes.NewReader(frame))
	request.ContentLength = int64(len(frame))
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("TE", "trailers")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxCRIAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", method, err)
	}
	if err := grpcStatus(response, method); err != nil {
		return nil, err
	}
	if len(body) < 5 || len(body) > maxCRIAnswer || body[0] != 0 || int(binary.BigEndian.Uint32(body[1:5])) != len(body)-5 {
		return nil, fmt.Errorf("the answer of %s is not one message of gRPC", method)
	}
	return parseFields(body[5:])
}

// criError is what the runtime itself answers.
type criError struct{ code, message string }

func (e *criError) Error() string { return e.message + " (gRPC code " + e.code + ")" }

// grpcStatus is in the trailers, or among the headers when there is no body.
func grpcStatus(response *http.Response, method string) error {
	code, message := response.Trailer.Get("Grpc-Status"), response.Trailer.Get("Grpc-Message")
	if code == "" {
		code, message = response.Header.Get("Grpc-Status"), response.Header.Get("Grpc-Message")
	}
	switch code {
	case "0":
		return nil
	case "":
		return fmt.Errorf("%s: HTTP %d without a status of gRPC: no container runtime answers there", method, response.StatusCode)
	}
	if text, err := url.PathUnescape(message); err == nil {
		message = text
	}
	return &criError{code, message}
}

// unimplemented is gRPC's code for a method that the runtime does not have.
const unimplemented = "12"

func isUnimplemented(err error) bool {
	var answer *criError
	return errors.As(err, &answer) && answer.code == unimplemented
}

// fields are a protobuf message: values by field number, in their order.
type fields map[protowire.Number][]value

type value struct {
	bytes  []byte
	number uint64
}

var errWire = errors.New("the runtime's answer is not protobuf")

func parseFields(data []byte) (fields, error) {
	out := fields{}
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return nil, errWire
		}
		data = data[n:]
		var v value
		switch kind {
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(data)
		case protowire.VarintType:
			v.number, n = protowire.ConsumeVarint(data)
		default:
			n = protowire.ConsumeFieldValue(number, kind, data)
		}
		if n < 0 {
			return nil, errWire
		}
		data = data[n:]
		out[number] = append(out[number], v)
	}
	return out, nil
}

func (f fields) text(number protowire.Number) string {
	if values := f[number]; len(values) > 0 {
		return string(values[len(values)-1].bytes)
	}
	return ""
}

func (f fields) number(number protowire.Number) uint64 {
	if values := f[number]; len(values) > 0 {
		return values[len(values)-1].number
	}
	return 0
}

// messages are a repeated field's. One that cannot be read is left out.
func (f fields) messages(number protowire.Number) []fields {
	var out []fields
	for _, v := range f[number] {
		if message, err := parseFields(v.bytes); err == nil {
			out = append(out, message)
		}
	}
	return out
}

// message is a field's, empty when it is not there.
func (f fields) message(number protowire.Number) fields {
	all := f.messages(number)
	if len(all) == 0 {
		return fields{}
	}
	return all[len(all)-1]
}
