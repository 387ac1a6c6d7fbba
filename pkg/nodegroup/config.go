package nodegroup

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// The keys under which a stack's template keeps the file that its group is
// made of, and the one that it was made of before an upgrade.
const (
	metadataConfig = product.TagPrefix + "config"
	metadataBefore = product.TagPrefix + "config-before"
)

// configMetadata is a request's configs as metadata of a template; nil for none.
func configMetadata(req *Request) (map[string]any, error) {
	metadata := map[string]any{}
	for key, config := range map[string]*groupconfig.Config{metadataConfig: req.Config, metadataBefore: req.Before} {
		if config == nil {
			continue
		}
		data, err := config.Data()
		if err != nil {
			return nil, err
		}
		metadata[key] = data
	}
	if len(metadata) == 0 {
		return nil, nil
	}
	return metadata, nil
}

// RecordedConfig takes the config out of a template's metadata (JSON, as
// GetTemplateSummary gives it); nil when there is none.
func RecordedConfig(metadata string) (*groupconfig.Config, error) {
	return configIn(metadata, metadataConfig)
}

func configIn(metadata, key string) (*groupconfig.Config, error) {
	if metadata == "" {
		return nil, nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(metadata), &all); err != nil {
		return nil, fmt.Errorf("read the metadata of the template: %w", err)
	}
	text, ok := all[key]
	if !ok {
		return nil, nil
	}
	config, err := groupconfig.Decode(text) // JSON is YAML
	if err != nil {
		return nil, fmt.Errorf("read the config in the template: %w", err)
	}
	return config, nil
}

// CurrentConfig is the recorded config of a group with what its stack's
// parameters say now: scaling and other changes of the stack are in it, and
// what was left open stays open.
func CurrentConfig(recorded *groupconfig.Config, stack *snapshot.Stack) (*groupconfig.Config, error) {
	out := *recorded
	spec, have := &out.Spec, stack.Parameters
	var faults []error
	number := func(into **int, key string) {
		text, told := have[key]
		if !told {
			return
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("parameter %s of stack %s is %q: %w", key, stack.Name, text, err))
			return
		}
		*into = &n
	}
	number(&spec.Min, paramMin)
	number(&spec.Desired, paramDesired)
	number(&spec.Max, paramMax)
	number(&spec.VolumeSize, "NodeVolumeSize")
	text := func(into *string, key string) {
		if value := have[key]; value != "" {
			*into = value
		}
	}
	if first := have["NodeInstanceType"]; first != "" && len(spec.InstanceType) > 0 {
		spec.InstanceType = append(groupconfig.Texts{first}, spec.InstanceType[1:]...)
	}
	text(&spec.VolumeType, "NodeVolumeType")
	text(&spec.KeyPair, "KeyName")
	if spec.AMI != "" { // else the newest was chosen, and stays
		text(&spec.AMI, paramImage)
	}
	if len(spec.Subnets) > 0 && have["Subnets"] != "" && !sameValue("Subnets", have["Subnets"], strings.Join(spec.Subnets, ",")) {
		spec.Subnets = strings.Split(have["Subnets"], ",")
	}
	return &out, errors.Join(faults...)
}
