package node

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
)

// containerImage is a container image of one layer.
type containerImage struct {
	tag        string
	entrypoint []string
	files      []imageFile
}

// imageFile is an executable, or a symbolic link when target is set.
type imageFile struct {
	name    string
	content []byte
	target  string
}

// write writes the image as the archive that `docker save` makes, which
// containerd imports: manifest.json names the configuration and the layers
// (Docker Image Specification v1.2). The same image gives the same bytes.
func (i containerImage) write(w io.Writer) error {
	layer, err := i.layer()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"Entrypoint": i.entrypoint, "Env": []string{"PATH=/bin"}},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		return fmt.Errorf("write image %s: %w", i.tag, err)
	}
	manifest, err := json.Marshal([]map[string]any{{
		"Config": "config.json", "RepoTags": []string{i.tag}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return fmt.Errorf("write image %s: %w", i.tag, err)
	}
	return writeTar(w, []imageFile{
		{name: "config.json", content: config},
		{name: "layer.tar", content: layer},
		{name: "manifest.json", content: manifest},
	})
}

func (i containerImage) layer() ([]byte, error) {
	var b bytes.Buffer
	if err := writeTar(&b, i.files); err != nil {
		return nil, fmt.Errorf("write layer of image %s: %w", i.tag, err)
	}
	return b.Bytes(), nil
}

func writeTar(w io.Writer, files []imageFile) error {
	t := tar.NewWriter(w)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: 0o755, Size: int64(len(f.content)), Typeflag: tar.TypeReg}
		if f.target != "" {
			header.Typeflag, header.Linkname = tar.TypeSymlink, f.target
		}
		if err := t.WriteHeader(header); err != nil {
			return err
		}
		if _, err := t.Write(f.content); err != nil {
			return err
		}
	}
	return t.Close()
}
