// Package evidence reads what was collected for a judgement without access:
// a directory of raw files, as the AWS CLI, kubectl and journalctl print
// them, a .tar.gz of one, or a bundle, which is a saved snapshot. The layout
// is described in docs/evidence.md.
//
// Raw files are not converted here: they answer the calls of the same readers
// that read live (cloud.Offline, kube.Offline).
package evidence

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// Bounds of what is read: evidence comes from strangers.
const (
	maxFile  = 64 << 20  // bytes of one file; of a log, the last ones
	maxTotal = 512 << 20 // bytes of an archive, unpacked
	maxFiles = 50_000
)

// Evidence is one collection. Exactly one of Snapshot and Files is set.
type Evidence struct {
	Snapshot *snapshot.Snapshot // of a bundle
	Files    *Files             // of raw files
}

// Open reads a directory, an archive of one, a bundle, or what one machine
// said of itself.
func Open(path string) (*Evidence, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open evidence: %w", err)
	}
	if info.IsDir() {
		files, err := openDirectory(path)
		if err != nil {
			return nil, fmt.Errorf("open evidence: %w", err)
		}
		return &Evidence{Files: files}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open evidence: %w", err)
	}
	defer file.Close()
	evidence, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("read evidence %s: %w", path, err)
	}
	return evidence, nil
}

// read finds out by its first bytes what a file is.
func read(file io.Reader) (*Evidence, error) {
	in := bufio.NewReaderSize(file, tarBlock)
	if head, err := in.Peek(2); err == nil && bytes.Equal(head, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		in = bufio.NewReaderSize(unpacked, tarBlock)
	}
	bounded := &bounded{in: in, left: maxTotal}
	if head, err := in.Peek(tarBlock); err == nil && bytes.HasPrefix(head[tarMagicAt:], []byte("ustar")) {
		files, err := openArchive(bounded)
		return &Evidence{Files: files}, err
	}
	document, err := io.ReadAll(bounded)
	if err != nil {
		return nil, err
	}
	if files, err := alone(document); files != nil || err != nil {
		return &Evidence{Files: files}, err
	}
	snap, err := readBundle(bytes.NewReader(document))
	return &Evidence{Snapshot: snap}, err
}

// alone reads what one machine said of itself, as one file: the agent's report
// or what the collector printed. Both are nil for anything else.
func alone(text []byte) (*Files, error) {
	collected, err := ParseCollected(text)
	if err == nil {
		return collected.AsFiles(), nil
	}
	if !errors.Is(err, ErrNotCollected) {
		return nil, err
	}
	var head struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(text, &head) != nil || head.Kind != hostreport.Kind {
		return nil, nil //nolint:nilerr // it is something else, and whoever reads that says what is wrong with it
	}
	report, err := hostreport.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	dir := unknownDir
	if system := report.Facts.System; system != nil && system.InstanceID != "" && instanceIDs.FindString(system.InstanceID) == system.InstanceID {
		dir = system.InstanceID
	}
	return Memory(map[string][]byte{"node/" + dir + "/" + reportName: text}, report.CollectedAt), nil
}

// errTooLarge says that an archive unpacks to more than is read.
var errTooLarge = errors.New("larger than is read")

// bounded ends in an error, not in silence.
type bounded struct {
	in   io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Files are the raw files of a collection.
type Files struct {
	names    []string
	read     func(name string) ([]byte, error)
	modified time.Time // newest of the files
}

// Names lists all files, sorted, with slashes.
func (f *Files) Names() []string { return f.names }

// ReadFile returns one file. One that is not there is an error that errors.Is
// fs.ErrNotExist; a name that leads elsewhere is not there.
func (f *Files) ReadFile(name string) ([]byte, error) {
	if _, have := slices.BinarySearch(f.names, name); !have {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.read(name)
}

// Manifest says when and where files were collected.
type Manifest struct {
	CollectedAt time.Time `json:"collectedAt"`
	Cluster     string    `json:"cluster"`
	Region      string    `json:"region"`
}

// manifestName is the manifest's file.
const manifestName = "manifest.json"

// Manifest reads manifest.json; without it, the files' newest modification
// time stands for the time of collection.
func (f *Files) Manifest() (Manifest, error) {
	manifest := Manifest{CollectedAt: f.modified}
	data, err := f.ReadFile(manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return manifest, nil
	}
	if err != nil {
		return manifest, fmt.Errorf("read %s: %w", manifestName, err)
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return manifest, fmt.Errorf("read %s: %w", manifestName, err)
	}
	if manifest.CollectedAt.IsZero() {
		manifest.CollectedAt = f.modified
	}
	manifest.CollectedAt = manifest.CollectedAt.UTC()
	return manifest, nil
}
