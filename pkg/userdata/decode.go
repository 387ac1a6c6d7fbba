package userdata

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// maxDecoded bounds user data after decompression, in bytes. The longest that EC2 holds is 16 KiB compressed; real
// documents are far smaller, a decompression bomb is larger.
const maxDecoded = 1 << 20

// errTooLong is what a document beyond maxDecoded gives.
var errTooLong = errors.New("user data is longer than 1 MiB when decompressed")

// wrapping says which encodings were around a text, and how large the outermost but base64 was: EC2 counts the bytes
// before base64.
type wrapping struct {
	base64, gzip bool
	size         int
}

// unwrap takes off base64 and gzip, in the order cloud-init and nodeadm do, each only where it is there.
func unwrap(raw []byte) (text []byte, w wrapping, err error) {
	w.size = len(raw)
	if len(raw) > maxDecoded {
		return nil, w, errTooLong
	}
	text = raw
	if decoded, err := base64.StdEncoding.DecodeString(string(raw)); err == nil && len(decoded) > 0 {
		text, w.base64, w.size = decoded, true, len(decoded)
	}
	if !bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		return text, w, nil
	}
	w.gzip = true
	reader, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, w, fmt.Errorf("decompress user data: %w", err)
	}
	text, err = io.ReadAll(io.LimitReader(reader, maxDecoded+1))
	if err != nil {
		return nil, w, fmt.Errorf("decompress user data: %w", err)
	}
	if len(text) > maxDecoded {
		return nil, w, errTooLong
	}
	return text, w, nil
}

// decode is unwrap for those who only want the text.
func decode(raw []byte) ([]byte, error) {
	text, _, err := unwrap(raw)
	return text, err
}
