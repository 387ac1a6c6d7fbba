package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/evidence"
	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/kube"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/version"
)

// maxNamed is how many of a list are named.
const maxNamed = 5

// open prepares the reading: of the cluster, or of what somebody collected.
func (c *doctorCommand) open(ctx context.Context, conn *connection) (err error) {
	if c.flags.from == "" {
		c.session, err = conn.open(ctx)
		return err
	}
	if c.evidence, err = evidence.Open(c.flags.from); err != nil || c.evidence.Snapshot != nil {
		return err
	}
	manifest, err := c.evidence.Files.Manifest()
	if err != nil {
		return err
	}
	c.session, err = offlineSession(ctx, c.evidence.Files, manifest)
	return err
}

// offlineSession is a session whose both sides answer out of files.
func offlineSession(ctx context.Context, files *evidence.Files, manifest evidence.Manifest) (*session, error) {
	conn, err := kube.Offline(files)
	if err != nil {
		return nil, err
	}
	name, region := manifest.Cluster, manifest.Region
	// What cannot be read here becomes a gap when it is read for the checks.
	if cluster, err := cloud.Offline(region, files).DescribeCluster(ctx, name); err == nil && cluster != nil {
		name = cluster.Name
		if parts := strings.Split(cluster.ARN, ":"); region == "" && len(parts) > 3 {
			region = parts[3]
		}
	}
	s := &session{kube: conn, aws: cloud.Offline(region, files), cluster: name}
	s.base.Target = snapshot.Target{ClusterName: name, Region: region}
	return s, nil
}

// snapshot reads once more, from where the user said.
func (c *doctorCommand) snapshot(ctx context.Context) (*snapshot.Snapshot, error) {
	switch {
	case c.evidence == nil:
		return c.read(ctx)
	case c.evidence.Snapshot != nil:
		snap := *c.evidence.Snapshot
		return &snap, c.choose(&snap)
	}
	snap, err := c.read(ctx)
	if err != nil {
		return nil, err
	}
	files := c.evidence.Files
	manifest, err := files.Manifest()
	if err != nil {
		return nil, err
	}
	snap.CollectedAt = manifest.CollectedAt
	files.AddLogs(snap)
	gather.SortGaps(snap)
	if unknown := files.Unknown(); len(unknown) > 0 {
		c.app.screen.say("not read, as the evidence layout has no such files: %s", some(unknown))
	}
	return snap, nil
}

// some names the first of a list, and how many more there are.
func some(names []string) string {
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}

// save writes what was judged for somebody without access.
func (c *doctorCommand) save(snap *snapshot.Snapshot) error {
	if c.flags.bundle == "" {
		return nil
	}
	if err := evidence.WriteBundle(c.flags.bundle, version.Current().Version, snap); err != nil {
		return err
	}
	c.app.screen.say("wrote %s: judge it with --from; credentials are removed, names and addresses are not", c.flags.bundle)
	return nil
}
