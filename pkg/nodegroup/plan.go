package nodegroup

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
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

// choices are what the user left open and the snapshot decides.
type choices struct {
	image    snapshot.Image
	kind     *snapshot.InstanceType
	subnets  []snapshot.Subnet
	publicIP *bool
	keyName  string
}

// choose decides. What an existing stack has is kept where the user named
// nothing: a newer AMI or a new subnet is no reason to differ.
func choose(snap *snapshot.Snapshot, req *Request, existing *snapshot.Stack) (choices, error) {
	var out choices
	imageID := req.ImageID
	subnets := req.Subnets
	if Usable(existing) {
		imageID, subnets = keep(req, existing)
	}
	image, err := chooseImage(snap, imageID)
	if err != nil {
		return out, err
	}
	out.image = *image
	out.kind = snap.Catalog.InstanceType(req.InstanceType)
	if out.subnets, out.publicIP, err = chooseSubnets(snap, subnets); err != nil {
		return out, err
	}
	out.keyName = req.Access.Name
	switch {
	case req.Access.CreateFile != "" && Usable(existing):
		out.keyName = existing.Parameters["KeyName"] // made by an earlier run
	case req.Access.PublicKey != "":
		out.keyName = keyPairName(snap.Cluster.Name, req.Name, req.Access.PublicKey)
	}
	return out, nil
}

// keptImage is the image of an existing stack, "" when it does not say.
func keptImage(existing *snapshot.Stack) string { return existing.Parameters["NodeImageId"] }

// keep returns the user's choice of image and subnets, else the stack's.
func keep(req *Request, existing *snapshot.Stack) (imageID string, subnets SubnetChoice) {
	imageID, subnets = req.ImageID, req.Subnets
	if imageID == "" {
		imageID = keptImage(existing)
	}
	if value := existing.Parameters["Subnets"]; value != "" && len(subnets.IDs) == 0 && len(subnets.Tags) == 0 {
		subnets.IDs = strings.Split(value, ",")
	}
	return imageID, subnets
}

// ImageToRead returns the image id that a plan for the request will want: the
// user's, else the existing stack's, else "" for the newest of the family.
func ImageToRead(req *Request, existing *snapshot.Stack) string {
	if req.ImageID == "" && Usable(existing) {
		return keptImage(existing)
	}
	return req.ImageID
}

func chooseImage(snap *snapshot.Snapshot, id string) (*snapshot.Image, error) {
	if id != "" {
		if image := snap.Catalog.Image(id); image != nil {
			return image, nil
		}
		return &snapshot.Image{ID: id}, nil // the checks say that it does not exist
	}
	if len(snap.Catalog.Images) == 0 {
		if gap, missing := snap.Gap(snapshot.SectionImages, ""); missing {
			return nil, fmt.Errorf("look up the AMI: %s; name one by --ami", gap.Detail)
		}
		return nil, errors.New("no AMI was found for the cluster's version: name one by --ami")
	}
	return &snap.Catalog.Images[0], nil
}

// keyPairName is the name of a key pair made for a group. It holds a digest
// of the key, so that a key pair of that name is always this key.
func keyPairName(cluster, group, publicKey string) string {
	return fmt.Sprintf("%s-%s-%s-%.8s", product.PluginName, cluster, group, digest([]byte(publicKey)))
}

// stackInput is the request in the words of package stack.
func stackInput(snap *snapshot.Snapshot, req *Request, chosen choices) (stack.Input, error) {
	smallest, largest, desired, err := req.Size.Sizes()
	if err != nil {
		return stack.Input{}, err
	}
	role, err := stackRole(snap, req)
	if err != nil {
		return stack.Input{}, err
	}
	cluster := snap.Cluster
	boot := bootConfig(cluster, req)
	text, err := render(req.Family, boot)
	if err != nil {
		return stack.Input{}, fmt.Errorf("user data: %w", err)
	}
	return stack.Input{
		Group: req.Name, Family: stack.Family(req.Family), Boot: boot, UserData: text,
		ClusterSecurityGroup: cluster.ClusterSGID, AuthenticationMode: string(cluster.AuthMode),
		VPC: cluster.VPCID, Subnets: subnetIDs(chosen.subnets), IPv6: cluster.IPFamily == "ipv6",
		Min: smallest, Desired: desired, Max: largest,
		InstanceType: req.InstanceType, ImageID: chosen.image.ID, ImageSSMParam: chosen.image.SSMParameter, KeyName: chosen.keyName,
		Volume: stack.Volume{SizeGiB: req.Volume.SizeGiB, Type: req.Volume.Type, IOPS: req.Volume.IOPS, Throughput: req.Volume.Throughput,
			Encrypted: req.Volume.Encrypted, KMSKey: req.Volume.KMSKeyID},
		Role: role,
		Network: stack.Network{Isolated: req.Network.Isolated, SecurityGroups: req.Network.SecurityGroups,
			Ingress: sshRules(req.Network.SSHFrom), PublicIP: chosen.publicIP},
		HopLimit: req.Network.HopLimit,
		Tags:     req.Tags, AutoscalerTags: req.AutoscalerTags,
	}, nil
}

// sshRules let ranges reach port 22.
func sshRules(ranges []string) []stack.Rule {
	var rules []stack.Rule
	for _, cidr := range ranges {
		rules = append(rules, stack.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: cidr, Description: "SSH"})
	}
	return rules
}

func bootConfig(cluster *snapshot.Cluster, req *Request) userdata.Config {
	labels := maps.Clone(req.Kubelet.Labels)
	if req.Family != FamilyCustom || len(req.Boot.UserData) == 0 { // else nobody is there to set it
		if labels == nil {
			labels = map[string]string{}
		}
		labels[stack.LabelNodegroup] = req.Name
	}
	config := userdata.Config{
		Cluster: userdata.Cluster{
			Name: cluster.Name, Endpoint: cluster.Endpoint,
			CA: base64.StdEncoding.EncodeToString([]byte(cluster.CA)), CIDR: cluster.ServiceCIDR,
		},
		Labels: labels, Taints: req.Kubelet.Taints,
		MaxPods: req.Kubelet.MaxPods, KubeletConfig: req.Kubelet.Config,
		PreBootstrap: req.Boot.Before, PostBootstrap: req.Boot.After,
	}
	if len(req.Boot.UserData) > 0 {
		config.User = [][]byte{req.Boot.UserData}
	}
	if !req.Boot.NoBeacon && req.Family != FamilyBottlerocket {
		config.BeaconDelay = req.Boot.BeaconDelay
	}
	return config
}

func render(family Family, config userdata.Config) ([]byte, error) {
	switch family {
	case FamilyBottlerocket:
		return userdata.Bottlerocket(config)
	case FamilyCustom:
		return userdata.Custom(config)
	}
	return userdata.AL2023(config)
}

// stackRole says which role the nodes get.
func stackRole(snap *snapshot.Snapshot, req *Request) (stack.Role, error) {
	id := req.Identity
	role := stack.Role{
		Boundary:  id.PermissionsBoundary,
		CNIPolicy: snap.Kube.CNIPolicyOnNode == nil || *snap.Kube.CNIPolicyOnNode,
	}
	if id.Role == "" && id.InstanceProfile == "" {
		return role, nil
	}
	for i := range snap.Roles {
		found := &snap.Roles[i]
		if named(id.Role, found.ARN, found.Name) {
			role.ARN = found.ARN
			return role, nil
		}
		for _, profile := range found.InstanceProfiles {
			if named(id.InstanceProfile, profile, nameInARN(profile)) {
				role.ARN, role.ProfileARN = found.ARN, profile
				return role, nil
			}
		}
	}
	if gap, missing := snap.Gap(snapshot.SectionRoles, ""); missing {
		return role, fmt.Errorf("read the nodes' role: %s", gap.Detail)
	}
	return role, fmt.Errorf("IAM has no role %q%s: aws iam list-roles shows those there are", id.Role+id.InstanceProfile,
		map[bool]string{true: " in an instance profile of that name"}[id.InstanceProfile != ""])
}

// named reports whether what the user typed is the ARN or the name.
func named(typed, arn, name string) bool { return typed != "" && (typed == arn || typed == name) }

// roleOfPlan is the role as far as it is known: the user's, else that of a
// stack that stands.
func roleOfPlan(existing *snapshot.Stack, input stack.Input) string {
	if input.Role.ARN == "" && Usable(existing) {
		return existing.Outputs[outputRole]
	}
	return input.Role.ARN
}

// nameInARN is the last part of an ARN's path.
func nameInARN(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// planMapping says how the role will be let in. A map that cannot be edited
// is an error now, before anything is made.
func planMapping(snap *snapshot.Snapshot, roleARN string) (Mapping, error) {
	mapping := Mapping{Kind: mappingKind(snap.Cluster.AuthMode), RoleARN: roleARN}
	if mapping.Kind == MapEntry {
		for _, entry := range snap.Access.Entries {
			if roleARN != "" && entry.PrincipalARN == roleARN && entry.Type == EntryType {
				mapping.Done = true
			}
		}
		return mapping, nil
	}
	if gap, missing := snap.Gap(snapshot.SectionAwsAuth, ""); missing {
		return mapping, fmt.Errorf("read aws-auth: %s", gap.Detail)
	}
	if roleARN == "" {
		roleARN = fmt.Sprintf("arn:%s:iam::%s:role/MADE-BY-THE-STACK", snap.Target.Partition, snap.Target.AccountID)
	}
	var data map[string]string
	if snap.Access.AwsAuth != nil {
		data = snap.Access.AwsAuth.Data
	}
	edit, err := authmap.AddRole(data, authmap.NodeEntry(roleARN))
	if err != nil {
		return mapping, fmt.Errorf("aws-auth: %w", err)
	}
	mapping.Done, mapping.Diff = !edit.Changed(), edit.Diff()
	return mapping, nil
}

// roleARN is the role of the nodes: the one asked for, else the stack's.
func (p *Plan) roleARN(stack *snapshot.Stack) string {
	if p.Mapping.RoleARN != "" {
		return p.Mapping.RoleARN
	}
	return stack.Outputs[outputRole]
}
