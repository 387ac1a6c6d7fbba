package node

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// ConsoleSize is how much of its serial console's output EC2 keeps, in bytes
// ("the most recent 64 KB", Amazon EC2 API Reference, GetConsoleOutput).
const ConsoleSize = 64 << 10

// console is the far end of a node's serial port and of its kernel log: two
// terminals in raw mode, whose output is appended to one file.
type console struct {
	serial, kernel terminal
	log            *os.File
	mu             sync.Mutex // orders writes of both terminals
	closing        chan struct{}
	pumps          sync.WaitGroup
}

// terminal is a pseudo terminal.
type terminal struct{ master, slave *os.File }

func openTerminal() (terminal, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return terminal{}, fmt.Errorf("open terminal: %w", err)
	}
	t := terminal{master: master, slave: slave}
	if err := t.raw(); err != nil {
		return terminal{}, errors.Join(err, t.close())
	}
	return t, nil
}

// raw turns off every translation: what the node writes is what is logged.
func (t terminal) raw() error {
	fd := int(t.slave.Fd())
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("read terminal settings: %w", err)
	}
	settings.Iflag, settings.Oflag, settings.Lflag = 0, 0, 0
	settings.Cc[unix.VMIN], settings.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, settings); err != nil {
		return fmt.Errorf("set terminal to raw mode: %w", err)
	}
	return nil
}

func (t terminal) close() error { return errors.Join(t.slave.Close(), t.master.Close()) }

// openConsole opens both terminals and begins to append what they yield to the
// file at path.
func openConsole(path string) (*console, error) {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open console log: %w", err)
	}
	serial, err := openTerminal()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	kernel, err := openTerminal()
	if err != nil {
		return nil, errors.Join(err, serial.close(), log.Close())
	}
	c := &console{serial: serial, kernel: kernel, log: log, closing: make(chan struct{})}
	for _, t := range []terminal{serial, kernel} {
		c.pumps.Go(func() { c.pump(t.master) })
	}
	return c, nil
}

// hangupPause is how long a hung-up terminal is left alone.
const hangupPause = 10 * time.Millisecond

// pump copies a terminal's output until the console is closed. Reading fails
// with EIO while no process has the other end open, as after the getty has hung
// up the terminal; that goes by.
func (c *console) pump(master *os.File) {
	buf := make([]byte, 16<<10)
	for {
		n, err := master.Read(buf)
		if n > 0 {
			c.mu.Lock()
			_, werr := c.log.Write(buf[:n])
			c.mu.Unlock()
			if werr != nil {
				return
			}
		}
		if err == nil {
			continue
		}
		select {
		case <-c.closing:
			return
		case <-time.After(hangupPause):
		}
	}
}

// print appends a line of the sandbox's own.
func (c *console) print(text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.log.WriteString(text)
	return err
}

// tail returns the last bytes of the log, at most max, and when it was last
// written to.
func (c *console) tail(max int64) ([]byte, time.Time, error) {
	info, err := c.log.Stat()
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read console log: %w", err)
	}
	from := info.Size() - max
	if from < 0 {
		from = 0
	}
	text, err := io.ReadAll(io.NewSectionReader(c.log, from, info.Size()-from))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read console log: %w", err)
	}
	return text, info.ModTime(), nil
}

func (c *console) close() error {
	close(c.closing)
	// Without slaves the masters' reads fail, and the pumps end.
	err := errors.Join(c.serial.slave.Close(), c.kernel.slave.Close())
	c.pumps.Wait()
	return errors.Join(err, c.serial.master.Close(), c.kernel.master.Close(), c.log.Close())
}
