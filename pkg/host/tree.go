//go:build linux

package host

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// tree reads files below the machine's root. Links are followed within the
// root, as the machine itself would; none leads out of it, and none is
// followed where others than root may write.
type tree struct {
	root string
	// parts are the paths of the machine that are there, for a pod that has no
	// more than some of them; nil for all.
	parts []string
}

// Bounds of reads.
const (
	maxFile    = 256 << 10 // bytes of a configuration file
	maxEntries = 256       // names of a directory
)

// Errors of files.
var (
	// errNotAFile is for what is there and is no plain file.
	errNotAFile = errors.New("not a regular file")
	// errNotMounted is for a part of the machine that the agent's pod does not
	// have: whether it is there is not known.
	errNotMounted = errors.New("not mounted into the agent's pod")
)

// has reports whether a path is within the parts that are there.
func (t tree) has(path string) bool {
	return t.parts == nil || slices.ContainsFunc(t.parts, func(part string) bool { return path == part || strings.HasPrefix(path, part+"/") })
}

// read returns a file of at most maxFile bytes.
func (t tree) read(path string) ([]byte, error) { return t.readUpTo(path, maxFile) }

// readUpTo returns a file; one with more bytes than the limit is an error.
func (t tree) readUpTo(path string, limit int64) ([]byte, error) {
	file, err := t.open(path, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: longer than %d bytes", path, limit)
	}
	return data, nil
}

// line returns the first line of a small file, trimmed; "" when it cannot be
// read.
func (t tree) line(path string) string {
	data, err := t.readUpTo(path, 4<<10)
	if err != nil {
		return ""
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	return strings.TrimSpace(string(first))
}

// tail returns the last bytes of a file, from the start of a line on. No link
// is followed: logs lie where others may write.
func (t tree) tail(path string, limit int64) ([]byte, error) {
	file, err := t.open(path, unix.RESOLVE_NO_SYMLINKS)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	cut := info.Size() > limit
	if cut {
		if _, err := file.Seek(-limit, io.SeekEnd); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	data, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if _, rest, found := bytes.Cut(data, []byte("\n")); cut && found {
		data = rest
	}
	return data, nil
}

// open opens a plain file for reading. A device, a pipe or a socket in its
// place is refused and not waited for.
func (t tree) open(path string, how uint64) (*os.File, error) {
	file, err := t.at(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, how)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if !info.Mode().IsRegular() {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: path, Err: errNotAFile}, file.Close())
	}
	return file, nil
}

// at opens what a path names below the root. The kernel does the walking
// (openat2, Linux 5.6), so that nobody can swap a link in between.
func (t tree) at(path string, flags int, how uint64) (*os.File, error) {
	if !t.has(path) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errNotMounted}
	}
	root, err := unix.Open(t.root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: t.root, Err: err}
	}
	defer unix.Close(root) //nolint:errcheck // only a place to start from
	fd, err := unix.Openat2(root, cmp.Or(strings.TrimPrefix(path, "/"), "."), &unix.OpenHow{
		Flags: uint64(flags | unix.O_CLOEXEC), Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | how,
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// exists reports whether a path is there; an error that says nothing of that
// is returned.
func (t tree) exists(path string) (bool, error) {
	file, err := t.at(path, unix.O_PATH, 0)
	switch {
	case err == nil:
		return true, file.Close()
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, err
}

// finds is exists where not knowing is the same as no.
func (t tree) finds(path string) bool {
	there, err := t.exists(path)
	return err == nil && there
}

// names lists a directory, sorted, at most maxEntries names.
func (t tree) names(path string) ([]string, error) {
	dir, err := t.at(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(maxEntries)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("list %s: %w", path, err)
	}
	slices.Sort(names)
	return names, nil
}

// path is where a path of the machine's lies for the agent.
func (t tree) path(path string) string {
	if t.root == "/" {
		return path
	}
	return t.root + path
}
