package imds

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Server is the metadata service of one instance. It is an http.Handler.
type Server struct {
	credentials CredentialSource
	log         io.Writer
	now         func() time.Time
	tokens      tokens

	mu       sync.Mutex
	instance Instance
	keys     map[string][]pushedKey // by user
	session  map[string]Credentials // by role
}

// pushedKey is a key of EC2 Instance Connect.
type pushedKey struct {
	key   string
	until time.Time
}

// keyLifetime is how long EC2 Instance Connect's keys stay in the metadata.
const keyLifetime = 60 * time.Second

// New makes the service. Every request gives one line in log: time, method,
// path, status; no token and no credential is written there.
func New(instance Instance, credentials CredentialSource, log io.Writer) *Server {
	return &Server{
		credentials: credentials, log: log, now: time.Now, instance: instance,
		keys: map[string][]pushedKey{}, session: map[string]Credentials{},
	}
}

// Update replaces what the service tells, when the instance has changed.
func (s *Server) Update(instance Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instance = instance
}

// PushKey offers an SSH public key for an operating system's user for 60 s, as
// EC2 Instance Connect's SendSSHPublicKey does.
func (s *Server) PushKey(user, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[user] = append(s.keys[user], pushedKey{key: strings.TrimSpace(key), until: s.now().Add(keyLifetime)})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body := s.answer(w.Header(), r)
	if err := s.travel(r); err != nil { // with another limit it would tell a lie
		fmt.Fprintln(s.log, err)
		status, body = http.StatusInternalServerError, ""
	}
	fmt.Fprintf(s.log, "%s %s %s %d\n", s.now().UTC().Format(time.RFC3339Nano), r.Method, r.URL.Path, status)
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Server", "EC2ws")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that has gone away
}

const (
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
)

func (s *Server) answer(header http.Header, r *http.Request) (int, string) {
	s.mu.Lock()
	instance := s.instance
	s.mu.Unlock()
	switch {
	case instance.Options.Disabled:
		return http.StatusForbidden, ""
	case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
		return s.issueToken(header, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, ""
	}
	if token := r.Header.Get(tokenHeader); token != "" || instance.Options.TokensRequired {
		if !s.tokens.valid(token, s.now()) {
			return http.StatusUnauthorized, ""
		}
	}
	return s.get(r.Context(), instance, r.URL.Path)
}

func (s *Server) issueToken(header http.Header, r *http.Request) (int, string) {
	if r.Header.Get("X-Forwarded-For") != "" {
		return http.StatusForbidden, ""
	}
	token, ttl, err := s.tokens.issue(r.Header.Get(ttlHeader), s.now())
	if err != nil {
		return http.StatusBadRequest, ""
	}
	header.Set(ttlHeader, ttl)
	return http.StatusOK, token
}

var version = regexp.MustCompile(`^(latest|\d{4}-\d{2}-\d{2}|1\.0)$`)

func (s *Server) get(ctx context.Context, instance Instance, path string) (int, string) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case first == "":
		return http.StatusOK, "1.0\n2021-03-23\nlatest"
	case !version.MatchString(first):
		return http.StatusNotFound, ""
	case rest == "":
		return s.top(instance)
	}
	if status, body, ok := s.dynamic(ctx, instance, strings.TrimSuffix(rest, "/")); ok {
		return status, body
	}
	values := tree(instance)
	if value, ok := values[strings.TrimSuffix(rest, "/")]; ok {
		return http.StatusOK, value
	}
	for path := range s.dynamicPaths(instance) {
		values[path] = ""
	}
	if text, ok := list(values, rest, instance); ok {
		return http.StatusOK, text
	}
	return http.StatusNotFound, ""
}

func (s *Server) top(instance Instance) (int, string) {
	text := "dynamic\nmeta-data"
	if instance.UserData != nil {
		text += "\nuser-data"
	}
	return http.StatusOK, text
}

const (
	credentialsPath = "meta-data/iam/security-credentials"
	activeKeysPath  = "meta-data/managed-ssh-keys/active-keys"
)

// dynamicPaths are the paths whose values are not fixed, for listings.
func (s *Server) dynamicPaths(instance Instance) map[string]bool {
	paths := map[string]bool{}
	if instance.Profile != nil {
		paths[credentialsPath+"/"+instance.Profile.RoleName] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for user := range s.keys {
		if s.activeKeys(user) != "" {
			paths[activeKeysPath+"/"+user] = true
		}
	}
	return paths
}

// dynamic answers credentials and pushed keys; ok is false for all else.
func (s *Server) dynamic(ctx context.Context, instance Instance, path string) (status int, body string, ok bool) {
	if user, below := strings.CutPrefix(path, activeKeysPath+"/"); below {
		s.mu.Lock()
		defer s.mu.Unlock()
		keys := s.activeKeys(user)
		if keys == "" {
			return http.StatusNotFound, "", true
		}
		return http.StatusOK, keys, true
	}
	role, below := strings.CutPrefix(path, credentialsPath+"/")
	if !below {
		return 0, "", false
	}
	if instance.Profile == nil || role != instance.Profile.RoleName {
		return http.StatusNotFound, "", true
	}
	text, err := s.roleCredentials(ctx, instance)
	if err != nil {
		fmt.Fprintf(s.log, "credentials of %s: %v\n", role, err)
		return http.StatusOK, assumeRoleRefused(s.now()), true
	}
	return http.StatusOK, text, true
}

// activeKeys drops keys that are over and gives the user's others. The caller
// holds the lock.
func (s *Server) activeKeys(user string) string {
	var lines []string
	var active []pushedKey
	for _, k := range s.keys[user] {
		if s.now().Before(k.until) {
			active = append(active, k)
			lines = append(lines, k.key)
		}
	}
	s.keys[user] = active
	return strings.Join(lines, "\n")
}

// refreshBefore is how long before their end EC2 offers new credentials ("at
// least five minutes before the expiration of the old credentials").
const refreshBefore = 5 * time.Minute

func (s *Server) roleCredentials(ctx context.Context, instance Instance) (string, error) {
	role := instance.Profile.RoleARN
	s.mu.Lock()
	c, ok := s.session[role]
	s.mu.Unlock()
	if !ok || s.now().After(c.Expiration.Add(-refreshBefore)) {
		var err error
		if c, err = s.credentials(ctx, role, instance.ID); err != nil {
			return "", fmt.Errorf("get credentials of %s: %w", role, err)
		}
		s.mu.Lock()
		s.session[role] = c
		s.mu.Unlock()
	}
	text, err := json.MarshalIndent(map[string]string{
		"Code": "Success", "Type": "AWS-HMAC",
		"LastUpdated": s.now().UTC().Format(time.RFC3339),
		"AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "Token": c.SessionToken,
		"Expiration": c.Expiration.UTC().Format(time.RFC3339),
	}, "", "  ")
	return string(text), err
}

// assumeRoleRefused is what the service says when EC2 may not assume the role
// (Amazon EC2 User Guide, "Troubleshoot IAM roles": the trust policy).
func assumeRoleRefused(now time.Time) string {
	return fmt.Sprintf("{\n  \"Code\" : \"AssumeRoleUnauthorizedAccess\",\n"+
		"  \"Message\" : \"EC2 cannot assume the role. Check the role's trust policy.\",\n  \"LastUpdated\" : %q\n}",
		now.UTC().Format(time.RFC3339))
}
