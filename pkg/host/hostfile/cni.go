package hostfile

import (
	"encoding/json"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// CNI reads a configuration file of CNI: a list of plugins (.conflist) or one
// plugin.
func CNI(name string, data []byte) snapshot.HostCNIFile {
	out := snapshot.HostCNIFile{Name: name}
	var file struct {
		Name    string `json:"name"`
		Type    string `json:"type"`
		Plugins []struct {
			Type string `json:"type"`
			IPAM struct {
				Type string `json:"type"`
			} `json:"ipam"`
		} `json:"plugins"`
		IPAM struct {
			Type string `json:"type"`
		} `json:"ipam"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		out.Invalid = "it is not JSON"
		return out
	}
	out.Network = redact.Line(file.Name)
	add := func(types ...string) {
		for _, plugin := range types {
			if plugin != "" && len(out.Plugins) < 20 {
				out.Plugins = append(out.Plugins, redact.Line(plugin))
			}
		}
	}
	add(file.Type, file.IPAM.Type)
	for _, plugin := range file.Plugins {
		add(plugin.Type, plugin.IPAM.Type)
	}
	if len(out.Plugins) == 0 {
		out.Invalid = "it names no plugin"
	}
	return out
}

// IPAMD reads the answer of the VPC CNI's /v1/enis.
func IPAMD(data []byte) (snapshot.HostIPAMD, bool) {
	var answer struct {
		TotalIPs, AssignedIPs int
		ENIs                  map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return snapshot.HostIPAMD{}, false
	}
	return snapshot.HostIPAMD{Answers: true, ENIs: len(answer.ENIs), Total: answer.TotalIPs, Assigned: answer.AssignedIPs}, true
}
