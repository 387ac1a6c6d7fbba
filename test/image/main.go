// Command image makes the container image of node-agent, from scratch and
// without a container engine: one layer with one program.
//
// The same program gives the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// nobody is whom the program runs as where nothing else is said, as in
// deploy/node-agent.yaml.
const nobody = "65534:65534"

// program is the agent's place in the image.
const program = "node-agent"

func main() {
	binary := flag.String("binary", "", "the agent's `program` for Linux")
	reference := flag.String("name", "", "`name:tag` of the image")
	output := flag.String("output", "", "`file` to write, as docker save would: ctr images import takes it")
	flag.Parse()
	if err := run(*binary, *reference, *output); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(binary, reference, output string) error {
	if binary == "" || reference == "" || output == "" {
		return errors.New("-binary, -name and -output are needed")
	}
	tag, err := name.NewTag(reference, name.StrictValidation)
	if err != nil {
		return err
	}
	image, err := build(binary)
	if err != nil {
		return err
	}
	// Whole or not at all: a run that is interrupted leaves no half of an image.
	file, err := os.CreateTemp(filepath.Dir(output), ".image-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already when all went well
	if err := errors.Join(tarball.Write(tag, image, file), file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", output, err)
	}
	return os.Rename(file.Name(), output)
}

// build makes the image of a program, for the architecture that it is for.
func build(binary string) (v1.Image, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	architecture, err := architectureOf(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", binary, err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return layerOf(content) })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	config.Config = v1.Config{User: nobody, Entrypoint: []string{"/" + program}}
	return mutate.ConfigFile(image, config)
}

// architectureOf reads a program's own word for it. A program that needs an
// interpreter, which is what the dynamic linker is, does not start here.
func architectureOf(content []byte) (string, error) {
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return "", fmt.Errorf("no program for Linux: %w", err)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return "", errors.New("it is not static: there are no libraries in the image")
		}
	}
	architecture := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[file.Machine]
	if architecture == "" {
		return "", fmt.Errorf("no architecture that nodes have: %s", file.Machine)
	}
	return architecture, nil
}

// layerOf is a file system with the program alone.
func layerOf(content []byte) (io.ReadCloser, error) {
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	if err := archive.WriteHeader(&tar.Header{Name: program, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		return nil, err
	}
	if _, err := archive.Write(content); err != nil {
		return nil, err
	}
	return io.NopCloser(&out), archive.Close()
}
