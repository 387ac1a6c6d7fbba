package userdata

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
)

// looksLikeMIME says that the author meant MIME, whether or not it is well formed.
func looksLikeMIME(text string) bool {
	first, _, _ := strings.Cut(text, "\n")
	name, _, found := strings.Cut(strings.ToLower(first), ":")
	return found && (name == "mime-version" || name == "content-type")
}

// mime reads a MIME document with the libraries nodeadm uses, so that what fails here fails there; a scan for the
// boundary lines gives the places.
func (p *parser) mime(text string, line int) {
	if bad := firstNonHeader(text); bad > 0 {
		p.fault(line+bad-1, FaultMIME, "neither a header nor blank: a blank line must follow the headers")
		return
	}
	message, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		p.fault(line, FaultMIME, "the headers cannot be read")
		return
	}
	mediaType, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(mediaType, "multipart/") || params["boundary"] == "" {
		p.fault(line, FaultMIME, "Content-Type is not multipart with a boundary")
		return
	}
	starts := partLines(text, params["boundary"])
	last := line + strings.Count(strings.TrimRight(text, "\n"), "\n")
	reader := multipart.NewReader(message.Body, params["boundary"])
	for i := 0; ; i++ {
		at := line
		if i < len(starts) {
			at = min(line+starts[i]-1, last) // a body may begin where the text has ended
		}
		if err := p.nextPart(reader, at); err != nil {
			p.endOfParts(err, i, at, last)
			return
		}
	}
}

// endOfParts says what ended the reading of parts, unless it was the closing boundary.
func (p *parser) endOfParts(err error, read, at, last int) {
	switch {
	case errors.Is(err, io.EOF) && read > 0:
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "NextPart: EOF"):
		p.fault(last, FaultMIME, "the boundary that closes the document is missing, or is not the one that the header names")
	default:
		p.fault(at, FaultMIME, "the part's headers cannot be read: a blank line must stand between them and the body")
	}
}

// nextPart reads one part. Its error is the reader's.
func (p *parser) nextPart(reader *multipart.Reader, line int) error {
	next, err := reader.NextPart()
	if err != nil {
		return err
	}
	body, err := io.ReadAll(next)
	if err != nil {
		return err
	}
	mediaType, _, typeErr := mime.ParseMediaType(next.Header.Get("Content-Type"))
	if typeErr != nil {
		p.fault(line, FaultMIME, "the part's Content-Type is missing or cannot be read")
	}
	encoding := strings.ToLower(next.Header.Get("Content-Transfer-Encoding"))
	text, err := decodePart(body, encoding, mediaType)
	if err != nil {
		p.fault(line, FaultEncoding, "the part cannot be decoded")
	}
	found := Part{Type: mediaType, Format: partFormat(mediaType), Line: line, Size: len(text), Gzip: bytes.HasPrefix(body, []byte{0x1f, 0x8b})}
	if looks := formatOf(string(text)); looks == FormatNodeConfig && found.Format != FormatNodeConfig && strings.Contains(string(text), "node.eks.aws/") {
		p.fault(line, FaultMIME, "a NodeConfig under Content-Type %q: nodeadm reads only %s", mediaType, typeNodeConfig)
	}
	p.doc.Parts = append(p.doc.Parts, found)
	p.body(found.Format, string(text), line)
	return nil
}

// decodePart takes the transfer encoding off. Nodeadm, for NodeConfig parts, takes base64 and gzip off wherever they
// are, declared or not.
func decodePart(body []byte, encoding, mediaType string) ([]byte, error) {
	if mediaType == typeNodeConfig {
		return decode(body)
	}
	if encoding != "base64" {
		return body, nil
	}
	return io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body)))
}

func partFormat(mediaType string) Format {
	switch mediaType {
	case typeNodeConfig:
		return FormatNodeConfig
	case typeShell:
		return FormatShell
	}
	return FormatCloudInit
}

// firstNonHeader gives the number of the first line before the blank one that is no header, or 0.
func firstNonHeader(text string) int {
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" {
			return 0
		}
		if !strings.Contains(line, ":") && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			return i + 1
		}
	}
	return 0
}

// partLines gives, for each part, the line its body begins at: the one after the blank line after the boundary. A part
// without a blank line is at its first header.
func partLines(text, boundary string) []int {
	var starts []int
	inHeader := false
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		line = strings.TrimRight(line, "\r \t")
		switch {
		case line == "--"+boundary:
			inHeader = true
			starts = append(starts, i+2)
		case line == "--"+boundary+"--":
			inHeader = false
		case inHeader && line == "":
			inHeader = false
			starts[len(starts)-1] = i + 2
		}
	}
	return starts
}
