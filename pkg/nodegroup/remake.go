package nodegroup

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// Remade is the stack of a group that stands, made anew of a config: what
// `upgrade` does to settings that no parameter of the stack holds.
type Remade struct {
	// Plan is what `add` would make of the config today.
	Plan *Plan
	// Settings are what the config has otherwise than the group.
	Settings []Difference
	// Compared is the plan's template beside the stack's.
	Compared stack.Comparison

	had groupconfig.Spec // the group's settings up to now
}

// KeptSettings are the configs that a stack's template keeps: what the group
// is made of, and what it was made of before the template was last changed.
type KeptSettings struct {
	Now, Before *groupconfig.Config // nil: it keeps none
}

// ReadKeptSettings takes the configs out of a template's metadata and brings
// the current one up to date with the stack's parameters and the group's sizes.
func ReadKeptSettings(metadata string, stack *snapshot.Stack, group *snapshot.Group) (KeptSettings, error) {
	var kept KeptSettings
	recorded, err := RecordedConfig(metadata)
	if err == nil && recorded != nil {
		kept.Now, err = CurrentConfig(recorded, stack)
	}
	if err == nil && kept.Now != nil {
		var mark upgradeMark
		mark, err = markOf(group)
		size, spec := mark.size(group), &kept.Now.Spec
		spec.Min, spec.Desired, spec.Max = &size.Min, &size.Desired, &size.Max
	}
	if err != nil {
		return kept, fmt.Errorf("stack %s: %w", stack.Name, err)
	}
	if kept.Before, err = configIn(metadata, metadataBefore); err != nil {
		return kept, fmt.Errorf("stack %s: %w", stack.Name, err)
	}
	return kept, nil
}

// fixed are the settings that an upgrade leaves alone, with the reason.
func fixed() map[string]string {
	const mapping = "another role takes another mapping"
	return map[string]string{
		"role": mapping, "instanceProfile": mapping, "permissionsBoundary": "the role stays as it is",
		"amiFamily": "another family takes other user data, volumes and checks", "template": "the group keeps the template it is made of",
		"isolatedSg": "running machines would lose the rules they live by",
	}
}

// Adjust fits a config that was asked for to the group that stands: sizes are
// those of the group, as they are scale's to change. notes say what of the
// config was left alone. It is an error to ask for what an upgrade cannot do.
func Adjust(have, want *groupconfig.Config) (out *groupconfig.Config, notes []string, err error) {
	if want.Metadata.Name != have.Metadata.Name {
		return nil, nil, usagef("the settings are of node group %q, not of %q", want.Metadata.Name, have.Metadata.Name)
	}
	adjusted := *want
	spec := &adjusted.Spec
	for _, size := range []struct {
		name string
		have *int
		want **int
	}{{"min", have.Spec.Min, &spec.Min}, {"desired", have.Spec.Desired, &spec.Desired}, {"max", have.Spec.Max, &spec.Max}} {
		if *size.want != nil && size.have != nil && **size.want != *size.have {
			notes = append(notes, fmt.Sprintf("%s stays %d, and does not become %d: that is what scale is for", size.name, *size.have, **size.want))
		}
		*size.want = size.have
	}
	changes, err := groupconfig.Changes(&have.Spec, spec)
	if err != nil {
		return nil, nil, err
	}
	var faults []error
	if spec.CreateKeyPair+spec.ImportKeyPair != "" {
		faults = append(faults, usagef("an upgrade makes no key pair: name one by keyPair"))
	}
	for _, change := range changes {
		if why := fixed()[change.Name]; why != "" && !sameMeaning(change) {
			faults = append(faults, usagef("%s cannot change from %q to %q, as %s: add a group beside and delete this one", change.Name, change.Have, change.Want, why))
		}
	}
	return &adjusted, notes, errors.Join(faults...)
}

// sameMeaning reports whether a change is one of spelling: between what add does
// unasked and saying so, or between a name and the ARN with that name.
func sameMeaning(change groupconfig.Change) bool {
	if change.Name == "role" || change.Name == "instanceProfile" {
		return nameInARN(change.Have) == nameInARN(change.Want)
	}
	unasked := map[string]string{"amiFamily": string(FamilyAL2023), "template": "builtin", "isolatedSg": "false"}[change.Name]
	return cmp.Or(change.Have, unasked) == cmp.Or(change.Want, unasked)
}

// Remake plans the group's stack anew of a request that was made of a config.
// body is the template that the stack has.
func Remake(snap *snapshot.Snapshot, req *Request, kept KeptSettings, body, version string) (*Remade, error) {
	if req.Config == nil {
		return nil, errors.New("user data that is no text cannot be kept in the stack: add a group beside and delete this one")
	}
	seen := *snap // a role that machines act as keeps its policies
	policy := strings.Contains(body, "AmazonEKS_CNI_Policy")
	seen.Kube.CNIPolicyOnNode = &policy
	remade := &Remade{had: kept.Now.Spec}
	// What machines were started from before is of use as long as they are: a
	// change that starts none otherwise does not take its place.
	for _, before := range []*groupconfig.Config{kept.Now, kept.Before} {
		if err := remade.make(&seen, req, before, body, version); err != nil {
			return nil, err
		}
		if remade.Compared.Launch {
			break
		}
	}
	if gone := remade.Compared.Gone; len(gone) > 0 {
		return nil, fmt.Errorf("the change would take away %s, which running machines or others may still use: add a group beside and delete this one", strings.Join(gone, ", "))
	}
	changes, err := groupconfig.Changes(&kept.Now.Spec, &req.Config.Spec)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		if !slices.Contains([]string{"ami", "min", "desired", "max", "onFailure", "roleArn"}, change.Name) && !sameMeaning(change) {
			remade.Settings = append(remade.Settings, Difference{Setting: change.Name, Have: change.Have, Want: change.Want})
		}
	}
	return remade, nil
}

// make plans the stack with the settings of before kept in it, if the template
// has room for them. It is an error when there is none for those of now, since
// nobody could change or take up again what comes of it.
func (r *Remade) make(snap *snapshot.Snapshot, req *Request, before *groupconfig.Config, body, version string) error {
	req.Before = before
	for {
		plan, err := Make(snap, req, Source{}, version)
		if err != nil {
			return err
		}
		keeps, err := stack.Keeps(plan.Stack.TemplateBody, metadataConfig)
		switch {
		case err != nil:
			return err
		case !keeps && req.Before == nil:
			return errors.New("the template gets too large to keep the group's settings: shorten boot commands or user data, or add a group beside and delete this one")
		case !keeps:
			req.Before = nil
			continue
		}
		if before != nil && req.Before == nil {
			plan.Notes = append(plan.Notes, "the template has no room for the settings of before: keep their file, --rollback will not know them")
		}
		r.Plan = plan
		r.Compared, err = stack.Compare(body, plan.Stack.TemplateBody)
		return err
	}
}

// keepsZones refuses subnets that leave out a zone in which the group has
// machines: Auto Scaling would end them undrained.
func (r *Remade) keepsZones(snap *snapshot.Snapshot, group *snapshot.Group) error {
	for _, member := range group.Members {
		one, _ := candidateIn(snap, member)
		zone := one.Zone
		if zone != "" && !ending(member) && !slices.ContainsFunc(r.Plan.Subnets, func(s snapshot.Subnet) bool { return s.Zone == zone }) {
			return fmt.Errorf("the subnets leave out %s, where the group has machines, which Auto Scaling would end undrained: name a subnet there too, or add a group beside and delete this one", zone)
		}
	}
	return nil
}

// remake takes up what the stack made anew has otherwise.
func (p *UpgradePlan) remake(remade *Remade, existing *snapshot.Stack) {
	wanted := maps.Clone(remade.Plan.Stack.Parameters)
	for parameter := range sizeParameters(Bounds{}) {
		delete(wanted, parameter)
	}
	launches := remade.Compared.Launch
	var rest []Difference
	for _, parameter := range slices.Sorted(maps.Keys(wanted)) {
		have, told := existing.Parameters[parameter]
		if told && sameValue(parameter, have, wanted[parameter]) {
			continue
		}
		p.parameters[parameter] = wanted[parameter]
		launches = launches || parameter != "Subnets"
		setting := cmp.Or(settingWords()[parameter], parameter)
		if !slices.ContainsFunc(remade.Settings, func(d Difference) bool { return d.Setting == configNames()[parameter] }) {
			rest = append(rest, Difference{Setting: setting, Have: have, Want: wanted[parameter]})
		}
	}
	if remade.Compared.Same && len(p.parameters) == 0 {
		return
	}
	p.Changes = slices.Concat(rest, remade.Settings)
	if len(p.Changes) == 0 {
		p.Changes = []Difference{{Setting: "template", Have: "as version " + cmp.Or(existing.Tags[product.TagVersion], "?") + " writes it", Want: "as this version does"}}
	}
	p.Notes = append(p.Notes, remade.Plan.Notes...)
	p.remade, p.parameters, p.launches = remade, wanted, launches
	p.tags = remade.tags(existing)
}

// tags are what the stack gets: those of others stay, as an update with tags
// takes all away that it does not name.
func (r *Remade) tags(existing *snapshot.Stack) map[string]string {
	tags := maps.Clone(existing.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	for key := range r.had.Tags {
		delete(tags, key)
	}
	maps.Copy(tags, r.Plan.Stack.Tags)
	return tags
}

// configNames name a parameter as a config does.
func configNames() map[string]string {
	return map[string]string{
		paramType: "instanceType", paramVolumeSize: "volumeSize", paramVolumeType: "volumeType", "KeyName": "keyPair", "Subnets": "subnets",
	}
}
