package hostfile

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// NodeConfig reads the configuration that nodeadm resolved and wrote down.
func NodeConfig(data []byte) snapshot.HostNodeConfig {
	var file struct {
		Spec struct {
			Cluster struct {
				Name     string `json:"name"`
				Endpoint string `json:"apiServerEndpoint"`
				CA       []byte `json:"certificateAuthority"` // base64 in the file
				CIDR     string `json:"cidr"`
			} `json:"cluster"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return snapshot.HostNodeConfig{Invalid: "it is not the JSON that nodeadm writes"}
	}
	cluster := &file.Spec.Cluster
	out := snapshot.HostNodeConfig{
		Cluster: redact.Line(cluster.Name), Endpoint: redact.Line(cluster.Endpoint), CA: Sums(cluster.CA), CIDR: redact.Line(cluster.CIDR),
	}
	if len(cluster.CA) > 0 && len(out.CA) == 0 {
		out.Invalid = "its certificate authority holds no certificate"
	}
	return out
}

// LastFatal finds the last line by which nodeadm gave up, in its own log: one
// JSON object a line, as zap writes them.
func LastFatal(log []byte) string {
	last := ""
	for line := range strings.Lines(string(log)) {
		var entry struct{ Level, Msg, Error string }
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &entry) != nil || entry.Level != "fatal" {
			continue
		}
		last = bounded(redact.Line(strings.TrimSuffix(entry.Msg+": "+entry.Error, ": ")), 400)
	}
	return last
}

// CloudInit reads cloud-init's status.json; finished tells whether its
// result.json is there, which it writes at the end.
func CloudInit(status []byte, finished bool) (snapshot.HostCloudInit, error) {
	var file struct {
		V1 map[string]json.RawMessage `json:"v1"`
	}
	if err := json.Unmarshal(status, &file); err != nil || file.V1 == nil {
		return snapshot.HostCloudInit{}, fmt.Errorf("cloud-init's status is not the JSON that it writes")
	}
	out := snapshot.HostCloudInit{Status: "running"}
	if finished {
		out.Status = "done"
	}
	for _, stage := range []string{"init-local", "init", "modules-config", "modules-final"} {
		var run struct{ Errors []string }
		if json.Unmarshal(file.V1[stage], &run) != nil {
			continue
		}
		for _, text := range run.Errors[:min(len(run.Errors), 5)] {
			out.Errors = append(out.Errors, bounded(stage+": "+redact.Line(redact.UserData(text)), 300))
		}
	}
	if len(out.Errors) > 0 {
		out.Status = "error"
	}
	out.Stage, out.Datasource = word(file.V1["stage"]), word(file.V1["datasource"])
	return out, nil
}

// word is a JSON text, "" for null and anything else.
func word(data json.RawMessage) string {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return ""
	}
	return redact.Line(text)
}

// bounded cuts text at a character, not in one.
func bounded(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && text[limit]&0xC0 == 0x80 {
		limit--
	}
	return text[:limit]
}
