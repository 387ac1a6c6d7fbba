package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/faults"
)

const clockPath = "/clock"

func (a *app) clock() *cobra.Command {
	return &cobra.Command{
		Use:   "clock [OFFSET]",
		Short: "Print or set how far AWS's clock is ahead of the machines'",
		Long: `Print or set how far AWS's clock is ahead of the machines', as in "20m" or "-90s".
The machines share the clock of the computer that they run on: it is not theirs
to set, so that AWS's goes wrong instead. Back to 0 with "0s".`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.passOn(cmd, http.MethodGet, clockPath, nil, a.printClock)
			}
			offset, err := time.ParseDuration(args[0])
			if err != nil {
				return fmt.Errorf("offset: %w", err)
			}
			return a.passOn(cmd, http.MethodPut, clockPath, front.Clock{Offset: faults.Duration(offset)}, a.printClock)
		},
	}
}

func (a *app) printClock(answer []byte) error {
	var clock front.Clock
	if err := json.Unmarshal(answer, &clock); err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	return a.print("%s\n", time.Duration(clock.Offset))
}
