package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ErrMismatch is returned by Verify for a signature that does not fit the
// request. It never says what the right one would have been.
var ErrMismatch = errors.New("signature does not match")

const unsignedPayload = "UNSIGNED-PAYLOAD"

// Verify checks the signature of a request whose complete body is given,
// against the secret of its access key. It does not look at any clock.
func (s *Signature) Verify(r *http.Request, body []byte, secret string) error {
	if !slices.Contains(s.SignedHeaders, "host") {
		return ErrMismatch
	}
	payload, err := payloadHash(r, body)
	if err != nil {
		return err
	}
	headers, err := canonicalHeaders(r, s.SignedHeaders)
	if err != nil {
		return err
	}
	canonical := strings.Join([]string{
		r.Method,
		encode(pathOf(r.URL), true),
		canonicalQuery(r.URL.RawQuery),
		headers,
		strings.Join(s.SignedHeaders, ";"),
		payload,
	}, "\n")
	scope := strings.Join([]string{s.Day, s.Region, s.Service, terminator}, "/")
	toSign := strings.Join([]string{algorithm, s.Time.Format(timeLayout), scope, hexSHA256([]byte(canonical))}, "\n")

	key := []byte("AWS4" + secret)
	for _, part := range []string{s.Day, s.Region, s.Service, terminator, toSign} {
		key = sum(key, part)
	}
	given, err := hex.DecodeString(s.Value)
	if err != nil || !hmac.Equal(given, key) {
		return ErrMismatch
	}
	return nil
}

// payloadHash is the last line of the canonical request. A hash that the
// request claims must be that of its body.
func payloadHash(r *http.Request, body []byte) (string, error) {
	actual := hexSHA256(body)
	switch claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed {
	case "", actual:
		return actual, nil
	case unsignedPayload:
		return unsignedPayload, nil
	}
	return "", ErrMismatch
}

func pathOf(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

// canonicalHeaders fails when a signed header is not in the request: this is
// what refuses a token presented for another cluster than it was signed for.
func canonicalHeaders(r *http.Request, signed []string) (string, error) {
	var b strings.Builder
	for _, name := range signed {
		values := r.Header.Values(name)
		switch {
		case name == "host":
			values = []string{hostOf(r)}
		case name == "content-length" && len(values) == 0:
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		if len(values) == 0 {
			return "", ErrMismatch
		}
		b.WriteString(name)
		b.WriteByte(':')
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.Join(strings.Fields(v), " "))
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// hostOf drops the scheme's own port, as signers do.
func hostOf(r *http.Request) string {
	if r.TLS != nil {
		return strings.TrimSuffix(r.Host, ":443")
	}
	return strings.TrimSuffix(r.Host, ":80")
}

// canonicalQuery sorts and re-encodes the query without its own signature.
func canonicalQuery(raw string) string {
	var pairs []string
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		k, v = unescape(k), unescape(v)
		if k == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, encode(k, false)+"="+encode(v, false))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// unescape leaves what is not valid percent-encoding as it stands; the
// signature will then not match.
func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// encode percent-encodes everything but the unreserved characters of RFC 3986,
// in capital hex digits, and slashes unless keepSlash is set.
func encode(s string, keepSlash bool) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~', keepSlash && c == '/':
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

func hexSHA256(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func sum(key []byte, s string) []byte {
	m := hmac.New(sha256.New, key)
	// Writing to a hash never fails.
	_, _ = m.Write([]byte(s))
	return m.Sum(nil)
}
