package nodegroup

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// UpgradeRequest is what the user asked `upgrade` for. The zero value of a
// field leaves it as the group has it.
type UpgradeRequest struct {
	Name         string
	ImageID      string
	InstanceType string
	VolumeSize   int // GiB
	VolumeType   string
	// Rollback goes back to what the launch template was before the last
	// upgrade; none of the settings above may be given with it.
	Rollback bool
	// Remade is the stack made anew, for what no parameter of it sets; nil
	// leaves its template as it is.
	Remade *Remade
	Pace   Pace
}

// Pace is how many instances are replaced at a time: Surge that come before as
// many go, and Unavailable that go before as many come.
type Pace struct {
	Surge       int `json:"surge"`
	Unavailable int `json:"maxUnavailable"`
}

// UpgradePlan is what `upgrade` will do.
type UpgradePlan struct {
	Group   string         `json:"group"`
	Cluster string         `json:"cluster"`
	Stack   snapshot.Stack `json:"stack"`
	ASGName string         `json:"autoScalingGroup"`
	// Template is the launch template, and Version the one of its versions that
	// machines are started from before the stack is changed.
	Template string `json:"launchTemplate"`
	Version  int    `json:"version"`
	// Changes are the settings of the stack that change; none when an upgrade is
	// taken up again whose stack has been changed already.
	Changes  []Difference `json:"changes,omitempty"`
	Rollback bool         `json:"rollback,omitempty"`
	// Replace are the instances that were started otherwise than they would be
	// afterwards, in the order in which they go.
	Replace []Victim `json:"replace,omitempty"`
	Keep    int      `json:"keep"` // instances that are right already
	Size    Bounds   `json:"size"` // before, and again afterwards
	Pace
	Notes     []string `json:"notes,omitempty"`
	SkipDrain bool     `json:"skipDrain,omitempty"`
	// Workload is what the drains would evict; nil: it was not read, and
	// WorkloadGap says why.
	Workload    *snapshot.Workload `json:"workload,omitempty"`
	WorkloadGap string             `json:"workloadGap,omitempty"`
	ServiceRole string             `json:"serviceRole,omitempty"` // that CloudFormation acts as
	Token       string             `json:"-"`
	// Proposed is the group as its machines will be, for the checks.
	Proposed snapshot.Group `json:"-"`

	parameters map[string]string // of the stack, that change; all of them with remade
	remade     *Remade           // whose template the stack gets; nil: it keeps its own
	tags       map[string]string // that the stack gets with it
	launches   bool              // with remade: machines will be started otherwise
	// target is the version that a rollback goes back to; nil when it is gone on
	// with, and without.
	target *snapshot.TemplateVersion
	mark   upgradeMark // that an earlier run has left on the group
}

// Nothing reports whether the group is as it should be already.
func (p *UpgradePlan) Nothing() bool {
	return len(p.Changes) == 0 && len(p.Replace) == 0 && !p.mark.set
}

// MakeUpgradePlan decides from a snapshot what an upgrade takes. versions are
// those of the group's launch template that [VersionsToRead] names, history
// the events of its stack, which only a rollback looks at.
func MakeUpgradePlan(snap *snapshot.Snapshot, versions []snapshot.TemplateVersion, history []StackEvent, req UpgradeRequest) (*UpgradePlan, error) {
	if err := req.Pace.check(); err != nil {
		return nil, err
	}
	group, stack, err := ownGroup(snap, req.Name, "upgrade")
	if err != nil {
		return nil, err
	}
	current, err := currentVersion(group, versions)
	if err != nil {
		return nil, err
	}
	mark, err := markOf(group)
	if err != nil {
		return nil, err
	}
	plan := &UpgradePlan{
		Group: req.Name, Cluster: snap.Cluster.Name, Stack: *stack, ASGName: group.ASGName,
		Template: group.Launch.TemplateID, Version: current.Number, Rollback: req.Rollback,
		Size: mark.size(group), Pace: req.Pace, mark: mark, parameters: map[string]string{},
	}
	right, err := plan.decide(snap, group, stack, current, versions, history, req)
	if err != nil {
		return nil, err
	}
	plan.Proposed = *group
	plan.Proposed.Proposed = true
	plan.Proposed.Launch = plan.launch(group.Launch)
	plan.chooseReplaced(snap, group, versions, right)
	plan.note(group)
	verb := tokenUpgrade
	if req.Rollback {
		verb = tokenRollback
	}
	plan.Token = verb + digest([]byte(stack.ID+fmt.Sprint(plan.parameters, plan.Changes)+snap.CollectedAt.String()))
	return plan, nil
}

// decide takes up what changes, and says which versions of the launch template
// are right then, as far as it can be told before the stack has made its new
// one: afterwards the versions themselves are compared.
func (p *UpgradePlan) decide(snap *snapshot.Snapshot, group *snapshot.Group, stack *snapshot.Stack, current *snapshot.TemplateVersion,
	versions []snapshot.TemplateVersion, history []StackEvent, req UpgradeRequest,
) (right func(*snapshot.TemplateVersion) bool, err error) {
	target := current
	if req.Remade != nil {
		if err := req.Remade.keepsZones(snap, group); err != nil {
			return nil, err
		}
	}
	switch {
	case req.Rollback:
		back, template, err := Rollback(group, versions, history)
		if err != nil {
			return nil, err
		}
		if back != nil {
			target = back
		}
		if err := p.goBack(stack, back, template, req.Remade); err != nil {
			return nil, err
		}
	case req.Remade != nil:
		p.remake(req.Remade, stack)
	default:
		if err := p.change(stack, req.settings()); err != nil {
			return nil, err
		}
	}
	asTarget := func(version *snapshot.TemplateVersion) bool { return version.Digest == target.Digest }
	switch {
	case len(p.Changes) == 0, p.Rollback, p.remade != nil && !p.launches:
		return asTarget, nil
	case p.remade != nil:
		return func(*snapshot.TemplateVersion) bool { return false }, nil
	}
	want := p.settings(current)
	return func(version *snapshot.TemplateVersion) bool { return maps.Equal(settingsOf(&version.Launch), want) }, nil
}

// settings are those that machines will have, by parameter of the stack.
func (p *UpgradePlan) settings(current *snapshot.TemplateVersion) map[string]string {
	launch := p.launch(current.Launch)
	return settingsOf(&launch)
}

func (p Pace) check() error {
	switch {
	case p.Surge < 0 || p.Unavailable < 0:
		return usagef("--surge and --max-unavailable cannot be less than 0")
	case p.Surge+p.Unavailable == 0:
		return usagef("--surge 0 and --max-unavailable 0 let nothing be replaced: give one of them")
	}
	return nil
}

// settings are what is asked for, by parameter of the stack.
func (r *UpgradeRequest) settings() map[string]string {
	settings := map[string]string{paramImage: r.ImageID, paramType: r.InstanceType, paramVolumeType: r.VolumeType}
	if r.VolumeSize > 0 {
		settings[paramVolumeSize] = strconv.Itoa(r.VolumeSize)
	}
	maps.DeleteFunc(settings, func(_, value string) bool { return value == "" })
	return settings
}

// settingsOf are those of a machine, by parameter of the stack.
func settingsOf(launch *snapshot.Launch) map[string]string {
	req := UpgradeRequest{ImageID: launch.ImageID, VolumeSize: launch.VolumeSizeGiB, VolumeType: launch.VolumeType}
	if len(launch.InstanceTypes) > 0 {
		req.InstanceType = launch.InstanceTypes[0]
	}
	return req.settings()
}

// settingWords name a parameter for people.
func settingWords() map[string]string {
	return map[string]string{paramImage: "image", paramType: "type", paramVolumeSize: "volume GiB", paramVolumeType: "volume type"}
}

// change takes up what the stack has otherwise.
func (p *UpgradePlan) change(stack *snapshot.Stack, settings map[string]string) error {
	for _, parameter := range slices.Sorted(maps.Keys(settings)) {
		want := settings[parameter]
		have, told := stack.Parameters[parameter]
		if told && sameValue(parameter, have, want) {
			continue
		}
		if !told {
			return fmt.Errorf("stack %s has no parameter %s: its template does not let the %s be changed", stack.Name, parameter, settingWords()[parameter])
		}
		p.parameters[parameter] = want
		p.Changes = append(p.Changes, Difference{Setting: settingWords()[parameter], Have: have, Want: want})
	}
	return nil
}

// launch is what machines will be started from.
func (p *UpgradePlan) launch(now snapshot.Launch) snapshot.Launch {
	if p.remade != nil {
		launch := p.remade.Plan.Proposed.Launch
		launch.TemplateID, launch.TemplateName, launch.TemplateVersion, launch.TemplateNumber = now.TemplateID, now.TemplateName, now.TemplateVersion, now.TemplateNumber
		return launch
	}
	now.ImageID = cmp.Or(p.parameters[paramImage], now.ImageID)
	now.VolumeType = cmp.Or(p.parameters[paramVolumeType], now.VolumeType)
	if kind := p.parameters[paramType]; kind != "" {
		now.InstanceTypes = []string{kind}
	}
	if size, err := strconv.Atoi(p.parameters[paramVolumeSize]); err == nil {
		now.VolumeSizeGiB = size
	}
	return now
}

// chooseReplaced chooses what goes.
func (p *UpgradePlan) chooseReplaced(snap *snapshot.Snapshot, group *snapshot.Group, versions []snapshot.TemplateVersion, right func(*snapshot.TemplateVersion) bool) {
	p.Replace = outdated(group, versions, right, func(member snapshot.Member) candidate {
		one, _ := candidateIn(snap, member)
		return one
	})
	for _, member := range group.Members {
		if !ending(member) {
			p.Keep++
		}
	}
	p.Keep -= len(p.Replace)
}

func (p *UpgradePlan) note(group *snapshot.Group) {
	if have := stackBounds(&p.Stack); have != p.Size {
		p.Notes = append(p.Notes, fmt.Sprintf("the stack says min %d, desired %d, max %d: somebody has changed the group behind it", have.Min, have.Desired, have.Max))
	}
	if p.mark.set {
		p.Notes = append(p.Notes, "an upgrade of the group is under way, or was stopped: this one goes on from there")
	}
	if len(p.Replace) == 0 {
		return
	}
	if pool := group.WarmPool; pool != nil && pool.Size > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("the warm pool keeps its %s of the launch template as it was: Auto Scaling replaces none of them by itself. "+
			"What the upgrade starts may come out of the pool, and is then replaced once more; end those that are left afterwards, and the pool fills up anew", machinesOf(pool.Size)))
	}
	if room := p.Size.Desired + min(p.Surge, len(p.Replace)); room > p.Size.Max {
		p.Notes = append(p.Notes, fmt.Sprintf("max is %d for as long as it goes, then %d again", room, p.Size.Max))
	}
	var guarded []string
	for _, member := range group.Members {
		if member.Protected && slices.ContainsFunc(p.Replace, func(v Victim) bool { return v.InstanceID == member.InstanceID }) {
			guarded = append(guarded, member.InstanceID)
		}
	}
	if len(guarded) > 0 {
		p.Notes = append(p.Notes, "protected from scale-in by somebody, and replaced all the same: "+strings.Join(guarded, ", "))
	}
}
