package nodegroup

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
)

// Plan is all that `add` will do. It is data: it can be printed, judged, and
// compared with what is there.
type Plan struct {
	Group   string `json:"group"`
	Cluster string `json:"cluster"`
	Region  string `json:"region"`
	Version string `json:"kubernetesVersion"`

	Stack    NewStack          `json:"stack"`
	UserData string            `json:"userData"`
	Image    snapshot.Image    `json:"image"`
	Subnets  []snapshot.Subnet `json:"subnets"`
	Mapping  Mapping           `json:"mapping"`
	Notes    []string          `json:"notes,omitempty"`

	KeyName   string        `json:"keyName,omitempty"`
	ImportKey string        `json:"importKey,omitempty"` // public key to import before the stack is made
	Timeout   time.Duration `json:"-"`
	NoWait    bool          `json:"-"`

	// Proposed is the group as it will be, for the checks.
	Proposed snapshot.Group `json:"-"`
	// Existing is the stack of that name, if there is one.
	Existing *snapshot.Stack `json:"existing,omitempty"`
	// Differences are what the existing stack has otherwise than asked for.
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is one setting that an existing stack has otherwise.
type Difference struct {
	Setting string `json:"setting"`
	Have    string `json:"have"`
	Want    string `json:"want"`
}

// Source is the template that was asked for, already read.
type Source struct {
	Name string // builtin, aws, a file or a URL: as the user typed it
	Body string // of a file
	URL  string
	// Summary is what GetTemplateSummary says of it; unused for builtin.
	Summary stack.Summary
}

// Builtin reports whether the template is our own.
func (s *Source) Builtin() bool { return s.Name == "" || s.Name == "builtin" }

// Make decides everything that adding the group takes. It does no IO; version
// is that of this product.
func Make(snap *snapshot.Snapshot, req *Request, source Source, version string) (*Plan, error) {
	if snap.Cluster == nil {
		return nil, errors.New("the cluster was not read")
	}
	plan := &Plan{
		Group: req.Name, Cluster: snap.Cluster.Name, Region: snap.Target.Region, Version: snap.Cluster.Version,
		Timeout: req.Timeout, NoWait: req.NoWait,
	}
	name, err := StackName(plan.Cluster, req.Name)
	if err != nil {
		return nil, err
	}
	plan.Existing = existingStack(snap, name)
	choices, err := choose(snap, req, plan.Existing)
	if err != nil {
		return nil, err
	}
	plan.Image, plan.Subnets, plan.KeyName = choices.image, choices.subnets, choices.keyName
	if req.Access.PublicKey != "" && (!Usable(plan.Existing)) {
		plan.ImportKey = req.Access.PublicKey
	}
	input, err := stackInput(snap, req, choices)
	if err != nil {
		return nil, err
	}
	if !source.Builtin() && req.Subnets.Placement == PlaceAuto {
		input.Network.PublicIP = nil // our choice, not the user's wish: the template may have its own
	}
	plan.UserData = string(input.UserData)
	if req.Family == FamilyBottlerocket && !req.Boot.NoBeacon {
		plan.Notes = append(plan.Notes, "Bottlerocket has no shell for the boot beacon: a node that does not join stays silent")
	}
	plan.Notes = append(plan.Notes, slices.Concat(hookNotes(req, input.Min), poolNotes(req))...)
	if err := plan.fill(name, input, source, req, version); err != nil {
		return nil, err
	}
	if plan.Mapping, err = planMapping(snap, roleOfPlan(plan.Existing, input)); err != nil {
		return nil, err
	}
	plan.Proposed = proposed(plan, req, input)
	plan.Differences = differences(plan)
	return plan, nil
}

// fill sets what CreateStack is called with.
func (p *Plan) fill(name string, input stack.Input, source Source, req *Request, version string) error {
	template, url, notes, err := source.template(input)
	if err != nil {
		return err
	}
	p.Notes = append(p.Notes, notes...)
	tags, err := stackTags(input, version)
	if err != nil {
		return err
	}
	p.Stack = NewStack{
		Name: name, TemplateBody: template.Body, TemplateURL: url,
		Parameters:   map[string]string{},
		Capabilities: template.Capabilities,
		Tags:         tags,
		RoleARN:      req.Stack.RoleARN, OnFailure: req.Stack.OnFailure,
	}
	for _, parameter := range template.Parameters {
		p.Stack.Parameters[parameter.Key] = parameter.Value
	}
	replaced := ""
	if p.Existing != nil && mustBeDeleted(p.Existing.Status) {
		replaced = p.Existing.ID
	}
	p.Stack.Token, err = createToken(p.Stack, replaced)
	return err
}

// template is the template with its parameters; url is set when the body
// stays where it is.
func (s *Source) template(input stack.Input) (template stack.Template, url string, notes []string, err error) {
	if s.Builtin() {
		template, err = stack.Build(input)
		if err != nil {
			return template, "", nil, fmt.Errorf("make the template: %w", err)
		}
		return template, "", nil, nil
	}
	fitted, err := stack.Fit(input, s.Summary)
	if err != nil {
		return template, "", nil, fmt.Errorf("--template %s: %w", s.Name, err)
	}
	return stack.Template{Body: s.Body, Parameters: fitted.Parameters, Capabilities: fitted.Capabilities}, s.URL, fitted.Notes, nil
}

func existingStack(snap *snapshot.Snapshot, name string) *snapshot.Stack {
	if found := snap.Stack(name); found != nil && found.Status != "DELETE_COMPLETE" {
		return found
	}
	return nil
}

// roleARN is the role of the nodes: the one asked for, else the stack's.
func (p *Plan) roleARN(stack *snapshot.Stack) string {
	if p.Mapping.RoleARN != "" {
		return p.Mapping.RoleARN
	}
	return stack.Outputs[outputRole]
}
