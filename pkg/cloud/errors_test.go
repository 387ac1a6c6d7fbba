package cloud

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

func TestKinds(t *testing.T) {
	for _, test := range []struct {
		code, message string
		want          Kind
		reason        snapshot.GapReason
	}{
		{"AccessDenied", "", Denied, snapshot.GapDenied},
		{"AccessDeniedException", "", Denied, snapshot.GapDenied},
		{"UnauthorizedOperation", "", Denied, snapshot.GapDenied},
		{"ExpiredToken", "", Unauthorized, snapshot.GapDenied},
		{"InvalidClientTokenId", "", Unauthorized, snapshot.GapDenied},
		{"Throttling", "Rate exceeded", Throttled, snapshot.GapThrottled},
		{"ThrottlingException", "", Throttled, snapshot.GapThrottled},
		{"RequestLimitExceeded", "", Throttled, snapshot.GapThrottled},
		{"ResourceNotFoundException", "", Absent, snapshot.GapAbsent},
		{"NoSuchEntity", "", Absent, snapshot.GapAbsent},
		{"ParameterNotFound", "", Absent, snapshot.GapAbsent},
		{"InvalidInstanceID.NotFound", "", Absent, snapshot.GapAbsent},
		{"InvalidKeyPair.NotFound", "", Absent, snapshot.GapAbsent},
		{"ValidationError", "Stack with id x does not exist", Absent, snapshot.GapAbsent},
		{"ValidationError", "Template format error", Invalid, snapshot.GapOther},
		{"ValidationError", "No updates are to be performed.", Unchanged, snapshot.GapOther},
		{"AlreadyExistsException", "", Exists, snapshot.GapOther},
		{"ResourceInUseException", "", Exists, snapshot.GapOther},
		{"InvalidKeyPair.Duplicate", "", Exists, snapshot.GapOther},
		{"ScalingActivityInProgress", "", Busy, snapshot.GapOther},
		{"LimitExceededException", "", LimitExceeded, snapshot.GapOther},
		{"VcpuLimitExceeded", "", LimitExceeded, snapshot.GapOther},
		{"InsufficientCapabilitiesException", "", Invalid, snapshot.GapOther},
		{"InvalidParameterException", "", Invalid, snapshot.GapOther},
		{"InternalFailure", "", Other, snapshot.GapOther},
	} {
		err := wrap(&smithy.OperationError{ServiceID: "Auto Scaling", OperationName: "DoIt", Err: &smithy.GenericAPIError{Code: test.code, Message: test.message}})
		if !IsKind(fmt.Errorf("outer: %w", err), test.want) {
			t.Errorf("%s %q: got %v, want %v", test.code, test.message, err, test.want)
		}
		var classified *Error
		if !errors.As(err, &classified) || classified.GapReason() != test.reason {
			t.Errorf("%s: %v, want reason %s", test.code, err, test.reason)
		}
	}
}

func TestErrorText(t *testing.T) {
	operation := func(err error) error {
		return wrap(&smithy.OperationError{ServiceID: "Service Quotas", OperationName: "GetServiceQuota", Err: err})
	}
	for want, err := range map[string]error{
		"access denied: servicequotas:GetServiceQuota":                       operation(&smithy.GenericAPIError{Code: "AccessDeniedException", Message: "long story"}),
		"servicequotas:GetServiceQuota: it is bad (Bad)":                     operation(&smithy.GenericAPIError{Code: "Bad", Message: "it\nis \x1b[31mbad"}),
		"servicequotas:GetServiceQuota: context deadline exceeded":           operation(context.DeadlineExceeded),
		"servicequotas:GetServiceQuota: dial http://u:[redacted]@proxy:3128": operation(errors.New("dial http://u:hunter22@proxy:3128")),
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if wrap(nil) != nil {
		t.Error("nil became an error")
	}
	if !errors.Is(operation(context.Canceled), context.Canceled) {
		t.Error("the cause is lost")
	}
}

func TestOnlyMeansOnly(t *testing.T) {
	if IsKind(errors.New("x"), Other) || IsKind(nil, Other) {
		t.Error("an error of somebody else is taken for AWS's")
	}
}
