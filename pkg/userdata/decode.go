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

// decode takes off base64 and gzip, in the order cloud-init and nodeadm do, each only where it is there.
func decode(raw []byte) ([]byte, error) {
	if len(raw) > maxDecoded {
		return nil, errTooLong
	}
	text := raw
	if decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(raw))); err == nil {
		text = decoded
	}
	if !bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		return text, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("decompress user data: %w", err)
	}
	text, err = io.ReadAll(io.LimitReader(reader, maxDecoded+1))
	if err != nil {
		return nil, fmt.Errorf("decompress user data: %w", err)
	}
	if len(text) > maxDecoded {
		return nil, errTooLong
	}
	return text, nil
}
