package authmap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	yamlv2 "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

// The keys of the ConfigMap's data that the authenticator reads. Their letter
// case counts.
const (
	KeyRoles    = "mapRoles"
	KeyUsers    = "mapUsers"
	KeyAccounts = "mapAccounts"
)

// Role is one mapping of mapRoles. Keys are read in any letter case.
type Role struct {
	RoleARN  string   `json:"rolearn,omitempty"`
	SSO      *SSO     `json:"sso,omitempty"`
	Username string   `json:"username"`
	Groups   []string `json:"groups"`
	UserID   string   `json:"userid,omitempty"`
}

// SSO stands in a Role instead of the ARN and means every role that IAM
// Identity Center made of one permission set.
type SSO struct {
	PermissionSetName string `json:"permissionSetName"`
	AccountID         string `json:"accountID"`
	Partition         string `json:"partition,omitempty"`
}

// User is one mapping of mapUsers.
type User struct {
	UserARN  string   `json:"userarn"`
	Username string   `json:"username"`
	Groups   []string `json:"groups"`
	UserID   string   `json:"userid,omitempty"`
}

// Map is what the authenticator keeps of an aws-auth ConfigMap, in the order
// of the text.
type Map struct {
	Roles    []Role
	Users    []User
	Accounts []string
	// Problems are what it only logs: "There was an error parsing the config
	// maps. Only saving data that was good".
	Problems []Problem
}

// Problem is a fault in one key of the map.
type Problem struct {
	Key string
	// Entry counts the list's entries from 0; -1 means the key as a whole.
	Entry int
	// Line counts the lines of the key's text from 1.
	Line int
	// Dropped means that nothing of the key (or of the entry) is used.
	Dropped bool
	Reason  string
}

// String gives the problem as one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s line %d: %s", p.Key, p.Line, p.Reason)
}

// Parse reads the data of an aws-auth ConfigMap as aws-iam-authenticator does
// (configmap.ParseMap). One syntax error drops a whole key, an invalid entry
// is dropped alone, and the other keys are not touched by either.
func Parse(data map[string]string) Map {
	m, _, _ := parse(data)
	return m
}

// parse is Parse with the lists as they were decoded, for those who look for
// an entry's place.
func parse(data map[string]string) (Map, reading[Role], reading[User]) {
	users := readList(data, KeyUsers, User.invalid)
	roles := readList(data, KeyRoles, Role.invalid)
	m := Map{Roles: roles.valid(), Users: users.valid(), Accounts: []string{}, Problems: slices.Concat(users.problems, roles.problems)}
	if text := data[KeyAccounts]; !skippable(text) {
		// This key is read straight from YAML, so that an account number with a
		// leading zero stays what is written.
		err := affordable(text)
		if err == nil {
			err = yamlv2.Unmarshal([]byte(text), &m.Accounts)
		}
		if err != nil {
			m.Problems = append(m.Problems, wholeProblem(KeyAccounts, text, err))
		}
	}
	return m, roles, users
}

// reading is one key's list as it was decoded.
type reading[T any] struct {
	all      []T // entries that are dropped, too
	dropped  []bool
	problems []Problem
	doc      lazyDocument
}

// readList decodes one key. After a fault of type the rest of the list is
// still filled in.
func readList[T any](data map[string]string, key string, invalid func(T) string) reading[T] {
	text := data[key]
	r := reading[T]{doc: lazily(text)}
	if skippable(text) {
		return r
	}
	raw, err := toJSON(text)
	if err != nil {
		r.problems = []Problem{wholeProblem(key, text, err)}
		return r
	}
	if err := json.Unmarshal(raw, &r.all); err != nil {
		r.problems = append(r.problems, typeProblem(key, r.doc(), err))
	}
	r.dropped = make([]bool, len(r.all))
	for i, entry := range r.all {
		if reason := invalid(entry); reason != "" {
			r.dropped[i] = true
			r.problems = append(r.problems, Problem{Key: key, Entry: i, Line: r.doc().entryLine(i), Dropped: true, Reason: reason})
		}
	}
	return r
}

// valid are the entries that the authenticator keeps.
func (r reading[T]) valid() []T {
	kept := make([]T, 0, len(r.all))
	for i, entry := range r.all {
		if !r.dropped[i] {
			kept = append(kept, entry)
		}
	}
	return kept
}

// skippable is the authenticator's test for "nothing here".
func skippable(text string) bool {
	switch strings.TrimSpace(text) {
	case "", "``", `""`, "''":
		return true
	}
	return false
}

// toJSON is ToJSON of k8s.io/apimachinery/pkg/util/yaml: text that starts with
// a brace is taken for JSON as it stands; of several YAML documents only the
// first is read.
func toJSON(text string) ([]byte, error) {
	if err := affordable(text); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimLeftFunc([]byte(text), unicode.IsSpace), []byte("{")) {
		return []byte(text), nil
	}
	return yaml.YAMLToJSON([]byte(text))
}

var (
	accountPattern       = regexp.MustCompile(`^[0-9]{12}$`)
	permissionSetPattern = regexp.MustCompile(`^[\w+=,.@-]{1,32}$`)
)

// invalid tells why the authenticator drops the mapping, or nothing. It
// follows RoleMapping.Validate.
func (r Role) invalid() string {
	switch {
	case r.RoleARN == "" && r.SSO == nil:
		return "entry has neither rolearn nor sso and is ignored"
	case r.RoleARN != "" && r.SSO != nil:
		return "entry has both rolearn and sso and is ignored"
	case r.SSO == nil:
		return ""
	}
	if !accountPattern.MatchString(r.SSO.AccountID) {
		return fmt.Sprintf("sso.accountID %q is not an AWS account; the entry is ignored", r.SSO.AccountID)
	}
	if !permissionSetPattern.MatchString(r.SSO.PermissionSetName) {
		return fmt.Sprintf("sso.permissionSetName %q is not valid; the entry is ignored", r.SSO.PermissionSetName)
	}
	if r.SSO.Partition != "" && !slices.Contains(partitions(), r.SSO.Partition) {
		return fmt.Sprintf("sso.partition %q is not an AWS partition; the entry is ignored", r.SSO.Partition)
	}
	return ""
}

// invalid tells why the authenticator drops the mapping, or nothing. It
// follows UserMapping.Validate.
func (u User) invalid() string {
	if u.UserARN == "" {
		return "entry has no userarn and is ignored"
	}
	return ""
}

// typeProblem words a value of the wrong type, which encoding/json skips.
func typeProblem(key string, d *document, err error) Problem {
	p := Problem{Key: key, Entry: -1, Line: 1}
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		p.Dropped, p.Reason = true, err.Error()
		return p
	}
	if wrong.Field == "" {
		p.Line = d.rootLine()
		p.Dropped = !d.isList()
		p.Reason = fmt.Sprintf("a list of mappings is due, not a %s", plainValue(wrong.Value))
		return p
	}
	p.Line = d.fieldLine(wrong.Field)
	p.Reason = fmt.Sprintf("%q is a %s where a %s is due, and is not read", wrong.Field, plainValue(wrong.Value), plainType(wrong.Type.String()))
	return p
}

// plainValue names a JSON value in YAML's words.
func plainValue(json string) string {
	switch json {
	case "object":
		return "mapping"
	case "array":
		return "list"
	}
	return json
}

func plainType(goType string) string {
	switch goType {
	case "[]string":
		return "list of strings"
	case "authmap.SSO":
		return "mapping"
	}
	return goType
}

// wholeProblem words a text that is not YAML.
func wholeProblem(key, text string, err error) Problem {
	line, reason := yamlErrorLine(text, err)
	return Problem{Key: key, Entry: -1, Line: line, Dropped: true, Reason: reason}
}
