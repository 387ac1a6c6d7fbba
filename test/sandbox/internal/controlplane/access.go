package controlplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
)

// Authentication modes of a cluster, as EKS names them.
const (
	ModeConfigMap       = "CONFIG_MAP"
	ModeAPIAndConfigMap = "API_AND_CONFIG_MAP"
	ModeAPI             = "API"
)

// Backends of aws-iam-authenticator.
const (
	backendConfigMap   = "EKSConfigMap" // aws-auth
	backendDynamicFile = "DynamicFile"  // access entries
	backendMountedFile = "MountedFile"  // its own configuration file
)

// backends gives the authenticator's backends for a mode, first match wins. An
// access entry comes before a line of aws-auth for the same principal. In mode
// CONFIG_MAP the cluster's creator keeps its access without standing anywhere that
// it could see: https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html
func backends(mode string) ([]string, error) {
	switch mode {
	case ModeConfigMap:
		return []string{backendMountedFile, backendConfigMap}, nil
	case ModeAPIAndConfigMap:
		return []string{backendDynamicFile, backendConfigMap}, nil
	case ModeAPI:
		return []string{backendDynamicFile}, nil
	}
	return nil, fmt.Errorf("authentication mode %q: want %s, %s or %s", mode, ModeConfigMap, ModeAPIAndConfigMap, ModeAPI)
}

// Access is what the authenticator has to honour.
type Access struct {
	Mode    string
	Entries []Entry
}

// Entry is one access entry.
type Entry struct {
	// ARN is the principal's ARN without its path, ID the unique id (AROA…, AIDA…)
	// that it had when the entry was made: a role deleted and made again has
	// another one and is refused.
	ARN, ID string
	// Username may hold the authenticator's templates, {{EC2PrivateDNSName}}.
	Username string
	Groups   []string
	// Policies are the ARNs of the access policies associated with cluster scope.
	Policies []string
}

type mapping struct {
	RoleARN  string   `json:"rolearn,omitempty"`
	UserARN  string   `json:"userarn,omitempty"`
	UserID   string   `json:"userid"`
	Username string   `json:"username"`
	Groups   []string `json:"groups"`
}

// dynamicFile is what the authenticator's DynamicFile backend reads, stamped with
// the Unix second of its writing.
type dynamicFile struct {
	LastUpdated string    `json:"LastUpdatedDateTime"`
	Version     string    `json:"Version"`
	Roles       []mapping `json:"mapRoles"`
	Users       []mapping `json:"mapUsers"`
}

func newDynamicFile(entries []Entry, now time.Time) dynamicFile {
	f := dynamicFile{LastUpdated: strconv.FormatInt(now.Unix(), 10), Version: "1", Roles: []mapping{}, Users: []mapping{}}
	for _, e := range entries {
		m := mapping{UserID: e.ID, Username: e.Username, Groups: append([]string{}, e.Groups...)}
		for _, policy := range e.Policies {
			m.Groups = append(m.Groups, PolicyGroup(policy))
		}
		if strings.Contains(e.ARN, ":user/") {
			m.UserARN = e.ARN
			f.Users = append(f.Users, m)
		} else {
			m.RoleARN = e.ARN
			f.Roles = append(f.Roles, m)
		}
	}
	return f
}

// backendModeFile is what the authenticator's dynamic backend mode reads.
type backendModeFile struct {
	LastUpdated string `json:"LastUpdatedDateTime"`
	Version     string `json:"Version"`
	BackendMode string `json:"backendMode"` // separated by spaces
}

// SetAccess makes the authenticator honour the access given, within the moment
// that its file watch takes.
func (p *Plane) SetAccess(a Access) error {
	order, err := backends(a.Mode)
	if err != nil {
		return err
	}
	now := time.Now()
	entries := newDynamicFile(a.Entries, now)
	mode := backendModeFile{LastUpdated: entries.LastUpdated, Version: "1", BackendMode: strings.Join(order, " ")}
	return errors.Join(
		rewrite(p.accessFile(), entries),
		rewrite(p.backendModeFile(), mode),
	)
}

func (p *Plane) accessFile() string      { return p.path("authenticator", "access.json") }
func (p *Plane) backendModeFile() string { return p.path("authenticator", "backend-mode.json") }

// rewrite replaces a file's content in place: the authenticator loses a second with
// a file that was renamed over.
func rewrite(path string, content any) error {
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write access for the authenticator: %w", err)
	}
	return nil
}

type authenticatorConfig struct {
	ClusterID string              `json:"clusterID"`
	Server    authenticatorServer `json:"server"`
}

type authenticatorServer struct {
	DynamicFilePath         string    `json:"dynamicfilepath"`
	DynamicFileUserIDStrict bool      `json:"dynamicfileUserIDStrict"`
	DynamicBackendModePath  string    `json:"dynamicBackendModePath"`
	MapUsers                []mapping `json:"mapUsers"`
}

func (p *Plane) authenticatorConfig() authenticatorConfig {
	return authenticatorConfig{
		ClusterID: layout.ClusterName,
		Server: authenticatorServer{
			DynamicFilePath:         p.accessFile(),
			DynamicFileUserIDStrict: true,
			DynamicBackendModePath:  p.backendModeFile(),
			MapUsers: []mapping{{
				UserARN:  "arn:" + layout.Partition + ":iam::" + layout.Account + ":user/" + layout.User,
				Username: "kubernetes-admin",
				Groups:   []string{"system:masters"},
			}},
		},
	}
}

// ValidMode reports a mode that is none.
func ValidMode(mode string) error {
	_, err := backends(mode)
	return err
}
