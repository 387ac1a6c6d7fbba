package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/nodegroup"
)

// settings opens the session and makes the request: of the flags, and of the
// file or the group that they leave the rest to. What makes no sense is said
// before any call.
func (c *addCommand) settings(ctx context.Context) error {
	name := c.name
	if c.flags.file != "" {
		if c.flags.fromExisting != "" {
			return usagef("-f and --from-existing exclude each other")
		}
		config, err := c.app.readConfig(c.flags.file)
		if err != nil {
			return err
		}
		if err := c.flags.take(c.given, &config.Spec); err != nil {
			return usagef("-f %s: %w", c.flags.file, err)
		}
		if name == "" {
			name = config.Metadata.Name
		}
	}
	var err error
	if c.flags.fromExisting == "" {
		if c.req, err = c.flags.request(name, c.given); err != nil {
			return err
		}
	}
	if c.session, err = c.conn.open(ctx); err != nil {
		return err
	}
	if c.flags.fromExisting == "" {
		return nil
	}
	config, err := c.existing(ctx, name)
	if err != nil {
		return err
	}
	if err := c.flags.take(c.given, &config.Spec); err != nil {
		return fmt.Errorf("settings of %s: %w", c.flags.fromExisting, err)
	}
	c.req, err = c.flags.request(name, c.given)
	return err
}

// existing reads the settings of the group that is to be copied.
func (c *addCommand) existing(ctx context.Context, name string) (*groupconfig.Config, error) {
	if name == c.flags.fromExisting {
		return nil, usagef("--from-existing %s: give the new group another name", name)
	}
	description, err := c.app.describe(ctx, c.session, c.flags.fromExisting)
	if err != nil {
		return nil, err
	}
	config, notes, err := c.app.configOf(ctx, c.session, description)
	for _, note := range notes {
		c.app.note("%s", note)
	}
	return config, err
}

// readConfig reads the file that -f names, - for stdin.
func (a *app) readConfig(file string) (*groupconfig.Config, error) {
	text, err := a.configText(file)
	if err != nil {
		return nil, err
	}
	config, err := groupconfig.Decode(text)
	if err != nil {
		return nil, usagef("-f %s: %w", file, err)
	}
	return config, nil
}

func (a *app) configText(file string) ([]byte, error) {
	if file != "-" {
		return readFile("-f", file)
	}
	text, err := io.ReadAll(io.LimitReader(a.streams.In, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("-f -: %w", err)
	case len(text) > maxFile:
		return nil, usagef("-f -: more than %d bytes, more than can be meant", maxFile)
	}
	return text, nil
}

// rivals are flags that make one choice: who gives one of them by hand wants
// none of the others from a file.
func rivals() [][]string {
	return [][]string{
		{"private", "public"}, {"subnets", "subnet-tag"}, {"role", "instance-profile", "permissions-boundary"},
		{"key-pair", "create-key-pair", "import-key-pair"},
	}
}

// take sets the flags that the user did not give from the settings of a file.
func (f *addFlags) take(flags *pflag.FlagSet, spec *groupconfig.Spec) error {
	given := map[string]bool{}
	flags.Visit(func(flag *pflag.Flag) { given[flag.Name] = true })
	for _, choice := range rivals() {
		if slices.ContainsFunc(choice, flags.Changed) {
			for _, name := range choice {
				given[name] = true
			}
		}
	}
	if !given["kubelet-config"] {
		f.inline.KubeletConfig = spec.KubeletConfig
	}
	if !given["node-config"] {
		f.inline.NodeConfig = spec.NodeConfig
	}
	var faults []error
	for _, field := range spec.Fields() {
		if field.Texts == nil || given[field.Flag] {
			continue
		}
		if err := setFlag(flags, field.Flag, field.Texts); err != nil {
			faults = append(faults, fmt.Errorf("spec.%s: %w", field.Name, err))
		}
	}
	return errors.Join(faults...)
}

// setFlag gives a flag the values that the command line did not. Lists are
// set item by item: a comma in a file is a comma.
func setFlag(flags *pflag.FlagSet, name string, texts []string) error {
	list, ok := flags.Lookup(name).Value.(pflag.SliceValue)
	if !ok {
		return flags.Set(name, texts[0])
	}
	flags.Lookup(name).Changed = true
	return list.Replace(texts)
}

// record is a request as a file: what was asked for, and today's defaults,
// which another version may have otherwise. Key pairs that are made are left
// out, as their files are on one machine only; describe names what became of
// them. It is nil for user data that is no text, which a file cannot hold.
func record(req *nodegroup.Request, flags *pflag.FlagSet) (*groupconfig.Config, error) {
	if !utf8.Valid(req.Boot.UserData) {
		return nil, nil
	}
	config := groupconfig.New(req.Name)
	config.Spec.KubeletConfig, config.Spec.NodeConfig = req.Kubelet.Config, string(req.Boot.UserData)
	for _, field := range config.Spec.Fields() {
		flag := flags.Lookup(field.Flag)
		switch {
		case field.Inline != "", field.Flag == "create-key-pair", field.Flag == "import-key-pair":
			continue
		case !flag.Changed && (!hasDefault(flag) || field.Flag == "hop-limit"): // that one's default is the template's
			continue
		}
		texts := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			texts = list.GetSlice()
		}
		if err := config.Spec.SetTexts(field.Name, texts); err != nil {
			return nil, fmt.Errorf("record the settings: %w", err)
		}
	}
	return config, nil
}

// hasDefault reports whether a flag that is not given has a value all the same.
func hasDefault(flag *pflag.Flag) bool {
	return !slices.Contains([]string{"", "0", "false", "[]", "0s"}, flag.DefValue)
}
