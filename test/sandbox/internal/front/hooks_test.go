package front_test

import (
	"context"
	"time"

	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
)

func runNothing(context.Context, string, string, time.Duration) (front.CommandResult, error) {
	return front.CommandResult{}, nil
}

func iamStatus(s string) iamtypes.StatusType { return iamtypes.StatusType(s) }

func consoleOf(text string, at time.Time) func(context.Context, string) ([]byte, time.Time, error) {
	return func(context.Context, string) ([]byte, time.Time, error) { return []byte(text), at, nil }
}

func recordKeys(into *[]string) func(context.Context, string, string, string) error {
	return func(_ context.Context, id, user, key string) error {
		*into = append(*into, id+" "+user+" "+key)
		return nil
	}
}
