package evidence

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// What a tar archive is recognized by.
const (
	tarBlock   = 512
	tarMagicAt = 257
)

// openDirectory lists a directory. os.Root keeps links from leading out of
// it.
func openDirectory(dir string) (*Files, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	tree := root.FS()
	files := &Files{read: func(name string) ([]byte, error) { return readEnd(tree, name) }}
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.ModTime().After(files.modified) {
			files.modified = info.ModTime().UTC()
		}
		if files.names = append(files.names, name); len(files.names) > maxFiles {
			return fmt.Errorf("%s holds more than %d files", dir, maxFiles)
		}
		return nil
	})
	slices.Sort(files.names)
	return files, err
}

// readEnd reads a file, of one that is too large the end: there a log says
// what happened last.
func readEnd(tree fs.FS, name string) ([]byte, error) {
	file, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if seeker, ok := file.(io.Seeker); ok && info.Size() > maxFile {
		if _, err := seeker.Seek(-maxFile, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(file, maxFile))
}

// openArchive reads a tar archive into memory. Nothing is written anywhere;
// what is no plain file below the archive's root is left out.
func openArchive(in io.Reader) (*Files, error) {
	contents := map[string][]byte{}
	files := &Files{}
	for archive := tar.NewReader(in); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		name := path.Clean(header.Name)
		if header.Typeflag != tar.TypeReg || !fs.ValidPath(name) {
			continue
		}
		if len(contents) >= maxFiles {
			return nil, fmt.Errorf("unpack: %w", errTooLarge)
		}
		data, err := io.ReadAll(io.LimitReader(archive, maxFile))
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", name, err)
		}
		contents[name] = data
		if header.ModTime.After(files.modified) {
			files.modified = header.ModTime.UTC()
		}
	}
	contents = withoutTop(contents)
	for name := range contents {
		files.names = append(files.names, name)
	}
	slices.Sort(files.names)
	files.read = func(name string) ([]byte, error) { return contents[name], nil }
	return files, nil
}

// withoutTop takes the one directory off that all files are below, unless it
// is one of the layout's own: people archive the directory as often as what
// is in it.
func withoutTop(contents map[string][]byte) map[string][]byte {
	top := ""
	for name := range contents {
		first, _, below := strings.Cut(name, "/")
		if !below || top != "" && first != top || slices.Contains(folders(), first) {
			return contents
		}
		top = first
	}
	stripped := make(map[string][]byte, len(contents))
	for name, data := range contents {
		stripped[strings.TrimPrefix(name, top+"/")] = data
	}
	return stripped
}
