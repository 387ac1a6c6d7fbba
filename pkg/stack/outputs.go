package stack

import (
	"fmt"
	"strings"
)

// outputs declares the three outputs of AWS's template.
func outputs(in Input) object {
	role := getAtt("NodeInstanceRole", "Arn")
	if in.Role.ARN != "" {
		role = in.Role.ARN
	}
	return object{
		"NodeInstanceRole":     object{"Description": "ARN of the role the nodes have", "Value": role},
		"NodeSecurityGroup":    object{"Description": "The group's own security group", "Value": getAtt("NodeSecurityGroup", "GroupId")},
		"NodeAutoScalingGroup": object{"Description": "Name of the Auto Scaling group", "Value": ref("NodeGroup")},
	}
}

// Outputs is what a finished stack says of itself.
type Outputs struct {
	RoleARN          string // with its path
	SecurityGroup    string // id
	AutoScalingGroup string // name
}

// ReadOutputs takes the outputs from a stack's, by key; the error names those that are missing.
func ReadOutputs(all map[string]string) (Outputs, error) {
	out := Outputs{
		RoleARN:          all["NodeInstanceRole"],
		SecurityGroup:    all["NodeSecurityGroup"],
		AutoScalingGroup: all["NodeAutoScalingGroup"],
	}
	var missing []string
	for _, key := range []string{"NodeInstanceRole", "NodeSecurityGroup", "NodeAutoScalingGroup"} {
		if all[key] == "" {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		return out, fmt.Errorf("the stack has no output %s", strings.Join(missing, ", "))
	}
	return out, nil
}
