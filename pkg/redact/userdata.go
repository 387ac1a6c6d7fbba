package redact

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"
)

// secretName is a name that announces a credential.
var secretName = regexp.MustCompile(`(?i)(?:pass(?:word|wd|phrase|code)|secret|private[_-]?key|api[_-]?key|access[_-]?key|credential|(?:^|[_.-])token$)`)

// Named cleans the value of something that has a name: of a tag, a parameter,
// a key of a map.
func Named(name, value string) string {
	if value != "" && secretName.MatchString(name) {
		return Placeholder
	}
	return value
}

// userDataRules are for text that its author may have written any secret
// into, in any language: there a word too much may go.
var userDataRules = []rule{
	// NAME=value, name: value, --name value.
	{regexp.MustCompile(`(?i)((?:^|[^a-z])[a-z0-9_.-]*(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|license[_-]?key)["']?(?:\s*[:=]\s*|\s+)["']?)[^\s"',;&|]+`), "${1}" + Placeholder},
	// curl -u user:password, echo user:password | chpasswd.
	{regexp.MustCompile(`(\s(?:-u|--user)[ =]["']?[^\s:"']+:)[^\s"']+`), "${1}" + Placeholder},
	{regexp.MustCompile(`(?m)^.*\|\s*(?:sudo\s+)?chpasswd.*$`), Placeholder},
	// Lists of user:password, as cloud-init's chpasswd module has them.
	{regexp.MustCompile(`(?m)^(\s*(?:-\s*)?[a-z_][a-z0-9_-]*:)[^\s:/]{4,}$`), "${1}" + Placeholder},
	// Crypted passwords.
	{regexp.MustCompile(`\$(?:1|2[aby]|5|6|7|y|gy)\$[./A-Za-z0-9$=,]{8,}`), Placeholder},
	// Tokens of well-known services.
	{regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|npm_[A-Za-z0-9]{20,})`), Placeholder},
}

// blob is text that is no word: encoded, random, or a long path.
var blob = regexp.MustCompile(`[A-Za-z0-9+/=_-]{40,}`)

// certificate is how the base64 of a PEM certificate begins.
var certificate = strings.TrimRight(base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE")), "=")

// UserData cleans a machine's user data, decoded. What nodes join by stays:
// the cluster's name, endpoint, certificate authority and addresses.
// Compressed or otherwise unreadable data is replaced whole.
func UserData(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || r == 0 }) {
		return Placeholder
	}
	s = Text(s)
	for _, r := range userDataRules {
		s = r.find.ReplaceAllString(s, r.instead)
	}
	return blob.ReplaceAllStringFunc(s, func(run string) string {
		if strings.HasPrefix(run, certificate[:len(certificate)-1]) || !random(run) {
			return run
		}
		return Placeholder
	})
}

// random reports whether a run looks encoded: paths and names hold few of
// the three kinds of characters mixed.
func random(run string) bool {
	var upper, lower, digit int
	for _, r := range run {
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			lower++
		case unicode.IsDigit(r):
			digit++
		}
	}
	hex := upper*lower == 0 && digit > len(run)/4 && !strings.ContainsAny(run, "/_-")
	return hex || upper > 2 && lower > 2 && digit > 0
}
