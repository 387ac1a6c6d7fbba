package ssm

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/backend"
)

// Instances lists EC2 instances.
type Instances interface {
	Instances(ctx context.Context, filters map[string][]string) ([]backend.Instance, error)
}

// Config is what a Service needs.
type Config struct {
	Account   string
	Instances Instances
	// Run runs a script in an instance; nil makes Run Command unimplemented.
	Run func(ctx context.Context, instanceID, script string, timeout time.Duration) (Result, error)
	// Online says whether an instance's agent is connected; nil means that
	// every running instance's is.
	Online func(ctx context.Context, instanceID string) (bool, error)
	Now    func() time.Time
}

// Service answers the calls of the Systems Manager API that reach into nodes.
type Service struct {
	cfg     Config
	ctx     context.Context //nolint:containedctx // the life of the commands that it runs
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	commands []*command
}

// New returns a service without any commands.
func New(cfg Config) *Service {
	ctx, cancel := context.WithCancel(context.Background())
	return &Service{cfg: cfg, ctx: ctx, cancel: cancel}
}

// Close ends the commands that run and waits for them.
func (s *Service) Close() {
	s.cancel()
	s.running.Wait()
}

// Passes reports whether an operation is for moto, which keeps parameters.
func Passes(operation string) bool {
	return slices.Contains([]string{
		"GetParameter", "GetParameters", "GetParametersByPath", "DescribeParameters",
		"PutParameter", "DeleteParameter", "DeleteParameters",
	}, operation)
}

// object is a JSON object of an answer.
type object = map[string]any

// Handle answers one call with a value that encodes to its JSON answer. Errors
// of the API are *awsapi.Error.
func (s *Service) Handle(ctx context.Context, call awsapi.Call) (any, error) {
	if s.cfg.Run == nil {
		return nil, awsapi.NotImplemented(call, "the sandbox has no nodes")
	}
	switch call.Operation {
	case "DescribeInstanceInformation":
		return s.describeInstanceInformation(ctx, call)
	case "SendCommand":
		return s.sendCommand(ctx, call)
	case "GetCommandInvocation":
		return s.getCommandInvocation(call)
	case "ListCommandInvocations":
		return s.listCommandInvocations(call)
	}
	return nil, awsapi.NotImplemented(call, "not among the operations that it plays")
}

func decode(call awsapi.Call, v any) error {
	if err := json.Unmarshal(call.Body, v); err != nil {
		return &awsapi.Error{Code: "SerializationException", Message: "the request body is not valid JSON for this operation"}
	}
	return nil
}

// online returns the running instances whose agent is connected.
func (s *Service) online(ctx context.Context, filters map[string][]string) ([]backend.Instance, error) {
	found, err := s.cfg.Instances.Instances(ctx, filters)
	if err != nil {
		return nil, err
	}
	var out []backend.Instance
	for _, i := range found {
		ok := i.State == "running"
		if ok && s.cfg.Online != nil {
			if ok, err = s.cfg.Online(ctx, i.ID); err != nil {
				return nil, err
			}
		}
		if ok {
			out = append(out, i)
		}
	}
	return out, nil
}

// epoch is a time in the JSON of awsJson1_1: seconds since 1970.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (s *Service) describeInstanceInformation(ctx context.Context, call awsapi.Call) (any, error) {
	var in struct {
		Filters                       []map[string]json.RawMessage
		InstanceInformationFilterList []map[string]json.RawMessage
	}
	if err := decode(call, &in); err != nil {
		return nil, err
	}
	var wanted []string
	for _, f := range slices.Concat(in.Filters, in.InstanceInformationFilterList) {
		key, values, err := readFilter(f)
		if err != nil || key != "InstanceIds" {
			return nil, awsapi.NotImplemented(call, "it filters by InstanceIds only")
		}
		wanted = append(wanted, values...)
	}
	instances, err := s.online(ctx, nil)
	if err != nil {
		return nil, err
	}
	list := []object{}
	for _, i := range instances {
		if wanted != nil && !slices.Contains(wanted, i.ID) {
			continue
		}
		list = append(list, object{
			"InstanceId": i.ID, "PingStatus": "Online", "LastPingDateTime": epoch(s.cfg.Now()),
			"AgentVersion": "3.3.2299.0", "IsLatestVersion": true, "PlatformType": "Linux",
			"ResourceType": "EC2Instance", "IPAddress": i.PrivateIP, "ComputerName": i.PrivateDNSName,
			"SourceId": i.ID, "SourceType": "AWS::EC2::Instance",
		})
	}
	return object{"InstanceInformationList": list}, nil
}

// readFilter reads a filter in its newer form (Key, Values) or its older one
// (key, valueSet).
func readFilter(f map[string]json.RawMessage) (key string, values []string, err error) {
	for name, raw := range f {
		switch name {
		case "Key", "key":
			err = errors.Join(err, json.Unmarshal(raw, &key))
		case "Values", "valueSet":
			err = errors.Join(err, json.Unmarshal(raw, &values))
		}
	}
	return key, values, err
}
