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
