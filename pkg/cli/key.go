package cli

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// key reads or makes the key pair that the flags ask for. A new key is made
// here and its public half imported, so that the private one never travels.
func (f *addFlags) key(req *nodegroup.Request) error {
	given := 0
	for _, flag := range []string{f.keyPair, f.createKey, f.importKey} {
		if flag != "" {
			given++
		}
	}
	if given > 1 {
		return usagef("--key-pair, --create-key-pair and --import-key-pair exclude each other")
	}
	if f.importKey == "" && f.createKey == "" {
		return nil
	}
	if f.createKey != "" {
		public, private, err := newKey(product.PluginName + " " + req.Name)
		if err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		f.privateKey = private
		req.Access = nodegroup.SSHKey{PublicKey: public, CreateFile: f.createKey}
		return nil
	}
	text, err := readFile("--import-key-pair", f.importKey)
	if err != nil {
		return err
	}
	if strings.Contains(string(text), "PRIVATE KEY") {
		return usagef("--import-key-pair %s is a private key: give the .pub file", f.importKey)
	}
	if _, _, _, _, err := ssh.ParseAuthorizedKey(text); err != nil {
		return usagef("--import-key-pair %s: not a line of authorized_keys: %w", f.importKey, err)
	}
	req.Access.PublicKey = strings.TrimSpace(string(text))
	return nil
}

// newKey makes an ed25519 key: an authorized_keys line and OpenSSH's PEM.
func newKey(comment string) (public string, private []byte, err error) {
	publicKey, privateKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", nil, err
	}
	wire, err := ssh.NewPublicKey(publicKey)
	if err != nil {
		return "", nil, err
	}
	block, err := ssh.MarshalPrivateKey(privateKey, comment)
	if err != nil {
		return "", nil, err
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(wire))), pem.EncodeToMemory(block), nil
}

// writeKey writes a private key into a new file that only the user can read.
func writeKey(name string, key []byte) (err error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return usagef("--create-key-pair %s: the file exists and is never overwritten: name another, or use its key "+
			"pair by --key-pair", name)
	}
	if err != nil {
		return fmt.Errorf("--create-key-pair: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(key); err != nil {
		return fmt.Errorf("write private key: %w", err)
	}
	return nil
}
