package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// publish brings the images of programs to a registry under one name, from
// which every node takes the one of its architecture, and returns the digest.
// A name that stands for something else already is refused: what was released
// is not replaced.
func publish(ctx context.Context, binaries []string, tag name.Tag, options ...remote.Option) (v1.Hash, error) {
	var index v1.ImageIndex = empty.Index
	for _, binary := range binaries {
		image, err := build(binary)
		if err != nil {
			return v1.Hash{}, err
		}
		config, err := image.ConfigFile()
		if err != nil {
			return v1.Hash{}, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: config.Platform()},
		})
	}
	digest, err := index.Digest()
	if err != nil {
		return v1.Hash{}, err
	}
	options = append(options, remote.WithContext(ctx))
	there, err := remote.Head(tag, options...)
	var answer *transport.Error
	switch {
	case err == nil && there.Digest == digest:
		return digest, nil
	case err == nil:
		return v1.Hash{}, fmt.Errorf("%s is %s already, not %s: a release is not replaced", tag, there.Digest, digest)
	case !errors.As(err, &answer) || answer.StatusCode != http.StatusNotFound:
		return v1.Hash{}, fmt.Errorf("look whether %s is there: %w", tag, err)
	}
	if err := remote.WriteIndex(tag, index, options...); err != nil {
		return v1.Hash{}, fmt.Errorf("push %s: %w", tag, err)
	}
	return digest, nil
}
