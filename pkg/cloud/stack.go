package cloud

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// StackInput is a stack to create.
type StackInput struct {
	Name         string
	TemplateBody string // one of TemplateBody and TemplateURL
	TemplateURL  string
	Parameters   map[string]string
	Tags         map[string]string // CloudFormation passes them on to what it makes
	Capabilities []string          // CAPABILITY_IAM …
	Token        string            // client request token: the same request twice makes one stack
	OnFailure    string            // ROLLBACK, DELETE or DO_NOTHING
	RoleARN      string            // CloudFormation's service role; empty: the caller's rights
	Timeout      time.Duration     // rounded up to minutes; zero: none
}

// CreateStack asks for the stack and returns its id. It does not wait.
func (c *Client) CreateStack(ctx context.Context, in StackInput) (string, error) {
	req := &cloudformation.CreateStackInput{
		StackName:          aws.String(in.Name),
		TemplateBody:       optional(in.TemplateBody),
		TemplateURL:        optional(in.TemplateURL),
		ClientRequestToken: optional(in.Token),
		OnFailure:          cfntypes.OnFailure(in.OnFailure),
		RoleARN:            optional(in.RoleARN),
	}
	for _, capability := range in.Capabilities {
		req.Capabilities = append(req.Capabilities, cfntypes.Capability(capability))
	}
	for _, key := range slices.Sorted(maps.Keys(in.Parameters)) {
		req.Parameters = append(req.Parameters, cfntypes.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(in.Parameters[key])})
	}
	req.Tags = stackTags(in.Tags)
	if in.Timeout > 0 {
		req.TimeoutInMinutes = aws.Int32(int32((in.Timeout + time.Minute - 1) / time.Minute))
	}
	out, err := c.cfn().CreateStack(ctx, req)
	if err != nil {
		return "", wrap(err)
	}
	return aws.ToString(out.StackId), nil
}

// StackChange is an update of a stack.
type StackChange struct {
	Name         string            // or id
	TemplateBody string            // "": the template stays
	Tags         map[string]string // nil: they stay
	Parameters   map[string]string // that change
	Keep         []string          // that keep their values
	Capabilities []string
	Token        string // client request token
	RoleARN      string
}

// UpdateStack asks for the update. A stack that is so already is an error of
// kind Unchanged. It does not wait.
func (c *Client) UpdateStack(ctx context.Context, in StackChange) error {
	req := &cloudformation.UpdateStackInput{
		StackName: aws.String(in.Name), ClientRequestToken: optional(in.Token), RoleARN: optional(in.RoleARN), Tags: stackTags(in.Tags),
	}
	if in.TemplateBody == "" {
		req.UsePreviousTemplate = aws.Bool(true)
	} else {
		req.TemplateBody = aws.String(in.TemplateBody)
	}
	for _, capability := range in.Capabilities {
		req.Capabilities = append(req.Capabilities, cfntypes.Capability(capability))
	}
	for _, key := range slices.Sorted(maps.Keys(in.Parameters)) {
		req.Parameters = append(req.Parameters, cfntypes.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(in.Parameters[key])})
	}
	for _, key := range in.Keep {
		req.Parameters = append(req.Parameters, cfntypes.Parameter{ParameterKey: aws.String(key), UsePreviousValue: aws.Bool(true)})
	}
	_, err := c.cfn().UpdateStack(ctx, req)
	return wrap(err)
}

func stackTags(tags map[string]string) []cfntypes.Tag {
	var out []cfntypes.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, cfntypes.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out
}

// DeleteStack asks for the deletion of a stack, by name or id. retain names
// resources to leave behind, allowed only after a failed deletion. token may
// be empty. Deleting a stack that does not exist is no error to AWS.
func (c *Client) DeleteStack(ctx context.Context, name, roleARN, token string, retain ...string) error {
	_, err := c.cfn().DeleteStack(ctx, &cloudformation.DeleteStackInput{
		StackName:          aws.String(name),
		ClientRequestToken: optional(token),
		RoleARN:            optional(roleARN),
		RetainResources:    retain,
	})
	return wrap(err)
}

// DescribeStack returns a stack by name or id, or nil when there is none. By
// name a deleted stack is none; by id it is still found for 90 days.
func (c *Client) DescribeStack(ctx context.Context, name string) (*snapshot.Stack, error) {
	out, err := c.cfn().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
	if err := wrap(err); err != nil {
		if IsKind(err, Absent) {
			return nil, nil
		}
		return nil, err
	}
	if len(out.Stacks) == 0 {
		return nil, nil
	}
	stack := ConvertStack(out.Stacks[0])
	return &stack, nil
}

// ConvertStack turns CloudFormation's stack into facts.
func ConvertStack(in cfntypes.Stack) snapshot.Stack {
	stack := snapshot.Stack{
		Name:                  aws.ToString(in.StackName),
		ID:                    aws.ToString(in.StackId),
		Status:                string(in.StackStatus),
		Reason:                redact.Line(aws.ToString(in.StackStatusReason)),
		CreatedAt:             aws.ToTime(in.CreationTime),
		TerminationProtection: aws.ToBool(in.EnableTerminationProtection),
		Root:                  aws.ToString(in.RootId),
		Outputs:               map[string]string{},
		Parameters:            map[string]string{},
		Tags:                  map[string]string{},
	}
	for _, output := range in.Outputs {
		stack.Outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	for _, parameter := range in.Parameters {
		stack.Parameters[aws.ToString(parameter.ParameterKey)] = aws.ToString(parameter.ParameterValue)
	}
	for _, tag := range in.Tags {
		stack.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return stack
}

// StackEvent is one event of a stack's history.
type StackEvent struct {
	ID         string
	At         time.Time
	LogicalID  string
	PhysicalID string
	Type       string // AWS::AutoScaling::AutoScalingGroup …
	Status     string // CREATE_IN_PROGRESS …
	Reason     string // one clean line
	Token      string // client request token of the operation it belongs to
}

// StackEvents returns the events of a stack after the one with id since
// (empty: all), oldest first. Only the pages that are new are read.
func (c *Client) StackEvents(ctx context.Context, stack, since string) ([]StackEvent, error) {
	pages := cloudformation.NewDescribeStackEventsPaginator(c.cfn(), &cloudformation.DescribeStackEventsInput{StackName: aws.String(stack)})
	var events []StackEvent
	for done := false; !done && pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		for _, event := range page.StackEvents {
			if done = since != "" && aws.ToString(event.EventId) == since; done {
				break
			}
			events = append(events, ConvertStackEvent(event))
		}
	}
	slices.Reverse(events) // AWS gives the newest first
	return events, nil
}

// ConvertStackEvent turns CloudFormation's event into ours.
func ConvertStackEvent(in cfntypes.StackEvent) StackEvent {
	return StackEvent{
		ID:         aws.ToString(in.EventId),
		At:         aws.ToTime(in.Timestamp),
		LogicalID:  aws.ToString(in.LogicalResourceId),
		PhysicalID: aws.ToString(in.PhysicalResourceId),
		Type:       aws.ToString(in.ResourceType),
		Status:     string(in.ResourceStatus),
		Reason:     redact.Line(aws.ToString(in.ResourceStatusReason)),
		Token:      aws.ToString(in.ClientRequestToken),
	}
}

// StackTemplate returns the template that a stack was last made or updated
// from, as it was given.
func (c *Client) StackTemplate(ctx context.Context, name string) (string, error) {
	out, err := c.cfn().GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String(name), TemplateStage: cfntypes.TemplateStageOriginal})
	if err != nil {
		return "", wrap(err)
	}
	return aws.ToString(out.TemplateBody), nil
}

// TemplateSummary is what CloudFormation says of a template.
type TemplateSummary struct {
	Parameters   []TemplateParameter
	Capabilities []string
}

// TemplateParameter is a parameter that a template declares.
type TemplateParameter struct {
	Key           string
	Type          string // String, List<AWS::EC2::Subnet::Id> …
	Default       *string
	AllowedValues []string
}

// GetTemplateSummary asks what a template takes; give body or url.
func (c *Client) GetTemplateSummary(ctx context.Context, body, url string) (TemplateSummary, error) {
	out, err := c.cfn().GetTemplateSummary(ctx, &cloudformation.GetTemplateSummaryInput{
		TemplateBody: optional(body), TemplateURL: optional(url),
	})
	if err != nil {
		return TemplateSummary{}, wrap(err)
	}
	var summary TemplateSummary
	for _, parameter := range out.Parameters {
		p := TemplateParameter{Key: aws.ToString(parameter.ParameterKey), Type: aws.ToString(parameter.ParameterType), Default: parameter.DefaultValue}
		if parameter.ParameterConstraints != nil {
			p.AllowedValues = parameter.ParameterConstraints.AllowedValues
		}
		summary.Parameters = append(summary.Parameters, p)
	}
	for _, capability := range out.Capabilities {
		summary.Capabilities = append(summary.Capabilities, string(capability))
	}
	return summary, nil
}

// StackMetadata returns the metadata of a stack's template as JSON, "" when it
// has none.
func (c *Client) StackMetadata(ctx context.Context, nameOrID string) (string, error) {
	out, err := c.cfn().GetTemplateSummary(ctx, &cloudformation.GetTemplateSummaryInput{StackName: aws.String(nameOrID)})
	if err != nil {
		return "", wrap(err)
	}
	return aws.ToString(out.Metadata), nil
}

// optional is nil for "".
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return aws.String(s)
}
