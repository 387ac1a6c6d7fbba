package agent

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"golang.org/x/crypto/ssh"
)

// sshd is an SSH server on loopback. Unless a test gives it another answer,
// it runs the commands that it is sent, in a directory of its own.
type sshd struct {
	t       *testing.T
	key     ssh.Signer
	allowed ssh.PublicKey
	port    int
	dir     string
	// bases are the directories that stand for those run.sh tries; one of
	// t.TempDir by default.
	bases []string
	// answer, when set, is what the machine does with a command.
	answer func(channel ssh.Channel, command string)

	mu       sync.Mutex
	commands []string
}

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// newServer starts a server that lets nobody in until PushSSHKey or allowed
// says whom.
func newServer(t *testing.T) *sshd {
	t.Helper()
	s := &sshd{t: t, key: newSigner(t), dir: t.TempDir()}
	s.bases = []string{filepath.Join(s.dir, "run")}
	s.makeBases()
	s.write("bin/sudo", "#!/bin/sh\nshift\nexec \"$@\"\n")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return s
}

func (s *sshd) makeBases() {
	for _, base := range s.bases {
		if err := os.MkdirAll(base, 0o700); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *sshd) write(name, text string) {
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// left lists what stands in the directories that the agent is run from.
func (s *sshd) left() []string {
	var all []string
	for _, base := range s.bases {
		found, err := filepath.Glob(base + "/*")
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// PushSSHKey is EC2 Instance Connect.
func (s *sshd) push(line string) error {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowed = key
	return nil
}

func (s *sshd) serve(conn net.Conn) {
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.allowed != nil && bytes.Equal(key.Marshal(), s.allowed.Marshal()) {
			return nil, nil
		}
		return nil, errors.New("no")
	}}
	config.AddHostKey(s.key)
	inner, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		_ = conn.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	for incoming := range channels {
		switch incoming.ChannelType() {
		case "session":
			channel, requests, err := incoming.Accept()
			if err != nil {
				return
			}
			go s.session(channel, requests)
		case "direct-tcpip": // as a bastion
			s.forward(incoming)
		default:
			_ = incoming.Reject(ssh.UnknownChannelType, "no")
		}
	}
	_ = inner.Wait()
}

func (s *sshd) forward(incoming ssh.NewChannel) {
	var to struct {
		Host string
		Port uint32
		From string
		Back uint32
	}
	if err := ssh.Unmarshal(incoming.ExtraData(), &to); err != nil {
		_ = incoming.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	conn, err := net.Dial("tcp", net.JoinHostPort(to.Host, itoa(to.Port)))
	if err != nil {
		_ = incoming.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := incoming.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	go func() {
		_, _ = io.Copy(conn, channel)
		_ = conn.Close()
	}()
	go func() {
		_, _ = io.Copy(channel, conn)
		_ = channel.Close()
	}()
}

func itoa(n uint32) string {
	text := ""
	for ; n > 0; n /= 10 {
		text = string(rune('0'+n%10)) + text
	}
	return text
}

func (s *sshd) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	for request := range requests {
		if request.Type != "exec" {
			_ = request.Reply(false, nil)
			continue
		}
		var what struct{ Command string }
		if err := ssh.Unmarshal(request.Payload, &what); err != nil {
			s.t.Error(err)
		}
		_ = request.Reply(true, nil)
		s.mu.Lock()
		s.commands = append(s.commands, what.Command)
		answer := s.answer
		s.mu.Unlock()
		if answer == nil {
			answer = s.execute
		}
		go func() {
			answer(channel, what.Command)
			_ = channel.Close()
		}()
	}
}

// execute runs a command as the machine would, in the directories of the test.
func (s *sshd) execute(channel ssh.Channel, command string) {
	command = strings.ReplaceAll(command, "/run /var/lib /root /var/tmp /tmp /dev/shm", strings.Join(s.bases, " "))
	cmd := exec.Command("sh", "-c", command)
	cmd.Env = []string{"PATH=" + filepath.Join(s.dir, "bin") + ":/usr/bin:/bin:/usr/sbin:/sbin"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = channel, channel, channel.Stderr()
	err := cmd.Run()
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		s.t.Logf("%s: %v", command, err)
		code = 255
	}
	finish(channel, code)
}

func finish(channel ssh.Channel, code int) {
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)}))
}

// program packs a script as the agent that the plugin carries.
func program(t *testing.T, script string) Binaries {
	t.Helper()
	var packed bytes.Buffer
	out := gzip.NewWriter(&packed)
	if _, err := out.Write([]byte(script)); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(script))
	files := fstest.MapFS{}
	sums := ""
	for _, arch := range []string{"amd64", "arm64"} {
		files["binaries/node-agent-linux-"+arch+".gz"] = &fstest.MapFile{Data: packed.Bytes()}
		sums += hex.EncodeToString(sum[:]) + "  node-agent-linux-" + arch + "\n"
	}
	files["binaries/SHA256SUMS"] = &fstest.MapFile{Data: []byte(sums)}
	return Binaries{files: files}
}
