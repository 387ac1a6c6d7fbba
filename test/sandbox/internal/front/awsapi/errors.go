package awsapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// CodeNotImplemented is the error code of calls that the sandbox cannot serve.
// It is no code of AWS: a test that meets it has found a hole in the sandbox.
const CodeNotImplemented = sandboxCodes + "NotImplemented"

// sandboxCodes begin all error codes of the sandbox's own, moto's repairs included.
const sandboxCodes = "EksnodesSandbox"

// FromSandbox reports whether an error code tells of a hole or a mistake in the
// sandbox, which no test may accept.
func FromSandbox(code string) bool { return strings.HasPrefix(code, sandboxCodes) }

// Error is an AWS error answer.
type Error struct {
	Code, Message string
	// Status is the HTTP status; 0 means 400.
	Status int
	// Fields are further members of a JSON error, such as clusterName.
	Fields map[string]string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// NotImplemented is the answer to a call that no part of the sandbox serves.
// HTTP 501 is not among the statuses that AWS SDKs retry.
func NotImplemented(c Call, why string) *Error {
	return &Error{
		Code:    CodeNotImplemented,
		Message: fmt.Sprintf("the sandbox does not implement %s:%s: %s", c.Service, c.Operation, why),
		Status:  http.StatusNotImplemented,
	}
}

// authStatus is the status of authentication errors: awsJson services use 400
// where the others use 403.
func (c Call) authStatus() int {
	if c.Protocol == JSON {
		return http.StatusBadRequest
	}
	return http.StatusForbidden
}

func (c Call) isJSON() bool { return c.Protocol == JSON || c.Protocol == RESTJSON }

// MissingSignature is the answer to an unsigned request.
func MissingSignature(c Call) *Error {
	switch {
	case c.Service == "ec2":
		return &Error{Code: "MissingParameter", Message: "The request must contain the parameter AWSAccessKeyId"}
	case c.isJSON():
		return &Error{Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token", Status: c.authStatus()}
	}
	return &Error{Code: "MissingAuthenticationToken", Message: "Request is missing Authentication Token", Status: http.StatusForbidden}
}

// IncompleteSignature is the answer to a signature that cannot be read.
func IncompleteSignature(c Call, detail string) *Error {
	code := "IncompleteSignature"
	if c.isJSON() {
		code = "IncompleteSignatureException"
	}
	return &Error{Code: code, Message: detail}
}

// UnknownKey is the answer to an unknown or inactive access key, or to a
// session token that does not belong to it.
func UnknownKey(c Call) *Error {
	const invalid = "The security token included in the request is invalid."
	switch {
	case c.Service == "ec2":
		return ec2AuthFailure()
	case c.isJSON():
		return &Error{Code: "UnrecognizedClientException", Message: invalid, Status: c.authStatus()}
	}
	return &Error{Code: "InvalidClientTokenId", Message: invalid, Status: http.StatusForbidden}
}

// ExpiredSession is the answer to temporary credentials past their end.
func ExpiredSession(c Call) *Error {
	const expired = "The security token included in the request is expired"
	switch {
	case c.Service == "ec2":
		return &Error{Code: "RequestExpired", Message: "Request has expired."}
	case c.isJSON():
		return &Error{Code: "ExpiredTokenException", Message: expired, Status: c.authStatus()}
	}
	return &Error{Code: "ExpiredToken", Message: expired, Status: http.StatusForbidden}
}

// BadSignature is the answer to a signature that does not verify.
func BadSignature(c Call) *Error {
	if c.Service == "ec2" {
		return ec2AuthFailure()
	}
	return signatureError(c, "The request signature we calculated does not match the signature you provided. "+
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
}

// BadScope is the answer to a credential scope that does not fit the request.
func BadScope(c Call, detail string) *Error { return signatureError(c, detail) }

// OutsideWindow is the answer to a request signed too long ago, or in the
// future, as seen at now. window is how far the clocks may differ.
func OutsideWindow(c Call, signed, now time.Time, window time.Duration) *Error {
	if c.Service == "ec2" {
		return &Error{Code: "RequestExpired", Message: "Request has expired."}
	}
	const layout = "20060102T150405Z"
	minutes := int(window / time.Minute)
	if signed.After(now) {
		return signatureError(c, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %d min.)",
			signed.Format(layout), now.Add(window).Format(layout), now.Format(layout), minutes))
	}
	return signatureError(c, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %d min.)",
		signed.Format(layout), now.Add(-window).Format(layout), now.Format(layout), minutes))
}

func signatureError(c Call, message string) *Error {
	code := "SignatureDoesNotMatch"
	if c.isJSON() {
		code = "InvalidSignatureException"
	}
	return &Error{Code: code, Message: message, Status: c.authStatus()}
}

func ec2AuthFailure() *Error {
	return &Error{
		Code:    "AuthFailure",
		Message: "AWS was not able to validate the provided access credentials",
		Status:  http.StatusUnauthorized,
	}
}

// AccessDenied is the answer to a call that no policy allows. resource may be
// empty for calls without one, such as EC2's Describe calls.
func AccessDenied(c Call, principalARN, resource string) *Error {
	action := c.Service + ":" + c.Operation
	message := fmt.Sprintf("User: %s is not authorized to perform: %s", principalARN, action)
	if resource != "" {
		message += " on resource: " + resource
	}
	message += fmt.Sprintf(" because no identity-based policy allows the %s action", action)
	switch {
	case c.Service == "ec2":
		return &Error{
			Code:    "UnauthorizedOperation",
			Message: "You are not authorized to perform this operation. " + message,
			Status:  http.StatusForbidden,
		}
	case c.isJSON():
		return &Error{Code: "AccessDeniedException", Message: message, Status: c.authStatus()}
	}
	return &Error{Code: "AccessDenied", Message: message, Status: http.StatusForbidden}
}

// Throttled is the answer to a call beyond the account's request rate.
func Throttled(c Call) *Error {
	switch {
	case c.Service == "ec2":
		return &Error{Code: "RequestLimitExceeded", Message: "Request limit exceeded.", Status: http.StatusServiceUnavailable}
	case c.Protocol == RESTJSON:
		return &Error{Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusTooManyRequests}
	case c.Protocol == JSON:
		return &Error{Code: "ThrottlingException", Message: "Rate exceeded"}
	}
	return &Error{Code: "Throttling", Message: "Rate exceeded"}
}

// Internal is the service's own 500.
func Internal(c Call) *Error {
	code := "InternalFailure"
	switch {
	case c.Service == "ec2":
		code = "InternalError"
	case c.Service == "eks":
		code = "ServerException"
	case c.Protocol == JSON:
		code = "InternalServerError"
	}
	return &Error{Code: code, Message: "An internal error has occurred", Status: http.StatusInternalServerError}
}
