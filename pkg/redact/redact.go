// Package redact cleans text that comes from elsewhere (AWS messages, logs,
// annotations) before it is kept or shown: control characters go, and so do
// credentials.
package redact

import (
	"regexp"
	"strings"
	"unicode"
)

// Placeholder stands where a credential was.
const Placeholder = "[redacted]"

// Text cleans text of several lines. Newlines and tabs stay; carriage
// returns, escape sequences and other control characters do not.
func Text(s string) string { return credentials(printable(s, true)) }

// Line cleans text and makes one line of it.
func Line(s string) string {
	return strings.Join(strings.Fields(credentials(printable(s, false))), " ")
}

func printable(s string, lines bool) string {
	s = escapes.ReplaceAllString(strings.ToValidUTF8(s, "\uFFFD"), "")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && lines, r == '\t' && lines:
			return r
		case r == '\n', r == '\t', r == '\r' && !lines:
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return -1
		}
		return r
	}, s)
}

// escapes are terminal sequences: CSI, OSC and two-byte ones.
var escapes = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])`)

// A rule finds one shape of credential, and says what stands there instead:
// groups of the expression that may stay, around the placeholder.
type rule struct {
	find    *regexp.Regexp
	instead string
}

// rules are tried in order. They err on the side of removing.
var rules = []rule{
	// PEM private keys, whole.
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)`), Placeholder},
	// Tokens of the EKS authenticator and JSON web tokens.
	{regexp.MustCompile(`k8s-aws-v1\.[A-Za-z0-9_=-]*`), Placeholder},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`), Placeholder},
	// Presigned URLs.
	{regexp.MustCompile(`(?i)(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%3D))[^&\s"']+`), "${1}" + Placeholder},
	// Passwords in URLs.
	{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^/\s:@]*:)[^/\s@]+@`), "${1}" + Placeholder + "@"},
	// HTTP authorization headers.
	{regexp.MustCompile(`(?i)(authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|aws4-hmac-sha256)\s+)?)[^\s"',]+`), "${1}" + Placeholder},
	{regexp.MustCompile(`(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}`), "${1}" + Placeholder},
	// name=value and name: value with a name that says what it is. "secret:"
	// and "token:" also begin plain sentences of Kubernetes, so there the
	// value must not look like a word.
	{regexp.MustCompile(`(?i)((?:password|passwd|secret_?access_?key|session_?token|api_?key|private_?key)["']?\s*[:=]\s*["']?)[^\s"',&]{4,}`), "${1}" + Placeholder},
	{regexp.MustCompile(`(?i)((?:secret|token)(?:["']?=["']?|["']\s*:\s*["']?))[^\s"',&]{4,}`), "${1}" + Placeholder},
	{regexp.MustCompile(`(?i)((?:secret|token):\s*)[^\s"',&]*[0-9/+=_][^\s"',&]*`), "${1}" + Placeholder},
	// AWS access key ids.
	{regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`), Placeholder},
}

func credentials(s string) string {
	for _, r := range rules {
		s = r.find.ReplaceAllString(s, r.instead)
	}
	return s
}
