package front_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
)

const node = "i-0aaaaaaaaaaaaaaaa"

func TestRunCommand(t *testing.T) {
	for name, tc := range map[string]struct {
		run    func(ctx context.Context, script string) (front.CommandResult, error)
		params map[string][]string
		want   ssm.GetCommandInvocationOutput
	}{
		"success": {
			run: func(_ context.Context, script string) (front.CommandResult, error) {
				return front.CommandResult{Stdout: []byte("ran: " + script), Stderr: []byte("warn")}, nil
			},
			params: map[string][]string{"commands": {"a", "b"}, "workingDirectory": {"/it's"}},
			want: ssm.GetCommandInvocationOutput{
				Status: types.CommandInvocationStatusSuccess, ResponseCode: 0,
				StandardOutputContent: aws.String("ran: cd '/it'\\''s' || exit 1\na\nb\n"), StandardErrorContent: aws.String("warn"),
			},
		},
		"failure": {
			run: func(context.Context, string) (front.CommandResult, error) {
				return front.CommandResult{ExitCode: 3}, nil
			},
			want: ssm.GetCommandInvocationOutput{Status: types.CommandInvocationStatusFailed, ResponseCode: 3},
		},
		"broken node": {
			run: func(context.Context, string) (front.CommandResult, error) {
				return front.CommandResult{}, errors.New("no shell")
			},
			want: ssm.GetCommandInvocationOutput{Status: types.CommandInvocationStatusFailed, ResponseCode: -1, StandardErrorContent: aws.String("no shell")},
		},
		"timeout": {
			run: func(ctx context.Context, _ string) (front.CommandResult, error) {
				<-ctx.Done()
				return front.CommandResult{Stdout: []byte("so far")}, ctx.Err()
			},
			params: map[string][]string{"commands": {"sleep 60"}, "executionTimeout": {"1"}},
			want:   ssm.GetCommandInvocationOutput{Status: types.CommandInvocationStatusTimedOut, ResponseCode: -1, StandardOutputContent: aws.String("so far")},
		},
		"long output": {
			run: func(context.Context, string) (front.CommandResult, error) {
				return front.CommandResult{Stdout: []byte(strings.Repeat("é", 24_001)), Stderr: []byte(strings.Repeat("e", 8_000))}, nil
			},
			want: ssm.GetCommandInvocationOutput{
				Status:                types.CommandInvocationStatusSuccess,
				StandardOutputContent: aws.String(strings.Repeat("é", 24_000-21) + "\n--output truncated--"),
				StandardErrorContent:  aws.String(strings.Repeat("e", 8_000)),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			g := newRig(t, front.Hooks{RunCommand: func(ctx context.Context, id, script string, _ time.Duration) (front.CommandResult, error) {
				if id != node {
					t.Errorf("ran in %s", id)
				}
				<-release
				return tc.run(ctx, script)
			}})
			client := ssm.NewFromConfig(g.config())
			if tc.params == nil {
				tc.params = map[string][]string{"commands": {"true"}}
			}
			sent, err := client.SendCommand(t.Context(), &ssm.SendCommandInput{
				DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{node}, Parameters: tc.params,
			})
			if err != nil {
				t.Fatal(err)
			}
			in := &ssm.GetCommandInvocationInput{CommandId: sent.Command.CommandId, InstanceId: aws.String(node)}
			before, err := client.GetCommandInvocation(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if s := before.Status; s != types.CommandInvocationStatusPending && s != types.CommandInvocationStatusInProgress {
				t.Errorf("status at first = %s", s)
			}
			close(release)
			got := finished(t, client, in)
			if got.Status != tc.want.Status || got.ResponseCode != tc.want.ResponseCode ||
				aws.ToString(got.StandardOutputContent) != aws.ToString(tc.want.StandardOutputContent) ||
				aws.ToString(got.StandardErrorContent) != aws.ToString(tc.want.StandardErrorContent) {
				t.Errorf("status %s, code %d, %d characters out, error %q", got.Status, got.ResponseCode,
					len([]rune(aws.ToString(got.StandardOutputContent))), aws.ToString(got.StandardErrorContent))
			}
			list, err := client.ListCommandInvocations(t.Context(), &ssm.ListCommandInvocationsInput{CommandId: sent.Command.CommandId, Details: true})
			if err != nil || len(list.CommandInvocations) != 1 || list.CommandInvocations[0].Status != tc.want.Status ||
				len([]rune(*list.CommandInvocations[0].CommandPlugins[0].Output)) > 2_500 {
				t.Errorf("list = %+v, %v", list, err)
			}
		})
	}
}

// finished polls until the command has ended.
func finished(t *testing.T, client *ssm.Client, in *ssm.GetCommandInvocationInput) *ssm.GetCommandInvocationOutput {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := client.GetCommandInvocation(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if out.Status != types.CommandInvocationStatusPending && out.Status != types.CommandInvocationStatusInProgress {
			return out
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("still %s", out.Status)
		}
	}
}

func TestSendCommandRefuses(t *testing.T) {
	g := newRig(t, front.Hooks{RunCommand: runNothing})
	client := ssm.NewFromConfig(g.config())
	commands := map[string][]string{"commands": {"true"}}
	for name, tc := range map[string]struct {
		in   ssm.SendCommandInput
		want string
	}{
		"stopped instance":  {ssm.SendCommandInput{InstanceIds: []string{"i-0bbbbbbbbbbbbbbbb"}, Parameters: commands}, "InvalidInstanceId"},
		"absent instance":   {ssm.SendCommandInput{InstanceIds: []string{"i-0cccccccccccccccc"}, Parameters: commands}, "InvalidInstanceId"},
		"unknown document":  {ssm.SendCommandInput{DocumentName: aws.String("Nope"), InstanceIds: []string{node}, Parameters: commands}, "InvalidDocument"},
		"no commands":       {ssm.SendCommandInput{InstanceIds: []string{node}}, "InvalidParameters"},
		"unknown parameter": {ssm.SendCommandInput{InstanceIds: []string{node}, Parameters: map[string][]string{"commands": {"a"}, "x": {"y"}}}, "InvalidParameters"},
		"nobody":            {ssm.SendCommandInput{Parameters: commands}, "ValidationException"},
	} {
		if tc.in.DocumentName == nil {
			tc.in.DocumentName = aws.String("AWS-RunShellScript")
		}
		_, err := client.SendCommand(t.Context(), &tc.in)
		if got := codeOf(t, err); got != tc.want {
			t.Errorf("%s: code %q, want %q", name, got, tc.want)
		}
	}
}

func TestDescribeInstanceInformation(t *testing.T) {
	online := true
	g := newRig(t, front.Hooks{RunCommand: runNothing, CommandTarget: func(context.Context, string) (bool, error) { return online, nil }})
	client := ssm.NewFromConfig(g.config())
	for name, tc := range map[string]struct {
		online bool
		ids    []string
		want   int
	}{
		"running instances": {true, nil, 1},
		"by id":             {true, []string{node}, 1},
		"by another id":     {true, []string{"i-0bbbbbbbbbbbbbbbb"}, 0},
		"agent down":        {false, nil, 0},
	} {
		online = tc.online
		in := &ssm.DescribeInstanceInformationInput{}
		if tc.ids != nil {
			in.Filters = []types.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: tc.ids}}
		}
		out, err := client.DescribeInstanceInformation(t.Context(), in)
		if err != nil || len(out.InstanceInformationList) != tc.want {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}
