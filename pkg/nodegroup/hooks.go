package nodegroup

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// LifecycleHook holds machines of a group for somebody who has to do something
// with them.
type LifecycleHook struct {
	Name      string
	Launching bool          // before a machine is in service; else before it ends
	Timeout   time.Duration // how long it holds a machine that nobody completes it for
	Continue  bool          // what then: go on; else the machine is ended at once
}

// AWS's own defaults
// (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html).
const (
	hookTimeout    = time.Hour
	minHookTimeout = 30 * time.Second
	maxHookTimeout = 2 * time.Hour
)

const hookForm = "use NAME=launching or NAME=terminating, then ,timeout=TIME and ,default=continue or abandon, as in drain=terminating,timeout=5m,default=continue"

// ParseHooks reads hooks of the form NAME=WHEN, NAME=WHEN,timeout=TIME or
// NAME=WHEN,timeout=TIME,default=WORD; what is left out is as AWS has it, an
// hour and abandon.
func ParseHooks(specs []string) ([]LifecycleHook, error) {
	var hooks []LifecycleHook
	for _, spec := range specs {
		hook, err := parseHook(spec)
		if err != nil {
			return nil, usagef("--lifecycle-hook %q: %v", spec, err)
		}
		hooks = append(hooks, hook)
	}
	return hooks, nil
}

func parseHook(spec string) (LifecycleHook, error) {
	head, options, more := strings.Cut(spec, ",")
	name, when, ok := strings.Cut(head, "=")
	if !ok || when != "launching" && when != "terminating" || more && options == "" {
		return LifecycleHook{}, errors.New(hookForm)
	}
	hook := LifecycleHook{Name: name, Launching: when == "launching", Timeout: hookTimeout}
	seen := map[string]bool{}
	for option := range strings.SplitSeq(options, ",") {
		if !more {
			break
		}
		key, value, _ := strings.Cut(option, "=")
		if seen[key] {
			return hook, fmt.Errorf("%s is given twice", key)
		}
		seen[key] = true
		if err := hook.set(key, value); err != nil {
			return hook, err
		}
	}
	return hook, nil
}

func (h *LifecycleHook) set(key, value string) error {
	switch {
	case key == "timeout":
		timeout, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("timeout %q: give a time like 90s or 5m", value)
		}
		h.Timeout = timeout
		return nil
	case key == "default" && (value == "continue" || value == "abandon"):
		h.Continue = value == "continue"
		return nil
	}
	return errors.New(hookForm)
}

// hookName is what Auto Scaling takes.
var hookName = regexp.MustCompile(`^[A-Za-z0-9/_-]{1,255}$`)

func validateHooks(r *Request) error {
	taken := map[string]bool{}
	for _, hook := range r.LifecycleHooks {
		switch {
		case !hookName.MatchString(hook.Name):
			return usagef("--lifecycle-hook: name %q: use letters, digits, - _ and /", hook.Name)
		case taken[hook.Name]:
			return usagef("--lifecycle-hook: %s is given twice", hook.Name)
		case hook.Timeout < minHookTimeout || hook.Timeout > maxHookTimeout || hook.Timeout%time.Second != 0:
			return usagef("--lifecycle-hook: timeout %s of %s: Auto Scaling takes whole seconds, from %s to %s", hook.Timeout, hook.Name, minHookTimeout, Span(maxHookTimeout))
		}
		taken[hook.Name] = true
	}
	return nil
}

func stackHooks(r *Request) []stack.LifecycleHook {
	var out []stack.LifecycleHook
	for _, hook := range r.LifecycleHooks {
		out = append(out, stack.LifecycleHook{Name: hook.Name, Launching: hook.Launching, Seconds: int(hook.Timeout / time.Second), Continue: hook.Continue})
	}
	return out
}

// hookNotes say what hooks will make people wait for.
func hookNotes(req *Request, smallest int) []string {
	var notes []string
	for _, hook := range req.LifecycleHooks {
		if !hook.Launching {
			continue
		}
		then := "ends the machine"
		if hook.Continue {
			then = "lets it into service"
		}
		note := fmt.Sprintf("hook %s holds every new machine until somebody completes it; after %s Auto Scaling %s", hook.Name, Span(hook.Timeout), then)
		if smallest > 0 {
			note += fmt.Sprintf("; the stack is done when min %d of them are in service", smallest)
		}
		notes = append(notes, note)
	}
	return notes
}
