// Package calllog keeps a record of every AWS call: who called what and how it
// ended. It never holds parameters, query strings, signatures or secrets.
package calllog

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Record is one call.
type Record struct {
	// Seq counts from 1 and is never used twice, also after Clear.
	Seq       int64     `json:"seq"`
	Time      time.Time `json:"time"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	Region    string    `json:"region,omitempty"`
	// Principal is the caller's ARN, empty when it could not be authenticated.
	Principal string `json:"principal,omitempty"`
	KeyID     string `json:"accessKeyId,omitempty"`
	// Source is the caller's IP address.
	Source    string `json:"source,omitempty"`
	Status    int    `json:"status"`
	ErrorCode string `json:"errorCode,omitempty"`
	// Write says that the operation changes something, whether or not it succeeded.
	Write bool `json:"write"`
	// Fault is the id of the fault rule that answered.
	Fault string `json:"fault,omitempty"`
	// Unimplemented marks calls that the sandbox could not serve, for lack of the
	// operation or by a mistake of its own. Tests fail on any.
	Unimplemented bool   `json:"unimplemented,omitempty"`
	RequestID     string `json:"requestId"`
	// Millis is how long the answer took.
	Millis int64 `json:"millis"`
}

const (
	maxRecords = 20_000   // in memory
	maxFile    = 16 << 20 // bytes, then the file becomes FILE.1
)

// Log keeps the latest calls in memory and all but the oldest in a file of JSON
// lines, mode 0600.
type Log struct {
	mu      sync.Mutex
	path    string
	file    *os.File
	size    int64
	last    int64
	records []Record
}

// Open starts a log that writes to dir/calls.jsonl; an empty dir writes no file.
func Open(dir string) (*Log, error) {
	l := &Log{}
	if dir == "" {
		return l, nil
	}
	l.path = filepath.Join(dir, "calls.jsonl")
	return l, l.reopen(os.O_APPEND)
}

func (l *Log) reopen(flag int) error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|flag, 0o600)
	if err != nil {
		return fmt.Errorf("open call log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("open call log: %w", err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Add records a call and returns it with its number.
func (l *Log) Add(r Record) (Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	r.Seq = l.last
	if len(l.records) == maxRecords {
		l.records = slices.Delete(l.records, 0, maxRecords/10)
	}
	l.records = append(l.records, r)
	return r, l.write(r)
}

func (l *Log) write(r Record) error {
	if l.file == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode call record: %w", err)
	}
	if l.size > maxFile {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	n, err := l.file.Write(append(line, '\n'))
	l.size += int64(n)
	if err != nil {
		return fmt.Errorf("write call log: %w", err)
	}
	return nil
}

func (l *Log) rotate() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("rotate call log: %w", err)
	}
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		return fmt.Errorf("rotate call log: %w", err)
	}
	return l.reopen(os.O_TRUNC)
}

// Query selects records.
type Query struct {
	// AfterSeq selects records with a greater number, Since those not before it.
	AfterSeq int64
	Since    time.Time
	// WritesOnly and UnimplementedOnly select by the fields of that name.
	WritesOnly, UnimplementedOnly bool
}

// Select returns the records that a query asks for, oldest first.
func (l *Log) Select(q Query) []Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []Record{}
	for _, r := range l.records {
		if r.Seq <= q.AfterSeq || r.Time.Before(q.Since) ||
			(q.WritesOnly && !r.Write) || (q.UnimplementedOnly && !r.Unimplemented) {
			continue
		}
		out = append(out, r)
	}
	return out
}

// Clear forgets all records, in memory and in the file.
func (l *Log) Clear() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = nil
	if l.file == nil {
		return nil
	}
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("clear call log: %w", err)
	}
	l.size = 0
	return nil
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}
