package ssm

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

const runShellScript = "AWS-RunShellScript"

// defaultExecution is the document's own executionTimeout.
const defaultExecution = time.Hour

type sendInput struct {
	DocumentName   string
	InstanceIDs    []string `json:"InstanceIds"`
	Targets        []target
	Parameters     map[string][]string
	Comment        string
	TimeoutSeconds int
}

type target struct {
	Key    string
	Values []string
}

func (s *Service) sendCommand(ctx context.Context, call awsapi.Call) (any, error) {
	var in sendInput
	if err := decode(call, &in); err != nil {
		return nil, err
	}
	script, timeout, err := scriptOf(in)
	if err != nil {
		return nil, err
	}
	ids, err := s.targets(ctx, call, in)
	if err != nil {
		return nil, err
	}
	c := newCommand(in, ids, s.cfg.Now())
	s.mu.Lock()
	s.commands = append(s.commands, c)
	s.mu.Unlock()
	answer := object{"Command": c.view()}
	for _, i := range c.invocations {
		s.running.Go(func() { s.run(i, script, timeout) })
	}
	return answer, nil
}

// scriptOf makes the script that the document would run, and how long it may.
func scriptOf(in sendInput) (script string, timeout time.Duration, err error) {
	if in.DocumentName != runShellScript && !strings.HasSuffix(in.DocumentName, ":document/"+runShellScript) {
		return "", 0, &awsapi.Error{Code: "InvalidDocument", Message: "the specified document does not exist"}
	}
	timeout = defaultExecution
	for name, values := range in.Parameters {
		switch name {
		case "commands":
			script += strings.Join(values, "\n") + "\n"
		case "workingDirectory":
			if len(values) > 0 && values[0] != "" {
				script = "cd '" + strings.ReplaceAll(values[0], "'", `'\''`) + "' || exit 1\n" + script
			}
		case "executionTimeout":
			seconds, convErr := strconv.Atoi(strings.Join(values, ""))
			if convErr != nil || seconds < 1 || seconds > 172800 {
				return "", 0, invalidParameters("executionTimeout must be 1 to 172800 seconds")
			}
			timeout = time.Duration(seconds) * time.Second
		default:
			return "", 0, invalidParameters("parameter " + name + " is not supported by the document")
		}
	}
	if len(in.Parameters["commands"]) == 0 {
		return "", 0, invalidParameters("parameter commands is required")
	}
	if in.TimeoutSeconds != 0 && (in.TimeoutSeconds < 30 || in.TimeoutSeconds > 2592000) {
		return "", 0, &awsapi.Error{Code: "ValidationException", Message: "timeoutSeconds must be 30 to 2592000"}
	}
	return script, timeout, nil
}

func invalidParameters(message string) *awsapi.Error {
	return &awsapi.Error{Code: "InvalidParameters", Message: message}
}

// targets returns the ids of the instances that a command is for. Instances
// that are named must all be online; those found by tags are taken as they are.
func (s *Service) targets(ctx context.Context, call awsapi.Call, in sendInput) ([]string, error) {
	named := slices.Clone(in.InstanceIDs)
	filters := map[string][]string{}
	for _, t := range in.Targets {
		switch {
		case t.Key == "InstanceIds" || t.Key == "instanceids":
			named = append(named, t.Values...)
		case strings.HasPrefix(t.Key, "tag:"):
			filters[t.Key] = t.Values
		default:
			return nil, awsapi.NotImplemented(call, "it targets InstanceIds and tags only")
		}
	}
	if len(named) == 0 && len(filters) == 0 {
		return nil, &awsapi.Error{Code: "ValidationException", Message: "instanceIds or targets are required"}
	}
	online, err := s.online(ctx, filters)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range online {
		if len(named) == 0 || slices.Contains(named, i.ID) {
			ids = append(ids, i.ID)
		}
	}
	for _, id := range in.InstanceIDs {
		if !slices.Contains(ids, id) {
			return nil, &awsapi.Error{
				Code:    "InvalidInstanceId",
				Message: fmt.Sprintf("Instances [[%s]] not in a valid state for account %s", id, s.cfg.Account),
			}
		}
	}
	return ids, nil
}
