package yamlsize

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// bomb is a text of lines levels, each ten times the one before.
func bomb(levels int) string {
	var text strings.Builder
	text.WriteString("a0: &a0 lol\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&text, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return text.String()
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		most     int
		tooLarge bool
		invalid  bool
	}{
		"no alias is never too large": {text: strings.Repeat("a", 100), most: 10},
		"an alias that fits":          {text: "a: &a x\nb: *a\n", most: 100},
		"an alias that does not":      {text: "a: &a " + strings.Repeat("x", 100) + "\nb: *a\nc: *a\n", most: 300, tooLarge: true},
		"a bomb in values":            {text: bomb(3), most: 1000, tooLarge: true},
		"a bomb in keys":              {text: "a: &a " + strings.Repeat("k", 90) + "\nm: {*a : 1}\n", most: 200, tooLarge: true},
		"a star in no YAML":           {text: "*: [", most: 100, invalid: true},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check([]byte(c.text), c.most)
			if got := errors.Is(err, ErrTooLarge); got != c.tooLarge {
				t.Errorf("too large: %v, want %v (%v)", got, c.tooLarge, err)
			}
			if got := err != nil && !errors.Is(err, ErrTooLarge); got != c.invalid {
				t.Errorf("invalid: %v, want %v (%v)", got, c.invalid, err)
			}
		})
	}
}
