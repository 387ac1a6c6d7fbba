package ssm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// The statuses of a command in one instance, from the Systems Manager User
// Guide, "Understanding command statuses".
const (
	statusPending    = "Pending"
	statusInProgress = "InProgress"
	statusSuccess    = "Success"
	statusFailed     = "Failed"
	statusTimedOut   = "TimedOut"
)

// How much output is kept: Systems Manager API Reference, GetCommandInvocation,
// StandardOutputContent and StandardErrorContent; CommandPlugin, Output.
const (
	maxStdout       = 24_000
	maxStderr       = 8_000
	maxPluginOutput = 2_500
	truncated       = "\n--output truncated--"
)

type command struct {
	id, document, comment string
	requested, expires    time.Time
	parameters            map[string][]string
	invocations           []*invocation
}

// invocation is a command in one instance.
type invocation struct {
	command    *command
	instanceID string

	mu         sync.Mutex
	status     string
	details    string
	code       int
	out, err   string
	start, end time.Time
}

func newCommand(in sendInput, ids []string, now time.Time) *command {
	delivery := time.Hour
	if in.TimeoutSeconds > 0 {
		delivery = time.Duration(in.TimeoutSeconds) * time.Second
	}
	c := &command{
		id: awsapi.NewID(), document: in.DocumentName, comment: in.Comment,
		requested: now, expires: now.Add(delivery), parameters: in.Parameters,
	}
	for _, id := range ids {
		c.invocations = append(c.invocations, &invocation{
			command: c, instanceID: id, status: statusPending, details: statusPending, code: -1,
		})
	}
	return c
}

func (c *command) view() object {
	ids := []string{}
	for _, i := range c.invocations {
		ids = append(ids, i.instanceID)
	}
	return object{
		"CommandId": c.id, "DocumentName": c.document, "Comment": c.comment, "Parameters": c.parameters,
		"InstanceIds": ids, "Targets": []string{}, "RequestedDateTime": epoch(c.requested), "ExpiresAfter": epoch(c.expires),
		"Status": statusPending, "StatusDetails": statusPending, "TargetCount": len(ids),
		"CompletedCount": 0, "ErrorCount": 0, "DeliveryTimedOutCount": 0,
		"MaxConcurrency": "50", "MaxErrors": "0", "OutputS3BucketName": "", "OutputS3KeyPrefix": "",
	}
}

// run carries an invocation through its statuses.
func (s *Service) run(i *invocation, script string, timeout time.Duration) {
	i.set(func() {
		i.status, i.details, i.start = statusInProgress, statusInProgress, s.cfg.Now()
	})
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	result, err := s.cfg.Run(ctx, i.instanceID, script, timeout)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		result.TimedOut = true
	}
	i.set(func() { i.finish(result, err, s.cfg.Now()) })
}

func (i *invocation) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

func (i *invocation) finish(r Result, err error, now time.Time) {
	i.end, i.code = now, r.ExitCode
	i.out, i.err = cut(string(r.Stdout), maxStdout), cut(string(r.Stderr), maxStderr)
	switch {
	case r.TimedOut:
		i.status, i.details, i.code = statusTimedOut, "ExecutionTimedOut", -1
	case err != nil:
		// The node could not run the script at all.
		i.status, i.details, i.code = statusFailed, statusFailed, -1
		i.err = cut(err.Error(), maxStderr)
	case r.ExitCode != 0:
		i.status, i.details = statusFailed, statusFailed
	default:
		i.status, i.details = statusSuccess, statusSuccess
	}
}

// cut shortens text to so many characters, the note that it did included.
func cut(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	characters := []rune(text)
	if len(characters) <= limit {
		return text
	}
	return string(characters[:limit-len(truncated)]) + truncated
}

func (s *Service) getCommandInvocation(call awsapi.Call) (any, error) {
	var in struct {
		CommandID  string `json:"CommandId"`
		InstanceID string `json:"InstanceId"`
	}
	if err := decode(call, &in); err != nil {
		return nil, err
	}
	for _, i := range s.find(in.CommandID, in.InstanceID) {
		return i.view(), nil
	}
	return nil, &awsapi.Error{Code: "InvocationDoesNotExist", Message: "The command ID and managed node ID you specified did not match any invocations."}
}

// find returns the invocations of a command, an instance or both; empty means any.
func (s *Service) find(commandID, instanceID string) []*invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*invocation
	for _, c := range s.commands {
		if commandID != "" && c.id != commandID {
			continue
		}
		for _, i := range c.invocations {
			if instanceID == "" || i.instanceID == instanceID {
				out = append(out, i)
			}
		}
	}
	return out
}

func (i *invocation) view() object {
	i.mu.Lock()
	defer i.mu.Unlock()
	v := object{
		"CommandId": i.command.id, "InstanceId": i.instanceID, "Comment": i.command.comment,
		"DocumentName": i.command.document, "DocumentVersion": "", "PluginName": "aws:runShellScript",
		"ResponseCode": i.code, "Status": i.status, "StatusDetails": i.details,
		"StandardOutputContent": i.out, "StandardErrorContent": i.err,
		"StandardOutputUrl": "", "StandardErrorUrl": "",
		"ExecutionStartDateTime": "", "ExecutionEndDateTime": "", "ExecutionElapsedTime": "",
	}
	const layout = "2006-01-02T15:04:05.000Z"
	if !i.start.IsZero() {
		v["ExecutionStartDateTime"] = i.start.Format(layout)
	}
	if !i.end.IsZero() {
		v["ExecutionEndDateTime"] = i.end.Format(layout)
		v["ExecutionElapsedTime"] = fmt.Sprintf("PT%.3fS", i.end.Sub(i.start).Seconds())
	}
	return v
}

func (s *Service) listCommandInvocations(call awsapi.Call) (any, error) {
	var in struct {
		CommandID  string `json:"CommandId"`
		InstanceID string `json:"InstanceId"`
		Details    bool
	}
	if err := decode(call, &in); err != nil {
		return nil, err
	}
	list := []object{}
	for _, i := range s.find(in.CommandID, in.InstanceID) {
		list = append(list, i.listed(in.Details))
	}
	return object{"CommandInvocations": list}, nil
}

func (i *invocation) listed(details bool) object {
	i.mu.Lock()
	defer i.mu.Unlock()
	v := object{
		"CommandId": i.command.id, "InstanceId": i.instanceID, "InstanceName": "", "Comment": i.command.comment,
		"DocumentName": i.command.document, "DocumentVersion": "", "RequestedDateTime": epoch(i.command.requested),
		"Status": i.status, "StatusDetails": i.details, "StandardOutputUrl": "", "StandardErrorUrl": "",
		"CommandPlugins": []object{},
	}
	if !details {
		return v
	}
	plugin := object{
		"Name": "aws:runShellScript", "Status": i.status, "StatusDetails": i.details, "ResponseCode": i.code,
		"Output": cut(i.out+i.err, maxPluginOutput),
	}
	if !i.start.IsZero() {
		plugin["ResponseStartDateTime"] = epoch(i.start)
	}
	if !i.end.IsZero() {
		plugin["ResponseFinishDateTime"] = epoch(i.end)
	}
	v["CommandPlugins"] = []object{plugin}
	return v
}
