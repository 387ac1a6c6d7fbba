package supervise

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRaiseWatchers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "max_user_instances")
	for _, tt := range []struct {
		is, then string
		was      int
		fails    bool
	}{
		{is: "128\n", then: "1024\n", was: 128},
		{is: "8192\n", then: "8192\n"},
		{is: "many\n", then: "many\n", fails: true},
	} {
		if err := os.WriteFile(path, []byte(tt.is), 0o600); err != nil {
			t.Fatal(err)
		}
		was, err := RaiseWatchers(path)
		if was != tt.was || (err != nil) != tt.fails {
			t.Errorf("%q: was %d, %v", tt.is, was, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != tt.then {
			t.Errorf("%q has become %q, %v", tt.is, got, err)
		}
	}
	if _, err := RaiseWatchers(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("a kernel without inotify gave no error")
	}
}
