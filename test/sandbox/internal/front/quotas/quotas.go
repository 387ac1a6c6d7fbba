// Package quotas plays the Service Quotas of EC2 that limit how many instances
// can run; moto knows those of other services.
package quotas

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// OnDemandStandard is the quota code of "Running On-Demand Standard instances",
// counted in vCPUs: Amazon EC2 User Guide, "EC2 On-Demand instance limits".
const OnDemandStandard = "L-1216C47A"

// defaultVCPUs is a value that accounts in use have; new ones start at 5.
const defaultVCPUs = 640

// Service answers for the service code "ec2".
type Service struct {
	arnPrefix string

	mu    sync.Mutex
	value float64
}

// New returns a service with the default value.
func New(partition, region, account string) *Service {
	return &Service{arnPrefix: fmt.Sprintf("arn:%s:servicequotas:%s:%s:ec2/", partition, region, account), value: defaultVCPUs}
}

// Set changes the applied value of OnDemandStandard, in vCPUs.
func (s *Service) Set(vcpus float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value = vcpus
}

// Handle answers a call; ours is false for calls about other services.
func (s *Service) Handle(call awsapi.Call) (answer any, ours bool, err error) {
	var in struct{ ServiceCode, QuotaCode string }
	if err := json.Unmarshal(call.Body, &in); err != nil {
		return nil, true, &awsapi.Error{Code: "SerializationException", Message: "the request body is not valid JSON"}
	}
	if in.ServiceCode != "ec2" {
		return nil, false, nil
	}
	switch call.Operation {
	case "ListServiceQuotas":
		return map[string]any{"Quotas": []any{s.quota()}}, true, nil
	case "GetServiceQuota":
		if in.QuotaCode != OnDemandStandard {
			return nil, true, &awsapi.Error{
				Code: "NoSuchResourceException", Message: "The request failed because the specified service quota does not exist.",
			}
		}
		return map[string]any{"Quota": s.quota()}, true, nil
	}
	return nil, true, awsapi.NotImplemented(call, "of EC2's quotas it can be asked only")
}

func (s *Service) quota() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{
		"ServiceCode": "ec2", "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
		"QuotaArn": s.arnPrefix + OnDemandStandard, "QuotaCode": OnDemandStandard,
		"QuotaName": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
		"Value":     s.value, "Unit": "None", "Adjustable": true, "GlobalQuota": false,
		"UsageMetric": map[string]any{
			"MetricNamespace": "AWS/Usage", "MetricName": "ResourceCount", "MetricStatisticRecommendation": "Maximum",
			"MetricDimensions": map[string]string{"Class": "Standard/OnDemand", "Resource": "vCPU", "Service": "EC2", "Type": "Resource"},
		},
	}
}
