package eks

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// modes in the only order in which a cluster can go through them.
//
//nolint:gochecknoglobals // a table that nothing changes
var modes = []string{ModeConfigMap, ModeAPIAndConfigMap, ModeAPI}

// update is one finished change of a cluster's configuration.
type update struct {
	ID        string    `json:"id"`
	Mode      string    `json:"mode"`
	CreatedAt time.Time `json:"createdAt"`
}

func (u update) view(status string) object {
	return object{"update": object{
		"id": u.ID, "status": status, "type": "AccessConfigUpdate", "createdAt": epoch(u.CreatedAt),
		"params": []object{{"type": "AuthenticationMode", "value": fmt.Sprintf("%q", u.Mode)}},
		"errors": []string{},
	}}
}

// updateClusterConfig changes the authentication mode, and nothing else.
func (s *Service) updateClusterConfig(ctx context.Context, call awsapi.Call) (any, error) {
	var in map[string]json.RawMessage
	if err := decode(call, &in); err != nil {
		return nil, err
	}
	delete(in, "clientRequestToken")
	var access struct {
		AuthenticationMode string `json:"authenticationMode"`
	}
	if raw, ok := in["accessConfig"]; !ok || len(in) != 1 {
		return nil, awsapi.NotImplemented(call, "it changes accessConfig only")
	} else if err := json.Unmarshal(raw, &access); err != nil {
		return nil, invalidParameter(call.Path["name"], "accessConfig is not valid.")
	}
	u := update{ID: awsapi.NewID(), Mode: access.AuthenticationMode, CreatedAt: s.cfg.Now()}
	var name string
	err := s.change(func() error {
		c, err := s.find(call)
		if err != nil {
			return err
		}
		// One step at a time, and never back: EKS User Guide, "Change
		// authentication mode to use access entries".
		from, to := slices.Index(modes, c.AuthenticationMode), slices.Index(modes, u.Mode)
		if to != from+1 {
			return invalidParameter(c.Name, fmt.Sprintf("Unsupported authentication mode update from %s to %s",
				c.AuthenticationMode, u.Mode))
		}
		name = c.Name
		c.AuthenticationMode = u.Mode
		c.Updates[u.ID] = u
		return nil
	})
	if err != nil {
		return nil, err
	}
	return u.view("InProgress"), s.changed(ctx, name)
}

func (s *Service) describeUpdate(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(call)
	if err != nil {
		return nil, err
	}
	u, ok := c.Updates[call.Path["updateId"]]
	if !ok {
		return nil, notFound(c.Name, fmt.Sprintf("No update found for ID: %s", call.Path["updateId"]))
	}
	return u.view("Successful"), nil
}

func (s *Service) listUpdates(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(call)
	if err != nil {
		return nil, err
	}
	return page(call, "updateIds", slices.Sorted(maps.Keys(c.Updates)))
}
