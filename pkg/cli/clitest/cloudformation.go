package clitest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

func (w *World) cloudformation(operation string, form url.Values) answer {
	name := form.Get("StackName")
	if operation == "DescribeStacks" && name == "" {
		return w.allStacks()
	}
	s := w.stackNamed(name)
	if s == nil {
		if operation == "CreateStack" {
			return w.createStack(name, form)
		}
		return refuse("cloudformation", http.StatusBadRequest, "ValidationError", "Stack with id "+name+" does not exist")
	}
	switch operation {
	case "CreateStack":
		return refuse("cloudformation", http.StatusBadRequest, "AlreadyExistsException", "Stack ["+name+"] already exists")
	case "GetTemplate":
		return wrapped(operation, "<TemplateBody>%s</TemplateBody>", cmp.Or(w.template, html.EscapeString(s.body)))
	case "DescribeStacks":
		return wrapped(operation, "<Stacks>%s</Stacks>", s.xml())
	case "DescribeStackEvents":
		w.nextEvent(s)
		var out strings.Builder
		for i := len(s.events) - 1; i >= 0; i-- {
			out.WriteString(s.eventXML(s.events[i]))
		}
		return wrapped(operation, "<StackEvents>%s</StackEvents>", out.String())
	case "ListStackResources":
		return clusterResources()
	case "GetTemplateSummary":
		return s.summary()
	case "UpdateStack":
		return w.updateStack(form)
	case "DeleteStack":
		return w.deleteStack(s)
	}
	return unknown("cloudformation", operation)
}

func (w *World) deleteStack(s *stack) answer {
	s.deleting = true
	s.status = "DELETE_IN_PROGRESS"
	s.come("DELETE_IN_PROGRESS", "", s.name)
	if s == w.ending.stack {
		s.come("DELETE_COMPLETE", "", "ControlPlane", s.name)
		return wrapped("DeleteStack", "")
	}
	s.come("DELETE_COMPLETE", "", "NodeGroup")
	if w.blocked {
		s.come("DELETE_FAILED", "resource sg-0blocked has a dependent object", "NodeSecurityGroup")
		s.come("DELETE_FAILED", "The following resource(s) failed to delete: [NodeSecurityGroup].", s.name)
		return wrapped("DeleteStack", "")
	}
	s.come("DELETE_COMPLETE", "", "NodeInstanceRole", s.name)
	return wrapped("DeleteStack", "")
}

// summary tells the metadata of a template.
func (s *stack) summary() answer {
	var template struct {
		Metadata json.RawMessage `json:"Metadata"`
	}
	if err := yaml.Unmarshal([]byte(s.body), &template); err != nil {
		return answer{http.StatusInternalServerError, err.Error()}
	}
	metadata := ""
	if template.Metadata != nil {
		metadata = "<Metadata>" + html.EscapeString(string(template.Metadata)) + "</Metadata>"
	}
	return wrapped("GetTemplateSummary", "%s", metadata)
}

// updateStack changes template, tags and parameters and, at the end of it, the
// group's sizes.
func (w *World) updateStack(form url.Values) answer {
	s, changed := w.stack, false
	if body := form.Get("TemplateBody"); body != "" && body != s.body {
		s.body, changed = body, true
	}
	if form.Has("Tags.member.1.Key") {
		clear(s.tags) // tags that are not named go
	}
	for i := 1; form.Has(fmt.Sprintf("Tags.member.%d.Key", i)); i++ {
		s.tags[form.Get(fmt.Sprintf("Tags.member.%d.Key", i))] = form.Get(fmt.Sprintf("Tags.member.%d.Value", i))
	}
	for i := 1; form.Has(fmt.Sprintf("Parameters.member.%d.ParameterKey", i)); i++ {
		prefix := fmt.Sprintf("Parameters.member.%d.", i)
		key, value := form.Get(prefix+"ParameterKey"), form.Get(prefix+"ParameterValue")
		if form.Get(prefix+"UsePreviousValue") != "true" && s.parameters[key] != value {
			s.parameters[key], changed = value, true
		}
	}
	if !changed {
		return refuse("cloudformation", http.StatusBadRequest, "ValidationError", "No updates are to be performed.")
	}
	s.status, s.token = "UPDATE_IN_PROGRESS", form.Get("ClientRequestToken")
	s.come("UPDATE_IN_PROGRESS", "User Initiated", s.name)
	s.come("UPDATE_IN_PROGRESS", "", "NodeGroup")
	s.come("UPDATE_COMPLETE", "", "NodeGroup")
	s.come("UPDATE_COMPLETE", "", s.name)
	return wrapped("UpdateStack", "<StackId>%s</StackId>", s.id)
}

func (w *World) createStack(name string, form url.Values) answer {
	s := &stack{name: name, status: "CREATE_IN_PROGRESS", body: form.Get("TemplateBody"), token: form.Get("ClientRequestToken"), parameters: map[string]string{}, tags: map[string]string{}}
	s.id = fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/%d", Region, Account, name, len(w.calls))
	for i := 1; form.Has(fmt.Sprintf("Parameters.member.%d.ParameterKey", i)); i++ {
		prefix := fmt.Sprintf("Parameters.member.%d.", i)
		s.parameters[form.Get(prefix+"ParameterKey")] = form.Get(prefix + "ParameterValue")
	}
	for i := 1; form.Has(fmt.Sprintf("Tags.member.%d.Key", i)); i++ {
		s.tags[form.Get(fmt.Sprintf("Tags.member.%d.Key", i))] = form.Get(fmt.Sprintf("Tags.member.%d.Value", i))
	}
	s.come("CREATE_IN_PROGRESS", "", name)
	for _, resource := range []string{"NodeInstanceRole", "NodeLaunchTemplate", "NodeGroup"} {
		s.come("CREATE_IN_PROGRESS", "", resource)
		if resource == w.failing {
			s.come("CREATE_FAILED", w.reason, resource)
			s.come("ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: ["+resource+"].", name)
			s.come("ROLLBACK_COMPLETE", "", name)
			break
		}
		s.come("CREATE_COMPLETE", "", resource)
	}
	if w.failing == "" {
		s.come("CREATE_COMPLETE", "", name)
	}
	w.stack = s
	return wrapped("CreateStack", "<StackId>%s</StackId>", s.id)
}

func (s *stack) come(status, reason string, resources ...string) {
	for _, resource := range resources {
		kind := "AWS::IAM::Role"
		switch resource {
		case s.name:
			kind = "AWS::CloudFormation::Stack"
		case "NodeSecurityGroup":
			kind = "AWS::EC2::SecurityGroup"
		}
		s.coming = append(s.coming, event{strconv.Itoa(len(s.events) + len(s.coming)), resource, kind, status, reason, s.token})
	}
}

// nextEvent lets one thing happen.
func (w *World) nextEvent(s *stack) {
	if len(s.coming) == 0 || w.frozen && len(s.events) > 2 {
		return
	}
	next := s.coming[0]
	s.events, s.coming = append(s.events, next), s.coming[1:]
	if next.resource == s.name {
		s.status = next.status
	}
	switch {
	case next.resource == "ControlPlane" && next.status == "DELETE_COMPLETE":
		w.ending.state = clusterGone
	case next.resource == "NodeGroup" && next.status == "CREATE_COMPLETE":
		number := func(key string) int { n, _ := strconv.Atoi(s.parameters[key]); return n }
		w.group = &group{name: s.name + "-NodeGroup-1A2B3C", tags: map[string]string{"kubernetes.io/cluster/demo": "owned",
			"aws:cloudformation:stack-name": s.name, "aws:cloudformation:stack-id": s.id},
			min: number("NodeAutoScalingGroupMinSize"), desired: number("NodeAutoScalingGroupDesiredCapacity"), max: number("NodeAutoScalingGroupMaxSize")}
		for key, value := range s.tags {
			w.group.tags[key] = value
		}
		w.newVersion()
	case next.resource == "NodeGroup" && next.status == "UPDATE_COMPLETE":
		number := func(key string) int { n, _ := strconv.Atoi(s.parameters[key]); return n }
		w.group.min, w.group.desired, w.group.max = number("NodeAutoScalingGroupMinSize"), number("NodeAutoScalingGroupDesiredCapacity"), number("NodeAutoScalingGroupMaxSize")
		w.newVersion()
		w.shrink()
	case next.resource == "NodeGroup" && next.status == "DELETE_COMPLETE":
		w.group, w.instances, w.launched, w.versions = nil, nil, 0, nil
		if !w.keepNodes {
			clear(w.nodes)
		}
		w.touch()
	}
}

func (s *stack) xml() string {
	var parameters, tags, outputs strings.Builder
	for key, value := range s.parameters {
		fmt.Fprintf(&parameters, "<member><ParameterKey>%s</ParameterKey><ParameterValue>%s</ParameterValue></member>", key, html.EscapeString(value))
	}
	for key, value := range s.tags {
		fmt.Fprintf(&tags, "<member><Key>%s</Key><Value>%s</Value></member>", key, html.EscapeString(value))
	}
	if s.status == "CREATE_COMPLETE" || s.status == "UPDATE_COMPLETE" || strings.HasPrefix(s.status, "DELETE_") {
		for key, value := range map[string]string{"NodeInstanceRole": roleARN, "NodeAutoScalingGroup": s.name + "-NodeGroup-1A2B3C", "NodeSecurityGroup": "sg-1"} {
			fmt.Fprintf(&outputs, "<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>", key, value)
		}
	}
	return fmt.Sprintf(`<member><StackName>%s</StackName><StackId>%s</StackId><StackStatus>%s</StackStatus><CreationTime>2026-11-01T10:00:00Z</CreationTime>
<Parameters>%s</Parameters><Tags>%s</Tags><Outputs>%s</Outputs></member>`, s.name, s.id, s.status, parameters.String(), tags.String(), outputs.String())
}

func (s *stack) eventXML(e event) string {
	physical := e.resource + "-1"
	switch e.resource {
	case s.name:
		physical = s.id
	case "NodeSecurityGroup":
		physical = "sg-0blocked"
	}
	return fmt.Sprintf(`<member><EventId>%s</EventId><StackId>%s</StackId><StackName>%s</StackName><LogicalResourceId>%s</LogicalResourceId>
<PhysicalResourceId>%s</PhysicalResourceId><ResourceType>%s</ResourceType><Timestamp>2026-11-01T10:00:00Z</Timestamp>
<ResourceStatus>%s</ResourceStatus><ResourceStatusReason>%s</ResourceStatusReason><ClientRequestToken>%s</ClientRequestToken></member>`,
		e.id, s.id, s.name, e.resource, physical, e.kind, e.status, html.EscapeString(e.reason), e.token)
}
