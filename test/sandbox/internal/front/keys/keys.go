// Package keys holds the access keys whose signatures the front can verify.
package keys

import (
	"sync"
	"time"
)

// Key is one access key. SessionToken and Expiration are set for temporary
// credentials only.
type Key struct {
	ID, Secret, SessionToken string
	Expiration               time.Time
	// ARN, UserID and Account are the caller's identity as GetCallerIdentity
	// gives it; empty means not known yet.
	ARN, UserID, Account string
	// UserName is the IAM user that owns a long-lived key, if known.
	UserName string
	// Inactive keys are refused like unknown ones.
	Inactive bool
}

// Store holds keys by id. The zero value is ready for use.
type Store struct {
	mu   sync.RWMutex
	byID map[string]Key
}

// Put adds or replaces a key.
func (s *Store) Put(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]Key{}
	}
	s.byID[k.ID] = k
}

// Get returns the key of that id.
func (s *Store) Get(id string) (Key, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, ok := s.byID[id]
	return k, ok
}

// Update changes the key of that id, if there is one.
func (s *Store) Update(id string, change func(*Key)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.byID[id]; ok {
		change(&k)
		s.byID[id] = k
	}
}

// Delete removes a key.
func (s *Store) Delete(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, id)
}
