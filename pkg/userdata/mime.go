package userdata

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"strings"
)

// Media types of user data parts that cloud-init and nodeadm act on.
const (
	typeNodeConfig  = "application/node.eks.aws"
	typeShell       = "text/x-shellscript"
	typeCloudConfig = "text/cloud-config"
	typeBoothook    = "text/cloud-boothook"
)

// part is one part of a MIME multipart document: its headers in canonical form, and its body with LF line ends.
type part struct {
	header textproto.MIMEHeader
	body   string
}

func newPart(mediaType, body string) part {
	return part{header: textproto.MIMEHeader{"Content-Type": {mediaType}}, body: body}
}

func shellPart(script string) part { return newPart(typeShell, script) }

// writeMIME joins parts to a multipart/mixed document with LF line ends. A body that is not plain ASCII is carried in
// base64: cloud-init hands the bytes of an undeclared encoding through Python's e-mail parser, which does not keep
// them; both cloud-init and nodeadm decode base64.
func writeMIME(parts []part) ([]byte, error) {
	boundary := pickBoundary(parts)
	var out bytes.Buffer
	fmt.Fprintf(&out, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=%q\n\n", boundary)
	w := multipart.NewWriter(&out)
	if err := w.SetBoundary(boundary); err != nil {
		return nil, fmt.Errorf("set MIME boundary: %w", err)
	}
	for _, p := range parts {
		if err := writePart(w, p); err != nil {
			return nil, fmt.Errorf("write MIME part: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("close MIME document: %w", err)
	}
	return stripCR(out.Bytes()), nil
}

func writePart(w *multipart.Writer, p part) error {
	body := p.body
	if p.header.Get("Content-Transfer-Encoding") == "" && !isASCII(body) {
		p = newPart(p.header.Get("Content-Type"), "")
		p.header.Set("Content-Transfer-Encoding", "base64")
		body = wrap(base64.StdEncoding.EncodeToString([]byte(body)), 76)
	}
	pw, err := w.CreatePart(p.header)
	if err != nil {
		return err
	}
	// The writer puts a line end before each boundary, so the body's own last one is left off.
	_, err = pw.Write([]byte(strings.TrimSuffix(body, "\n")))
	return err
}

// pickBoundary gives the first of EKSNODES, EKSNODES1, … that no body uses, always the same for the same parts.
func pickBoundary(parts []part) string {
	boundary := "EKSNODES"
	for n := 1; ; n++ {
		used := false
		for _, p := range parts {
			used = used || strings.Contains(p.body, "--"+boundary)
		}
		if !used {
			return boundary
		}
		boundary = fmt.Sprintf("EKSNODES%d", n)
	}
}

// stripCR turns CRLF into LF and drops stray carriage returns: a script whose first line ends in CR asks the kernel
// for the interpreter "bash\r".
func stripCR(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r"), nil) }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func wrap(s string, width int) string {
	var lines []string
	for len(s) > width {
		lines = append(lines, s[:width])
		s = s[width:]
	}
	return strings.Join(append(lines, s), "\n")
}
