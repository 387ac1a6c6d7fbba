// Package faults decides which AWS calls are to go wrong, and how.
package faults

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The kinds of faults.
const (
	Deny     = "deny"     // AccessDenied in the service's words
	Throttle = "throttle" // Throttling, RequestLimitExceeded, …
	Delay    = "delay"    // answer late
	Error    = "error"    // any code and status
)

// Rule is one fault.
type Rule struct {
	// ID is given by Add.
	ID string `json:"id"`
	// Kind is one of the constants above.
	Kind string `json:"kind"`
	// Target is SERVICE:OPERATION with * and ? as wildcards, for example
	// "ec2:Describe*". Upper and lower case count alike.
	Target string `json:"target"`
	// Principal is a pattern for the caller's ARN; empty matches every caller.
	Principal string `json:"principal,omitempty"`
	// Count is how many calls the rule hits before it is spent; 0 means all.
	Count int `json:"count,omitempty"`
	// After is how many matching calls pass before the rule begins to hit.
	After int `json:"after,omitempty"`
	// Delay is how late a delay rule answers.
	Delay Duration `json:"delay,omitzero"`
	// Code, Status and Message are the answer of an error rule; the defaults
	// are the service's own internal error.
	Code    string `json:"code,omitempty"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`

	// Seen counts matching calls, Hits those that the rule affected.
	Seen int `json:"seen"`
	Hits int `json:"hits"`
}

// Duration is a time.Duration that reads and writes as text, such as "1.5s".
type Duration time.Duration

// MarshalText writes the duration as time.Duration.String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// Validate reports what is wrong with a rule.
func (r Rule) Validate() error {
	if !slices.Contains([]string{Deny, Throttle, Delay, Error}, r.Kind) {
		return fmt.Errorf("kind %q is not deny, throttle, delay or error", r.Kind)
	}
	service, operation, ok := strings.Cut(r.Target, ":")
	if !ok || service == "" || operation == "" {
		return fmt.Errorf("target %q is not SERVICE:OPERATION", r.Target)
	}
	if r.Count < 0 || r.After < 0 {
		return errors.New("count and after cannot be negative")
	}
	if (r.Kind == Delay) != (r.Delay > 0) {
		return errors.New("a delay rule, and no other, needs a delay above zero")
	}
	if r.Kind != Error && (r.Code != "" || r.Status != 0 || r.Message != "") {
		return errors.New("code, status and message belong to error rules only")
	}
	if r.Status != 0 && (r.Status < http.StatusBadRequest || r.Status > 599) {
		return fmt.Errorf("status %d is not an error status", r.Status)
	}
	return nil
}

// Engine holds the rules in force. The zero value has none.
type Engine struct {
	mu    sync.Mutex
	next  int
	rules []*Rule
}

// Add puts a rule into force and returns it with its id.
func (e *Engine) Add(r Rule) (Rule, error) {
	if err := r.Validate(); err != nil {
		return Rule{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.next++
	r.ID, r.Seen, r.Hits = strconv.Itoa(e.next), 0, 0
	e.rules = append(e.rules, &r)
	return r, nil
}

// List returns all rules, spent ones included, in the order of Add.
func (e *Engine) List() []Rule {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Rule, 0, len(e.rules))
	for _, r := range e.rules {
		out = append(out, *r)
	}
	return out
}

// Remove removes the rule of that id and reports whether there was one.
func (e *Engine) Remove(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := len(e.rules)
	e.rules = slices.DeleteFunc(e.rules, func(r *Rule) bool { return r.ID == id })
	return len(e.rules) < before
}

// Clear removes all rules.
func (e *Engine) Clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rules = nil
}

// Verdict is what the rules say about one call.
type Verdict struct {
	// Delay is the sum of the delay rules.
	Delay time.Duration
	// Fault is the first other rule that hit, nil for none.
	Fault *Rule
}

// Judge applies the rules to one call and counts it. A call that a rule has
// answered is not counted by later rules, but delays always add up.
func (e *Engine) Judge(service, operation, principalARN string) Verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	var v Verdict
	call := service + ":" + operation
	for _, r := range e.rules {
		if v.Fault != nil && r.Kind != Delay {
			continue
		}
		if !match(r.Target, call) || (r.Principal != "" && !match(r.Principal, principalARN)) {
			continue
		}
		r.Seen++
		if r.Seen <= r.After || (r.Count > 0 && r.Hits >= r.Count) {
			continue
		}
		r.Hits++
		if r.Kind == Delay {
			v.Delay += time.Duration(r.Delay)
			continue
		}
		hit := *r
		v.Fault = &hit
	}
	return v
}

// match compares without regard to case; * stands for any text, ? for one character.
func match(pattern, s string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(quoted, `\*`, ".*")
	quoted = strings.ReplaceAll(quoted, `\?`, ".")
	return regexp.MustCompile(`(?is)^` + quoted + `$`).MatchString(s)
}
