// Package build makes what the sandbox runs and keeps it in a cache: Go programs
// from the pinned modules beside it, a Python environment for moto, and a base root
// file system for nodes. Each artefact is a folder named by a key of everything
// that goes into it, so that a fresh clone on the same machine finds it, and a
// changed pin does not.
package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// key hashes named inputs in their order.
func key(inputs ...string) string {
	h := sha256.New()
	for _, in := range inputs {
		// The length keeps ("ab", "c") and ("a", "bc") apart.
		fmt.Fprintf(h, "%d:%s", len(in), in)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// cache is a folder of artefacts.
type cache struct {
	dir      string
	progress func(format string, args ...any)
}

// heartbeat is how often a long step says that it still goes on.
const heartbeat = 30 * time.Second

// artefact returns the folder name-key, made by make if it is not there. make gets a
// folder of its own that becomes the artefact only when it is complete; what an
// interrupted one has left is thrown away. Several processes may ask at once: one
// makes, the others wait.
func (c cache) artefact(ctx context.Context, name, key, what string, make func(ctx context.Context, dir string) error) (string, error) {
	dir := filepath.Join(c.dir, name+"-"+key)
	if exists(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return "", fmt.Errorf("make cache: %w", err)
	}
	unlock, err := c.lock(ctx, name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(dir) {
		return dir, nil
	}
	partial := filepath.Join(c.dir, "."+name+".partial")
	if err := os.RemoveAll(partial); err != nil {
		return "", fmt.Errorf("clear interrupted build: %w", err)
	}
	c.progress("%s …", what)
	start := time.Now()
	stop := c.beat(what, start)
	err = make(ctx, partial)
	stop()
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if err := os.Rename(partial, dir); err != nil {
		return "", fmt.Errorf("keep artefact: %w", err)
	}
	c.progress("%s: done in %s", what, time.Since(start).Round(100*time.Millisecond))
	return dir, nil
}

// beat reports progress now and then until the returned function is called.
func (c cache) beat(what string, start time.Time) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				c.progress("%s: still going after %s", what, time.Since(start).Round(time.Second))
			}
		}
	}()
	return func() { close(done); <-ended }
}

// lock takes the build lock of one artefact, which the kernel gives back when the
// process ends in whatever way.
func (c cache) lock(ctx context.Context, name string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(c.dir, "."+name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open build lock: %w", err)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // closing it is what unlocks
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("take build lock: %w", err), f.Close())
		}
		if !told {
			c.progress("waiting for another build of %s", name)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-tick.C:
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
