//go:build linux

package host

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"slices"

	"github.com/eksnodes/kubectl-eksnodes/pkg/host/hostfile"
	"github.com/eksnodes/kubectl-eksnodes/pkg/netfail"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// readCNI reads the configuration that the runtime would take, and looks for
// the programs that it names.
func (m *Machine) readCNI(context.Context, *snapshot.Host) (fill, error) {
	facts := &snapshot.HostCNI{ConfDir: "/etc/cni/net.d", BinDir: "/opt/cni/bin"}
	done := func(h *snapshot.Host) { h.CNI = facts }
	names, err := m.root.names(facts.ConfDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, name := range names {
		if !slices.Contains([]string{".conf", ".conflist", ".json"}, path.Ext(name)) || len(facts.Files) == 10 {
			continue
		}
		data, err := m.root.read(facts.ConfDir + "/" + name)
		if err != nil {
			facts.Files = append(facts.Files, snapshot.HostCNIFile{Name: redact.Line(name), Invalid: redact.Line(err.Error())})
			continue
		}
		facts.Files = append(facts.Files, hostfile.CNI(redact.Line(name), data))
	}
	if len(facts.Files) > 0 {
		for _, plugin := range facts.Files[0].Plugins {
			if there, err := m.root.exists(facts.BinDir + "/" + path.Base(plugin)); err == nil && !there {
				facts.Missing = append(facts.Missing, plugin)
			}
		}
	}
	return done, nil
}

// readIPAMD asks the VPC CNI's address manager, which answers on the
// machine's loopback address.
func (m *Machine) readIPAMD(ctx context.Context, known *snapshot.Host) (fill, error) {
	status, body, err := m.localGet(ctx, m.ipamd+"/v1/enis")
	facts := snapshot.HostIPAMD{}
	switch {
	case err != nil && !usesVPCCNI(known):
		return nil, absent("nothing of the VPC CNI is configured, and nothing answers for it")
	case err != nil:
		facts.Failure = netfail.Of(err)
	default:
		answer, ok := hostfile.IPAMD(body)
		if facts = answer; status != http.StatusOK || !ok {
			facts = snapshot.HostIPAMD{Failure: &snapshot.HostFailure{Kind: snapshot.FailAnswer, Status: status, Detail: "the answer is not ipamd's"}}
		}
	}
	return func(h *snapshot.Host) { h.IPAMD = &facts }, nil
}

// usesVPCCNI goes by the configuration and by the containers that run.
func usesVPCCNI(known *snapshot.Host) bool {
	if known.CNI != nil && len(known.CNI.Files) > 0 && slices.Contains(known.CNI.Files[0].Plugins, "aws-cni") {
		return true
	}
	return known.Workloads != nil && slices.ContainsFunc(known.Workloads.Containers, func(c snapshot.HostContainer) bool { return c.Name == "aws-node" })
}
