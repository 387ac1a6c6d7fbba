// Command image makes the container image of node-agent, from scratch and
// without a container engine: one layer with one program. It writes one as an
// archive, or brings those of all architectures to a registry.
//
// The same program gives the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// nobody is whom the program runs as where nothing else is said, as in
// deploy/node-agent.yaml.
const nobody = "65534:65534"

// program is the agent's place in the image.
const program = "node-agent"

func main() {
	var wish wish
	flag.Func("binary", "the agent's `program` for Linux; with -push one for each architecture", func(binary string) error {
		wish.binaries = append(wish.binaries, binary)
		return nil
	})
	flag.StringVar(&wish.reference, "name", "", "`name:tag` of the image")
	flag.StringVar(&wish.output, "output", "", "`file` to write, as docker save would: ctr images import takes it")
	flag.BoolVar(&wish.push, "push", false, "bring it to its registry, as the user whom docker login has left, and print name@digest")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := wish.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// wish is what was asked for: one of output and push.
type wish struct {
	binaries          []string
	reference, output string
	push              bool
}

func (w *wish) run(ctx context.Context) error {
	if len(w.binaries) == 0 || w.reference == "" || w.push == (w.output != "") || !w.push && len(w.binaries) > 1 {
		return errors.New("-binary, -name and one of -output and -push are needed; -output takes one -binary")
	}
	tag, err := name.NewTag(w.reference, name.StrictValidation)
	if err != nil {
		return err
	}
	if !w.push {
		return write(w.binaries[0], tag, w.output)
	}
	digest, err := publish(ctx, w.binaries, tag, remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return err
	}
	fmt.Println(tag.Digest(digest.String()))
	return nil
}

// write makes the image of a program as an archive. It is there as a whole or
// not at all: a run that is interrupted leaves no half of an image.
func write(binary string, tag name.Tag, output string) error {
	image, err := build(binary)
	if err != nil {
		return err
	}
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
