package cloud

import (
	"testing"

	"github.com/aws/smithy-go"
)

func TestWhatIsTriedAgain(t *testing.T) {
	for code, want := range map[string]bool{
		"RequestExpired": true, "RequestLimitExceeded": true, "VcpuLimitExceeded": false, "UnauthorizedOperation": false,
	} {
		if got := newRetryer().IsErrorRetryable(&smithy.GenericAPIError{Code: code}); got != want {
			t.Errorf("%s is tried again: %v", code, got)
		}
	}
}
