package cli

import (
	"context"
	"fmt"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// configOutput is describe's format for the settings of a group.
const configOutput = "config"

// writeConfig prints the settings of a group as a file for add -f.
func (a *app) writeConfig(ctx context.Context, s *session, d *nodegroup.Description) error {
	config, notes, err := a.configOf(ctx, s, d)
	if err != nil {
		return err
	}
	head := fmt.Sprintf("node group %s of cluster %s in %s; make it by: %s add -f FILE", d.Name, d.Cluster, d.Region, product.Command)
	comments := []string{head}
	for _, note := range notes {
		comments = append(comments, fill(note, 0, defaultWidth-len("# ")))
	}
	text, err := config.Encode(comments...)
	if err != nil {
		return err
	}
	_, err = a.streams.Out.Write(text)
	return err
}

// configOf is the config that a group's stack keeps, brought up to date; else
// what can be seen of the group, with notes on what cannot.
func (a *app) configOf(ctx context.Context, s *session, d *nodegroup.Description) (config *groupconfig.Config, notes []string, err error) {
	if d.Stack != nil && d.Tool == nodegroup.ToolOurs {
		metadata, err := s.aws.StackMetadata(ctx, d.Stack.ID)
		if err != nil {
			return nil, nil, err
		}
		recorded, err := nodegroup.RecordedConfig(metadata)
		if err != nil {
			return nil, nil, fmt.Errorf("stack %s: %w", d.Stack.Name, err)
		}
		if recorded != nil {
			config, err := nodegroup.CurrentConfig(recorded, d.Stack)
			return config, nil, err
		}
	}
	config, notes = nodegroup.ReadBack(d)
	return config, notes, nil
}
