package nodegroup

import "fmt"

// The sizes of a group nobody sized; AWS's own template has the same.
const (
	defaultMin     = 1
	defaultDesired = 3
)

// Sizes returns min, max and desired with the unset ones chosen to fit the
// set ones. Max leaves room for one node more than desired, which a rolling
// update of the group needs.
func (s Size) Sizes() (smallest, largest, desired int, err error) {
	desired = defaultDesired
	if s.Min != nil {
		desired = max(desired, *s.Min)
	}
	if s.Max != nil {
		desired = min(desired, *s.Max)
	}
	if s.Desired != nil {
		desired = *s.Desired
	}
	smallest = min(defaultMin, desired)
	if s.Min != nil {
		smallest = *s.Min
	}
	largest = desired + 1
	if s.Max != nil {
		largest = *s.Max
	}
	switch {
	case smallest < 0 || desired < 0 || largest < 0:
		return 0, 0, 0, usagef("a group cannot have fewer than 0 nodes")
	case smallest > desired:
		return 0, 0, 0, usagef("--min %d is more than --desired %d: lower --min or raise --desired", smallest, desired)
	case desired > largest:
		return 0, 0, 0, usagef("--desired %d is more than --max %d: raise --max or lower --desired", desired, largest)
	case largest == 0:
		return 0, 0, 0, usagef("--max 0 makes a group that can never have a node")
	}
	return smallest, largest, desired, nil
}

// UsageError is a request that cannot be meant; the text names the flag.
type UsageError struct{ text string }

// Error returns the text.
func (e *UsageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &UsageError{text: fmt.Sprintf(format, args...)}
}
