package imds

import (
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"time"
)

// maxTokenSeconds is the longest life of a session token: six hours.
const maxTokenSeconds = 21600

var errTTL = errors.New("token's time to live must be 1 to 21600 seconds")

// tokens are the session tokens that were issued.
type tokens struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// issue makes a token that lives for the seconds given as text and returns that
// text too.
func (t *tokens) issue(seconds string, now time.Time) (token, ttl string, err error) {
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 1 || n > maxTokenSeconds {
		return "", "", errTTL
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until == nil {
		t.until = map[string]time.Time{}
	}
	for old, until := range t.until {
		if now.After(until) {
			delete(t.until, old)
		}
	}
	token = rand.Text()
	t.until[token] = now.Add(time.Duration(n) * time.Second)
	return token, strconv.Itoa(n), nil
}

func (t *tokens) valid(token string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	until, ok := t.until[token]
	return ok && !now.After(until)
}
