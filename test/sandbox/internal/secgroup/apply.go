package secgroup

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
)

// Apply loads a ruleset in the named network namespace.
func Apply(ctx context.Context, namespace, ruleset string) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(ruleset)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := netns.Start(namespace, cmd); err != nil {
		return fmt.Errorf("load security groups of %s: %w", namespace, err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("load security groups of %s: %w: %s", namespace, err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}
