//go:build linux

package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
)

// systemd is the system's manager, asked over D-Bus: without a shell, and
// from a pod too that has the socket.
type systemd struct{ conn *dbus.Conn }

const (
	manager  = "org.freedesktop.systemd1"
	absentOK = "org.freedesktop.systemd1.NoSuchUnit"
)

// openBus connects to the system bus.
func (m *Machine) openBus(ctx context.Context) (*systemd, error) {
	there, err := m.root.exists(m.dbus)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, &fs.PathError{Op: "open", Path: m.dbus, Err: fs.ErrNotExist}
	}
	conn, err := dbus.Dial("unix:path="+m.root.path(m.dbus), dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("connect to the system bus: %w", err)
	}
	if err = conn.Auth(nil); err == nil {
		err = conn.Hello()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the system bus: %w", err), conn.Close())
	}
	return &systemd{conn}, nil
}

func (s *systemd) close() { _ = s.conn.Close() } // nothing was written

// properties are a unit's of one interface: Unit or Service. A unit that the
// system does not have has LoadState not-found. Asking loads a unit's file at
// most; it starts nothing.
func (s *systemd) properties(ctx context.Context, unit, kind string) (properties, error) {
	var path dbus.ObjectPath
	err := s.conn.Object(manager, "/org/freedesktop/systemd1").CallWithContext(ctx, manager+".Manager.LoadUnit", 0, unit).Store(&path)
	if err != nil {
		var refused dbus.Error
		if errors.As(err, &refused) && refused.Name == absentOK {
			return properties{"LoadState": dbus.MakeVariant("not-found")}, nil
		}
		return nil, fmt.Errorf("ask systemd for %s: %w", unit, err)
	}
	var all map[string]dbus.Variant
	err = s.conn.Object(manager, path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.GetAll", 0, manager+"."+kind).Store(&all)
	if err != nil {
		return nil, fmt.Errorf("ask systemd for %s: %w", unit, err)
	}
	return all, nil
}

// properties are D-Bus properties by name. One of another type than expected
// reads as missing.
type properties map[string]dbus.Variant

func (p properties) text(name string) string {
	text, _ := p[name].Value().(string)
	return redact.Line(text)
}

func (p properties) number(name string) int {
	switch n := p[name].Value().(type) {
	case uint32:
		return int(n)
	case int32:
		return int(n)
	case uint64:
		return int(n)
	}
	return 0
}

// at is a time, in microseconds since 1970; zero means never.
func (p properties) at(name string) time.Time {
	micros, ok := p[name].Value().(uint64)
	if !ok || micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(micros)).UTC().Truncate(time.Second)
}

func (p properties) list(name string) []string {
	texts, _ := p[name].Value().([]string)
	return texts
}

// files are those of EnvironmentFiles: path, and whether it may be missing.
func (p properties) files(name string) []string {
	rows, _ := p[name].Value().([][]any)
	var paths []string
	for _, row := range rows {
		if len(row) == 0 {
			continue
		}
		if path, ok := row[0].(string); ok {
			paths = append(paths, path)
		}
	}
	return paths
}
