package awsapi

import (
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
)

// AsError returns err as an AWS error; anything else becomes the service's 500.
func AsError(c Call, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Internal(c)
}

// WriteError answers with e in the call's protocol.
func WriteError(w http.ResponseWriter, c Call, e *Error) {
	status := e.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	w.Header().Set("X-Amzn-Requestid", c.RequestID)
	switch {
	case c.isJSON():
		writeJSONError(w, c, e, status)
	case c.WantJSON:
		writeBody(w, "application/json", status, mustJSON(map[string]any{
			"Error":     map[string]string{"Code": e.Code, "Message": e.Message, "Type": faultOf(status)},
			"RequestId": c.RequestID,
		}))
	default:
		writeBody(w, "text/xml", status, xmlError(c, e, status))
	}
}

func writeJSONError(w http.ResponseWriter, c Call, e *Error, status int) {
	body := map[string]string{"message": e.Message}
	for k, v := range e.Fields {
		body[k] = v
	}
	contentType := "application/json"
	if c.Protocol == JSON {
		contentType = "application/x-amz-json-1.1"
		body["__type"] = e.Code
	}
	w.Header().Set("X-Amzn-Errortype", e.Code)
	writeBody(w, contentType, status, mustJSON(body))
}

func xmlError(c Call, e *Error, status int) []byte {
	code, message := escape(e.Code), escape(e.Message)
	switch c.Protocol {
	case EC2Query:
		return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
			`<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>%s</RequestID></Response>`,
			code, message, c.RequestID)
	case RESTXML:
		return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
			`<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId></Error>`, code, message, c.RequestID)
	}
	return fmt.Appendf(nil, `<ErrorResponse><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
		faultOf(status), code, message, c.RequestID)
}

// faultOf says whose fault an error is, in the words of the query protocol.
func faultOf(status int) string {
	if status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// WriteJSON answers 200 with v as JSON, in the content type of the call's protocol.
func WriteJSON(w http.ResponseWriter, c Call, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer of %s:%s: %w", c.Service, c.Operation, err)
	}
	contentType := "application/json"
	if c.Protocol == JSON {
		contentType = "application/x-amz-json-1.1"
	}
	w.Header().Set("X-Amzn-Requestid", c.RequestID)
	writeBody(w, contentType, http.StatusOK, body)
	return nil
}

// WriteXML answers 200 with an XML document.
func WriteXML(w http.ResponseWriter, c Call, body []byte) {
	w.Header().Set("X-Amzn-Requestid", c.RequestID)
	writeBody(w, "text/xml;charset=UTF-8", http.StatusOK, body)
}

// writeBody ignores the writer's error: it means that the caller has gone.
func writeBody(w http.ResponseWriter, contentType string, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// mustJSON encodes maps of strings, which cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

type stringWriter []byte

func (s *stringWriter) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

func escape(s string) string {
	var w stringWriter
	// Writing to a stringWriter cannot fail.
	_ = xml.EscapeText(&w, []byte(s))
	return string(w)
}

func newRequestID() string {
	b := make([]byte, 16)
	// crypto/rand.Read never returns an error.
	_, _ = rand.Read(b)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
