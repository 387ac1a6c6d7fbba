package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// need is a program that the sandbox calls, and the Debian package it comes in.
type need struct {
	program string
	pkg     string
	// probe, when set, is run instead of looking for the program.
	probe []string
}

func needs() []need {
	return []need{
		{program: "ip", pkg: "iproute2"},
		{program: "nft", pkg: "nftables"},
		{program: "nsenter", pkg: "util-linux"},
		{program: "mmdebstrap", pkg: "mmdebstrap"},
		{program: "python3", pkg: "python3"},
		{program: "python3 -m venv", pkg: "python3-venv", probe: []string{"python3", "-c", "import venv, ensurepip"}},
	}
}

// missing returns the needs that the machine lacks.
func missing(ctx context.Context, all []need) []need {
	var lacking []need
	for _, n := range all {
		if n.probe != nil {
			if exec.CommandContext(ctx, n.probe[0], n.probe[1:]...).Run() != nil {
				lacking = append(lacking, n)
			}
		} else if _, err := exec.LookPath(n.program); err != nil {
			lacking = append(lacking, n)
		}
	}
	return lacking
}

// packages installs what is missing with apt, after saying so.
func (b Builder) packages(ctx context.Context) error {
	lacking := missing(ctx, needs())
	if len(lacking) == 0 {
		return nil
	}
	var names []string
	for _, n := range lacking {
		names = append(names, n.pkg)
	}
	list := strings.Join(names, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("the sandbox needs %s, and this machine has no apt-get: install them by hand", list)
	}
	unlock, err := b.aptLock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	b.Progress("installing Debian packages: %s", list)
	install := append([]string{"install", "--yes", "--no-install-recommends"}, names...)
	if apt(ctx, install...) != nil {
		// The package lists may be old or absent.
		if err := errors.Join(apt(ctx, "update"), apt(ctx, install...)); err != nil {
			return fmt.Errorf("install packages: %w", err)
		}
	}
	if still := missing(ctx, lacking); len(still) > 0 {
		return fmt.Errorf("package %s was installed but %q still does not work", still[0].pkg, still[0].program)
	}
	return nil
}

func (b Builder) aptLock(ctx context.Context) (func(), error) {
	if err := os.MkdirAll(b.Cache, 0o755); err != nil {
		return nil, fmt.Errorf("make cache: %w", err)
	}
	return b.cache().lock(ctx, "apt")
}

func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=120"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	return run(cmd)
}
