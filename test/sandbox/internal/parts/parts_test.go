package parts

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newSet(t *testing.T) (*Set, *bytes.Buffer) {
	t.Helper()
	dir, log := t.TempDir(), &bytes.Buffer{}
	return New(slog.New(slog.NewTextHandler(log, nil)), func(p string) string { return filepath.Join(dir, p+".log") }), log
}

func TestPartThatDies(t *testing.T) {
	s, log := newSet(t)
	if err := s.Start(Spec{Name: "etcd", Path: "/bin/sh", Args: []string{"-c", `echo "$GREETING"; exit 3`}, Env: []string{"GREETING=hello"}}); err != nil {
		t.Fatal(err)
	}
	never := func(context.Context) error { return errors.New("not yet") }
	err := s.WaitReady(t.Context(), "etcd", never)
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready") {
		t.Errorf("WaitReady = %v", err)
	}
	got := s.Status()[0]
	if got.Running || got.Exit != "exit status 3" {
		t.Errorf("status %+v, want dead with exit status 3", got)
	}
	if text, err := os.ReadFile(got.Log); err != nil || string(text) != "hello\n" {
		t.Errorf("log %q, %v", text, err)
	}
	if !strings.Contains(log.String(), "part ended") {
		t.Errorf("the death is not in the supervisor's log: %s", log)
	}
}

func TestPartInheritsNoEnvironment(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "/machine/bundle.pem")
	s, _ := newSet(t)
	if err := s.Start(Spec{Name: "env", Path: "/usr/bin/env", Env: []string{"ONLY=this"}}); err != nil {
		t.Fatal(err)
	}
	<-s.find("env").done
	if text, err := os.ReadFile(s.Status()[0].Log); err != nil || string(text) != "ONLY=this\n" {
		t.Errorf("environment %q, %v", text, err)
	}
}

func TestWaitReady(t *testing.T) {
	s, _ := newSet(t)
	if err := s.Start(Spec{Name: "cat", Path: "/bin/sleep", Args: []string{"60"}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p, err := os.FindProcess(s.Status()[0].PID)
		if err != nil || p.Kill() != nil {
			t.Error("could not end the process")
		}
	})
	tries := 0
	if err := s.WaitReady(t.Context(), "cat", func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := s.WaitReady(ctx, "cat", func(context.Context) error { return errors.New("connection refused") })
	if err == nil || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("WaitReady = %v, want the deadline and the last error", err)
	}
	if err := s.WaitReady(t.Context(), "ghost", nil); err == nil {
		t.Error("waiting for a part that was never started gave no error")
	}
}
