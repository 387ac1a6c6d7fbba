package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Kind is what an AWS error means to us.
type Kind string

// The kinds.
const (
	Denied        Kind = "denied"         // the caller may not
	Unauthorized  Kind = "unauthorized"   // AWS does not know the caller: no, bad or expired credentials
	Throttled     Kind = "throttled"      // too many requests
	Absent        Kind = "absent"         // the thing does not exist
	Exists        Kind = "exists"         // it is there already
	Busy          Kind = "busy"           // it is in a state that does not allow this, or in use
	LimitExceeded Kind = "limit-exceeded" // a quota of the account
	Invalid       Kind = "invalid"        // the request does not make sense to AWS
	Unreachable   Kind = "unreachable"    // no answer
	Unchanged     Kind = "unchanged"      // there is nothing to update
	Other         Kind = "other"
)

// Error is a failed AWS call.
type Error struct {
	Op      string // "eks:DescribeCluster": the IAM action it takes
	Kind    Kind
	Code    string // AWS's code; empty when no answer came
	Message string // AWS's message, cleaned
	err     error
}

// Error says what failed in one line.
func (e *Error) Error() string {
	switch {
	case e.Kind == Denied:
		return "access denied: " + e.Op
	case e.Code == "":
		return fmt.Sprintf("%s: %s", e.Op, e.Message)
	default:
		return fmt.Sprintf("%s: %s (%s)", e.Op, e.Message, e.Code)
	}
}

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.err }

// GapReason classifies the error for a gap; what read from a file knows why
// by itself.
func (e *Error) GapReason() snapshot.GapReason {
	meaning := map[Kind]snapshot.GapReason{
		Denied: snapshot.GapDenied, Unauthorized: snapshot.GapDenied, Throttled: snapshot.GapThrottled,
		Absent: snapshot.GapAbsent, Unreachable: snapshot.GapUnreachable,
	}
	return gather.ReasonOf(e.err, cmp.Or(meaning[e.Kind], snapshot.GapOther))
}

// GapFix says what would help.
func (e *Error) GapFix() string {
	switch e.Kind {
	case Denied:
		return "allow " + e.Op + " for the caller: aws sts get-caller-identity"
	case Unauthorized:
		return "aws sts get-caller-identity"
	}
	return gather.FixOf(e.err, "")
}

// IsKind reports whether the error is an AWS error of one of the kinds.
func IsKind(err error, kinds ...Kind) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(kinds, e.Kind)
}

// wrap turns an error of the SDK into ours; nil stays nil.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	out := &Error{Op: "aws", Kind: Other, Message: redact.Line(err.Error()), err: err}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		out.Op = action(op.ServiceID, op.OperationName)
		out.Message = redact.Line(op.Err.Error())
	}
	var cut *cutShortError
	if errors.As(err, &cut) { // why it was tried again, not that there was no time for it
		err, out.Message = cut.last, redact.Line(cut.last.Error())
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		out.Code, out.Message = api.ErrorCode(), redact.Line(api.ErrorMessage())
		out.Kind = kindOf(api.ErrorCode(), api.ErrorMessage())
		return out
	}
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case strings.Contains(err.Error(), "get credentials"), strings.Contains(err.Error(), "retrieve credentials"):
		out.Kind = Unauthorized
	case errors.As(err, &network):
		out.Kind = Unreachable
	}
	return out
}

// emptyAnswer is an answer without the thing that was asked for.
func emptyAnswer(op string) error {
	return &Error{Op: op, Kind: Other, Message: "the answer is empty"}
}

// action is the IAM action of an operation: the service's prefix is its id
// in lower case without spaces for every service used here.
func action(service, operation string) string {
	return strings.ToLower(strings.ReplaceAll(service, " ", "")) + ":" + operation
}

// isQuota reports whether the code names a quota of the account. The SDK
// takes LimitExceededException for throttling and would try again in vain.
func isQuota(code string) bool {
	switch code {
	case "LimitExceeded", "LimitExceededException", "VcpuLimitExceeded", "InstanceLimitExceeded", "ResourceLimitExceededException":
		return true
	}
	return false
}

// kindOf reads AWS's codes. CloudFormation says ValidationError for nearly
// everything, so there the message decides.
func kindOf(code, message string) Kind {
	if isQuota(code) {
		return LimitExceeded
	}
	if _, throttle := retry.DefaultThrottleErrorCodes[code]; throttle {
		return Throttled
	}
	switch code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "Forbidden":
		return Denied
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
		"SignatureDoesNotMatch", "MissingAuthenticationToken", "InvalidSignatureException", "OptInRequired":
		return Unauthorized
	case "ResourceNotFoundException", "NoSuchEntity", "NoSuchResourceException", "ParameterNotFound":
		return Absent
	case "AlreadyExistsException", "ResourceInUseException", "TokenAlreadyExistsException":
		return Exists
	case "ScalingActivityInProgress", "ResourceInUse", "OperationInProgressException", "DependencyViolation":
		return Busy
	case "InvalidKeyPair.Duplicate", "InvalidPermission.Duplicate", "InvalidGroup.Duplicate":
		return Exists
	case "InternalFailure", "InternalError", "ServiceUnavailable", "ServerException":
		return Other
	case "ValidationError", "ValidationException":
		switch {
		case strings.Contains(message, "does not exist"):
			return Absent
		case strings.Contains(message, "No updates are to be performed"):
			return Unchanged
		}
		return Invalid
	}
	switch {
	case strings.HasSuffix(code, ".NotFound"), strings.HasSuffix(code, ".Malformed") && strings.HasPrefix(code, "InvalidInstanceID"):
		return Absent
	case strings.HasPrefix(code, "Invalid"), strings.HasPrefix(code, "InsufficientCapabilities"):
		return Invalid
	}
	return Other
}
