package agent

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

//go:embed binaries
var embedded embed.FS

// maxProgram bounds an agent, in bytes: many times what one has.
const maxProgram = 128 << 20

// ErrNoBinary says that the plugin carries no agent for a machine.
var ErrNoBinary = errors.New("built without agents: use --agent-binary FILE or a release")

// Binary is a node-agent for one architecture, ready to be sent.
type Binary struct {
	Packed []byte // gzip
	SHA256 string // of the program, hex
	Size   int    // of the program, bytes
}

// Binaries finds agents: those embedded in the plugin, or one that the user
// names, for whatever architecture it is.
type Binaries struct {
	files fs.FS
	path  string
}

// Embedded are the agents in the plugin. With a path, that program is used
// instead of them.
func Embedded(path string) Binaries {
	return Binaries{files: embedded, path: path}
}

// For returns the agent for a machine that uname calls x86_64 or aarch64.
// Errors: ErrNoBinary, or an embedded one that is not what was built.
func (b Binaries) For(machine string) (Binary, error) {
	if b.path != "" {
		return fromFile(b.path)
	}
	arch := map[string]string{"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[machine]
	if arch == "" {
		return Binary{}, fmt.Errorf("no agent runs on %s", machine)
	}
	name := "node-agent-linux-" + arch
	packed, err := fs.ReadFile(b.files, "binaries/"+name+".gz")
	if errors.Is(err, fs.ErrNotExist) {
		return Binary{}, ErrNoBinary
	}
	if err != nil {
		return Binary{}, fmt.Errorf("read the embedded agent: %w", err)
	}
	sums, err := fs.ReadFile(b.files, "binaries/SHA256SUMS")
	if err != nil {
		return Binary{}, fmt.Errorf("read the embedded agent's checksum: %w", err)
	}
	return checked(name, packed, string(sums))
}

// checked unpacks an agent once and compares it with what was built.
func checked(name string, packed []byte, sums string) (Binary, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return Binary{}, fmt.Errorf("unpack the embedded agent %s: %w", name, err)
	}
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(unpacked, maxProgram))
	if err != nil {
		return Binary{}, fmt.Errorf("unpack the embedded agent %s: %w", name, err)
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	for line := range strings.Lines(sums) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[1] == name {
			if fields[0] != sum {
				return Binary{}, fmt.Errorf("the embedded agent %s has the sha256 %s, built was %s: the plugin's file is damaged", name, sum, fields[0])
			}
			return Binary{Packed: packed, SHA256: sum, Size: int(size)}, nil
		}
	}
	return Binary{}, fmt.Errorf("the embedded agent %s has no checksum", name)
}

// fromFile packs a program that the user has.
func fromFile(path string) (Binary, error) {
	file, err := os.Open(path)
	if err != nil {
		return Binary{}, fmt.Errorf("read the agent: %w", err)
	}
	defer func() { _ = file.Close() }()
	program, err := io.ReadAll(io.LimitReader(file, maxProgram+1))
	if err != nil {
		return Binary{}, fmt.Errorf("read the agent: %w", err)
	}
	if len(program) > maxProgram || !bytes.HasPrefix(program, []byte("\x7fELF")) {
		return Binary{}, fmt.Errorf("%s is no program for Linux", path)
	}
	var packed bytes.Buffer
	out := gzip.NewWriter(&packed)
	if _, err := out.Write(program); err != nil {
		return Binary{}, fmt.Errorf("pack the agent: %w", err)
	}
	if err := out.Close(); err != nil {
		return Binary{}, fmt.Errorf("pack the agent: %w", err)
	}
	sum := sha256.Sum256(program)
	return Binary{Packed: packed.Bytes(), SHA256: hex.EncodeToString(sum[:]), Size: len(program)}, nil
}
