package agent

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// ShownKey is a host key that a console shows.
type ShownKey struct {
	Type        string // ssh-ed25519 …
	Fingerprint string // SHA256:…
	// Key is nil where the console shows fingerprints only.
	Key ssh.PublicKey
}

// What cloud-init writes around a machine's host keys (cc_keys_to_console and
// its helper write-ssh-key-fingerprints). Lines may have a prefix of logger.
const (
	printsBegin = "-----BEGIN SSH HOST KEY FINGERPRINTS-----"
	printsEnd   = "-----END SSH HOST KEY FINGERPRINTS-----"
	keysBegin   = "-----BEGIN SSH HOST KEY KEYS-----"
	keysEnd     = "-----END SSH HOST KEY KEYS-----"
)

// errContradiction: programs print what they like on a console, and some print
// what they got from elsewhere. Two lists that differ vouch for nothing.
var errContradiction = errors.New("its console shows different lists of host keys")

// ConsoleHostKeys finds the host keys that a console shows, whole keys where
// there are some, else fingerprints. A machine boots more than once, and shows
// the same keys every time; lists that differ are an error.
func ConsoleHostKeys(console string) ([]ShownKey, error) {
	for _, kind := range []struct {
		begin, end string
		read       func(string) (ShownKey, bool)
	}{{keysBegin, keysEnd, readKey}, {printsBegin, printsEnd, readPrint}} {
		lists := blocks(console, kind.begin, kind.end, kind.read)
		for i := 1; i < len(lists); i++ {
			if !slices.EqualFunc(lists[0], lists[i], func(a, b ShownKey) bool { return a.Fingerprint == b.Fingerprint }) {
				return nil, errContradiction
			}
		}
		if len(lists) > 0 {
			return lists[0], nil
		}
	}
	return nil, nil
}

// blocks reads the whole lists between two markers that hold a key.
func blocks(console, begin, end string, read func(string) (ShownKey, bool)) [][]ShownKey {
	var lists [][]ShownKey
	var list []ShownKey
	inside, prefix := false, 0
	for line := range strings.Lines(console) {
		line = strings.TrimRight(line, "\r\n ")
		switch {
		case strings.HasSuffix(line, begin):
			list, inside, prefix = nil, true, len(line)-len(begin)
		case strings.HasSuffix(line, end):
			if inside && len(list) > 0 {
				slices.SortFunc(list, func(a, b ShownKey) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
				lists = append(lists, list)
			}
			inside = false
		case inside:
			if key, ok := read(line[min(prefix, len(line)):]); ok {
				list = append(list, key)
			}
		}
	}
	return lists
}

// readKey reads "ssh-ed25519 AAAA… comment".
func readKey(line string) (ShownKey, bool) {
	key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(rest) > 0 {
		return ShownKey{}, false
	}
	return ShownKey{Type: key.Type(), Fingerprint: ssh.FingerprintSHA256(key), Key: key}, true
}

// readPrint reads "256 SHA256:… comment (ED25519)".
func readPrint(line string) (ShownKey, bool) {
	fields := strings.Fields(line)
	if len(fields) < 3 || !strings.HasPrefix(fields[1], "SHA256:") {
		return ShownKey{}, false
	}
	kind := map[string]string{
		"(ED25519)": ssh.KeyAlgoED25519, "(RSA)": ssh.KeyAlgoRSA, "(ECDSA)": ecdsaOf(fields[0]),
	}[fields[len(fields)-1]]
	return ShownKey{Type: kind, Fingerprint: fields[1]}, kind != ""
}

// ecdsaOf is the type of an ECDSA key of so many bits.
func ecdsaOf(bits string) string {
	return map[string]string{"256": ssh.KeyAlgoECDSA256, "384": ssh.KeyAlgoECDSA384, "521": ssh.KeyAlgoECDSA521}[bits]
}
