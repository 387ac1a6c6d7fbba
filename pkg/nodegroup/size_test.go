package nodegroup

import (
	"errors"
	"testing"
)

func TestSizesFitWhatTheUserSet(t *testing.T) {
	set := func(n int) *int { return &n }
	tests := map[string]struct {
		size                       Size
		smallest, largest, desired int
		wrong                      bool
	}{
		"nothing set":             {Size{}, 1, 4, 3, false},
		"only desired":            {Size{Desired: set(10)}, 1, 11, 10, false},
		"only max, below default": {Size{Max: set(2)}, 1, 2, 2, false},
		"only min, above default": {Size{Min: set(5)}, 5, 6, 5, false},
		"desired of none":         {Size{Desired: set(0)}, 0, 1, 0, false},
		"all set":                 {Size{Min: set(2), Max: set(9), Desired: set(4)}, 2, 9, 4, false},
		"min over desired":        {Size{Min: set(4), Desired: set(3)}, 0, 0, 0, true},
		"desired over max":        {Size{Max: set(2), Desired: set(3)}, 0, 0, 0, true},
		"negative":                {Size{Min: set(-1)}, 0, 0, 0, true},
		"never a node":            {Size{Max: set(0)}, 0, 0, 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			smallest, largest, desired, err := test.size.Sizes()
			if test.wrong {
				if usage := new(UsageError); !errors.As(err, &usage) {
					t.Fatalf("error is %v, want a usage error", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if smallest != test.smallest || largest != test.largest || desired != test.desired {
				t.Errorf("got min %d max %d desired %d, want %d %d %d", smallest, largest, desired, test.smallest, test.largest, test.desired)
			}
		})
	}
}
