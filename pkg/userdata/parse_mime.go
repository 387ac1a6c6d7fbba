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

// nodeadmMultipart opens a text as nodeadm does; ok is false when nodeadm takes it for a bare NodeConfig.
func nodeadmMultipart(text string) (reader *multipart.Reader, ok bool) {
	message, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return nil, false
	}
	mediaType, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(mediaType, "multipart/") {
		return nil, false
	}
	return multipart.NewReader(message.Body, params["boundary"]), true
}

// brokenMIME tells what hides from nodeadm that a text is meant to be MIME, and reads its parts all the same where
// that is only the space before it.
func (p *parser) brokenMIME(text, trimmed string, line int) {
	reader, readable := nodeadmMultipart(trimmed)
	switch {
	case text != trimmed:
		p.refuse(1, FaultLeadingSpace, "blank space before the first line: the document is not recognised, or a script not run")
		if readable {
			p.parts(reader, trimmed, line)
			return
		}
	case namesNodeConfig(text): // as YAML it is one
		p.nodeConfig(text, 1)
	}
	if bad := firstNonHeader(trimmed); bad > 0 {
		p.refuse(line+bad-1, FaultMIME, "neither a header nor blank: a blank line must follow the headers")
		return
	}
	if message, err := mail.ReadMessage(strings.NewReader(trimmed)); err != nil || message.Header.Get("Content-Type") == "" {
		p.refuse(line, FaultMIME, "the headers cannot be read")
		return
	}
	p.refuse(line, FaultMIME, noBoundary)
}

const noBoundary = "Content-Type is not multipart with a boundary"

// parts reads the parts with the library nodeadm uses, so that what fails here fails there; a scan for the boundary
// lines gives the places.
func (p *parser) parts(reader *multipart.Reader, text string, line int) {
	boundary := boundaryOf(text)
	starts := partLines(text, boundary)
	last := line + strings.Count(strings.TrimRight(text, "\n"), "\n")
	for i := 0; ; i++ {
		at := line
		if i < len(starts) {
			at = min(line+starts[i]-1, last) // a body may begin where the text has ended
		}
		next, err := reader.NextPart()
		if err != nil && boundary == "" && i == 0 {
			p.refuse(line, FaultMIME, noBoundary)
			return
		}
		if err != nil {
			p.endOfParts(err, i, at, last)
			return
		}
		p.part(next, at)
		if p.decoded > maxParts {
			p.refuse(at, FaultEncoding, "the parts are longer than 4 MiB when decompressed")
			return
		}
	}
}

// maxParts bounds the parts of a document together, in bytes: each of a thousand may be a bomb within maxDecoded.
const maxParts = 4 * maxDecoded

func boundaryOf(text string) string {
	message, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return ""
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return params["boundary"]
}

// endOfParts says what ended the reading of parts, unless it was the closing boundary.
func (p *parser) endOfParts(err error, read, at, last int) {
	switch {
	case err == io.EOF && read > 0: //nolint:errorlint // nodeadm compares like this, and takes a wrapped one for an error
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		p.refuse(last, FaultMIME, "the boundary that closes the document is missing, or is not the one that the header names")
	default:
		p.refuse(at, FaultMIME, "the part's headers cannot be read: a blank line must stand between them and the body")
	}
}

// part reads one part that begins at a line.
func (p *parser) part(next *multipart.Part, line int) {
	body, bodyErr := io.ReadAll(next)
	contentType := next.Header.Get("Content-Type")
	mediaType, _, err := mime.ParseMediaType(contentType)
	switch {
	case contentType == "":
		p.fault(line, FaultMIME, "the part's Content-Type is missing or cannot be read")
	case err != nil:
		p.refuse(line, FaultMIME, "the part's Content-Type is missing or cannot be read")
	case bodyErr != nil && mediaType == typeNodeConfig:
		p.refuse(line, FaultMIME, "the boundary that closes the document is missing, or is not the one that the header names")
	}
	text, err := decodePart(body, strings.ToLower(next.Header.Get("Content-Transfer-Encoding")), mediaType)
	found := Part{Type: mediaType, Format: partFormat(mediaType), Line: line, Size: len(text), Gzip: bytes.HasPrefix(body, []byte{0x1f, 0x8b})}
	p.doc.Parts = append(p.doc.Parts, found)
	p.decoded += len(text)
	switch {
	case err != nil && mediaType == typeNodeConfig:
		p.doc.NodeConfigs++
		p.refuse(line, FaultEncoding, "the part cannot be decoded")
		return
	case err != nil:
		p.fault(line, FaultEncoding, "the part cannot be decoded")
	case found.Format != FormatNodeConfig && strings.Contains(string(text), "node.eks.aws/") && formatOf(string(text)) == FormatNodeConfig:
		p.fault(line, FaultMIME, "a NodeConfig under Content-Type %q: nodeadm reads only %s", mediaType, typeNodeConfig)
	}
	if mediaType == typeBoothook {
		p.doc.Beacon = p.doc.Beacon || strings.Contains(string(text), beaconBegin)
	}
	p.body(found.Format, string(text), line)
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
