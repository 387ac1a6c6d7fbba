package evidence

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// bundleKind is the kind of the document.
const bundleKind = "Bundle"

// bundle is a snapshot on its way to somebody else.
type bundle struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Version    string          `json:"version,omitempty"` // of the program that wrote it
	Snapshot   json.RawMessage `json:"snapshot"`
}

// WriteBundle saves a snapshot, without credentials, as JSON, compressed
// unless the file's name ends in .json. The file is the user's alone and is
// there as a whole or not at all.
func WriteBundle(path, version string, snap *snapshot.Snapshot) error {
	document, err := encodeBundle(version, snap)
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	if err := writeWhole(path, document); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}

func encodeBundle(version string, snap *snapshot.Snapshot) ([]byte, error) {
	facts, err := json.Marshal(snap)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(facts, &tree); err != nil {
		return nil, err
	}
	if facts, err = json.Marshal(clean("", tree)); err != nil {
		return nil, err
	}
	return json.MarshalIndent(bundle{APIVersion: report.APIVersion, Kind: bundleKind, Version: version, Snapshot: facts}, "", " ")
}

// clean takes the credentials out of every text of a document. Names are
// texts too: tags and ConfigMaps have them from users.
func clean(name string, value any) any {
	switch value := value.(type) {
	case string:
		if strings.EqualFold(name, "userData") {
			return redact.UserData(value)
		}
		return redact.Text(value)
	case []any:
		for i := range value {
			value[i] = clean(name, value[i])
		}
	case map[string]any:
		cleaned := make(map[string]any, len(value))
		for key, item := range value {
			if text, ok := item.(string); ok && !slices.Contains(factsOfCredentials(), key) {
				item = redact.Named(key, text)
			}
			cleaned[redact.Text(key)] = clean(key, item)
		}
		return cleaned
	}
	return value
}

// factsOfCredentials are fields of ours that are named after credentials and
// hold none: whether a machine has some, and until when.
func factsOfCredentials() []string { return []string{"credentialsCode", "credentialsExpires"} }

// writeWhole writes a file next to where it belongs and moves it there.
func writeWhole(path string, document []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	var out io.WriteCloser = file
	if !strings.HasSuffix(path, ".json") {
		out = gzip.NewWriter(file)
	}
	if _, err = out.Write(document); err != nil {
		return err
	}
	if out != io.WriteCloser(file) {
		if err = out.Close(); err != nil {
			return err
		}
	}
	if err = file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// readBundle reads what WriteBundle wrote.
func readBundle(in io.Reader) (*snapshot.Snapshot, error) {
	var document bundle
	if err := json.NewDecoder(in).Decode(&document); err != nil {
		return nil, fmt.Errorf("neither an archive nor a bundle: %w", err)
	}
	if document.Kind != bundleKind {
		return nil, fmt.Errorf("kind %q: want %s", document.Kind, bundleKind)
	}
	if document.APIVersion != report.APIVersion {
		return nil, fmt.Errorf("apiVersion %q: this program reads %s", document.APIVersion, report.APIVersion)
	}
	var snap snapshot.Snapshot
	if err := json.Unmarshal(document.Snapshot, &snap); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return &snap, nil
}
