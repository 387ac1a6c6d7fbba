package front_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	behaviourRow = regexp.MustCompile(`(?m)^\|.*\| ([^|]+) \|$`)
	testFunc     = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
)

// Every rule in BEHAVIOUR.md names tests that exist.
func TestBehaviourNamesItsTests(t *testing.T) {
	text, err := os.ReadFile("../../BEHAVIOUR.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## front\n")
	if !found {
		t.Fatal("BEHAVIOUR.md has no section about the front")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rows := behaviourRow.FindAllStringSubmatch(section, -1)[2:] // without the head
	if len(rows) < 30 {
		t.Errorf("only %d rows were read", len(rows))
	}
	known := map[string]string{}
	for _, row := range rows {
		file := ""
		for name := range strings.SplitSeq(row[1], ", ") {
			if before, after, qualified := strings.Cut(name, "."); qualified {
				file, name = before+".go", after
			}
			if known[file] == "" {
				source, err := os.ReadFile(filepath.FromSlash(file))
				if err != nil {
					t.Errorf("%s: %v", row[1], err)
					continue
				}
				known[file] = string(source)
			}
			exists := false
			for _, f := range testFunc.FindAllStringSubmatch(known[file], -1) {
				exists = exists || f[1] == name
			}
			if !exists {
				t.Errorf("%s has no %s", file, name)
			}
		}
	}
}
