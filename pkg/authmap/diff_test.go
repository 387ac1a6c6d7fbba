package authmap

import "testing"

func TestDiff(t *testing.T) {
	tests := map[string]struct{ before, after, want string }{
		"equal":            {"a\n", "a\n", ""},
		"added at the end": {"a\nb\nc\nd\n", "a\nb\nc\nd\nnew\n", "@@ -2,3 +2,4 @@\n b\n c\n d\n+new\n"},
		"removed inside":   {"a\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\nf\n", "@@ -2,5 +2,4 @@\n b\n c\n d\n-e\n f\n"},
		"new":              {"", "a\n", "@@ -0,0 +1,1 @@\n+a\n"},
		"no final newline": {"a", "a\nb", "@@ -1,1 +1,2 @@\n a\n+b\n"},
		"line changed":     {"[a]\r\n", "[a, b]\r\n", "@@ -1,1 +1,1 @@\n-[a]\n+[a, b]\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Diff(test.before, test.after); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}
