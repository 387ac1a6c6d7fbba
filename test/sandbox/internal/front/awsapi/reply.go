package awsapi

import (
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Reply is one answer to a call.
type Reply struct {
	Status      int
	ContentType string
	Header      http.Header
	Body        []byte
}

// Write sends the reply. A failing write means that the caller has gone, which
// is of no interest here.
func (p Reply) Write(w http.ResponseWriter, c Call) {
	for k, v := range p.Header {
		w.Header()[k] = v
	}
	if w.Header().Get("X-Amzn-Requestid") == "" {
		w.Header().Set("X-Amzn-Requestid", c.RequestID)
	}
	w.Header().Set("Content-Type", p.ContentType)
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.Body)
}

// JSON200 is a successful answer in the content type of the call's protocol.
func JSON200(c Call, v any) (Reply, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Reply{}, fmt.Errorf("encode answer of %s:%s: %w", c.Service, c.Operation, err)
	}
	return Reply{Status: http.StatusOK, ContentType: c.jsonType(), Body: body}, nil
}

// XML200 is a successful answer of the query protocols.
func XML200(v any) (Reply, error) {
	body, err := xml.Marshal(v)
	if err != nil {
		return Reply{}, fmt.Errorf("encode answer: %w", err)
	}
	return Reply{Status: http.StatusOK, ContentType: "text/xml;charset=UTF-8", Body: append([]byte(xml.Header), body...)}, nil
}

func (c Call) jsonType() string {
	if c.Protocol == JSON {
		return "application/x-amz-json-1.1"
	}
	return "application/json"
}

// AsError returns err as an AWS error; anything else becomes the service's 500.
func AsError(c Call, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Internal(c)
}

// Failure is the answer that tells of e in the call's protocol.
func Failure(c Call, e *Error) Reply {
	status := e.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	switch {
	case c.isJSON():
		return jsonFailure(c, e, status)
	case c.WantJSON:
		return Reply{Status: status, ContentType: "application/json", Body: mustMarshal(map[string]any{
			"Error":     map[string]string{"Code": e.Code, "Message": e.Message, "Type": faultOf(status)},
			"RequestId": c.RequestID,
		}, json.Marshal)}
	}
	return Reply{Status: status, ContentType: "text/xml;charset=UTF-8", Body: xmlFailure(c, e, status)}
}

func jsonFailure(c Call, e *Error, status int) Reply {
	body := map[string]string{"message": e.Message}
	for k, v := range e.Fields {
		body[k] = v
	}
	if c.Protocol == JSON {
		body["__type"] = e.Code
	}
	return Reply{
		Status:      status,
		ContentType: c.jsonType(),
		Header:      http.Header{"X-Amzn-Errortype": {e.Code}},
		Body:        mustMarshal(body, json.Marshal),
	}
}

type xmlCause struct {
	Type    string `xml:"Type,omitempty"`
	Code    string
	Message string
}

func xmlFailure(c Call, e *Error, status int) []byte {
	cause := xmlCause{Code: e.Code, Message: e.Message}
	var document any
	switch c.Protocol {
	case EC2Query:
		document = struct {
			XMLName   xml.Name `xml:"Response"`
			Error     xmlCause `xml:"Errors>Error"`
			RequestID string
		}{Error: cause, RequestID: c.RequestID}
	case RESTXML:
		document = struct {
			XMLName xml.Name `xml:"Error"`
			xmlCause
			RequestId string //nolint:revive // the element's name
		}{xmlCause: cause, RequestId: c.RequestID}
	default:
		cause.Type = faultOf(status)
		document = struct {
			XMLName   xml.Name `xml:"ErrorResponse"`
			Error     xmlCause
			RequestId string //nolint:revive // the element's name
		}{Error: cause, RequestId: c.RequestID}
	}
	return append([]byte(xml.Header), mustMarshal(document, xml.Marshal)...)
}

// faultOf says whose fault an error is, in the words of the query protocol.
func faultOf(status int) string {
	if status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// mustMarshal encodes structures of strings, which cannot fail.
func mustMarshal(v any, marshal func(any) ([]byte, error)) []byte {
	b, err := marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// ErrorCode reads the error code from an answer in any of the protocols. It is
// empty for successful answers.
func ErrorCode(p Reply) string {
	if p.Status < http.StatusBadRequest {
		return ""
	}
	if t := p.Header.Get("X-Amzn-Errortype"); t != "" {
		code, _, _ := strings.Cut(t, ":")
		return code
	}
	var j struct {
		Type  string `json:"__type"`
		Error struct{ Code string }
	}
	if json.Unmarshal(p.Body, &j) == nil {
		if j.Error.Code != "" {
			return j.Error.Code
		}
		return j.Type[strings.LastIndexByte(j.Type, '#')+1:]
	}
	var x struct {
		Query string `xml:"Error>Code"`
		EC2   string `xml:"Errors>Error>Code"`
		REST  string `xml:"Code"`
	}
	if xml.Unmarshal(p.Body, &x) != nil {
		return ""
	}
	for _, code := range []string{x.Query, x.EC2, x.REST} {
		if code != "" {
			return code
		}
	}
	return ""
}

// NewID returns a random id in the form of a UUID.
func NewID() string {
	b := make([]byte, 16)
	// crypto/rand.Read never returns an error.
	_, _ = rand.Read(b)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
