package calllog_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/calllog"
)

func TestLogInMemoryAndOnDisk(t *testing.T) {
	dir := t.TempDir()
	l, err := calllog.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, r := range []calllog.Record{
		{Service: "eks", Operation: "DescribeCluster", Status: 200},
		{Service: "eks", Operation: "CreateAccessEntry", Status: 200, Write: true},
		{Service: "kms", Operation: "CreateKey", Status: 501, Write: true, Unimplemented: true},
	} {
		r.Time = start.Add(time.Duration(i) * time.Second)
		if _, err := l.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		query calllog.Query
		want  int
	}{
		"all":           {calllog.Query{}, 3},
		"writes":        {calllog.Query{WritesOnly: true}, 2},
		"unimplemented": {calllog.Query{UnimplementedOnly: true}, 1},
		"after the 2nd": {calllog.Query{AfterSeq: 2}, 1},
		"since the 2nd": {calllog.Query{Since: start.Add(time.Second)}, 2},
	} {
		if got := l.Select(tc.query); len(got) != tc.want {
			t.Errorf("%s: %d records, want %d", name, len(got), tc.want)
		}
	}
	if got := lines(t, dir); len(got) != 3 || got[2].Seq != 3 || !got[2].Unimplemented {
		t.Errorf("file = %+v", got)
	}

	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	r, err := l.Add(calllog.Record{Service: "sts"})
	if err != nil || r.Seq != 4 {
		t.Errorf("first record after Clear = %+v, %v; want number 4", r, err)
	}
	if got := lines(t, dir); len(got) != 1 || got[0].Service != "sts" {
		t.Errorf("file after Clear = %+v", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func lines(t *testing.T, dir string) []calllog.Record {
	t.Helper()
	path := filepath.Join(dir, "calls.jsonl")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, want 0600", info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []calllog.Record
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		var r calllog.Record
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatalf("line %q: %v", s.Text(), err)
		}
		out = append(out, r)
	}
	return out
}
