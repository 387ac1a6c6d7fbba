package nodegroup

import (
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/stack"
	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// ReadBack makes a config of what AWS shows of a group whose stack keeps none:
// one that an earlier version or another tool has made. notes say what cannot
// be seen from outside, and so is not in it.
func ReadBack(d *Description) (config *groupconfig.Config, notes []string) {
	config = groupconfig.New(d.Name)
	spec, launch := &config.Spec, &d.Launch
	spec.Min, spec.Desired, spec.Max = &d.Min, &d.Desired, &d.Max
	spec.AMI, spec.KeyPair, spec.Subnets = launch.ImageID, launch.KeyName, slices.Clone(d.Subnets)
	spec.VolumeSize, spec.VolumeType, spec.HopLimit = known(launch.VolumeSizeGiB), launch.VolumeType, known(launch.HopLimit)
	switch {
	case launch.PublicIP == nil:
	case *launch.PublicIP:
		spec.Public = launch.PublicIP
	default:
		yes := true
		spec.Private = &yes
	}
	spec.InstanceType = slices.Clone(launch.InstanceTypes)
	readWarmPool(d.WarmPool, spec)
	readUserData(d, spec)
	readStack(d, spec)
	notes = []string{"read back from AWS, as the group's stack keeps no config; not seen, and not in it: Spot, lifecycle hooks, metrics, bootstrap commands, " +
		"user data and kubelet configuration of your own, encryption, IOPS and throughput of the volume, address ranges for SSH, " +
		"the autoscaler's tags, permissions boundary and role of CloudFormation"}
	return config, notes
}

// known is a number that is there; 0 stands for none.
func known(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// readWarmPool takes the pool; one that is filled up to the group's largest
// size has no bound of its own, and that size is the bound of ours.
func readWarmPool(pool *snapshot.WarmPool, spec *groupconfig.Spec) {
	if pool == nil {
		return
	}
	spec.WarmPool, spec.WarmPoolState = known(pool.Min), pool.State
	if bound := pool.Prepared; bound == 0 {
		spec.WarmPoolMax = spec.Max
	} else if bound > pool.Min {
		spec.WarmPoolMax = &bound
	}
}

// readUserData takes what the node is told at registration.
func readUserData(d *Description, spec *groupconfig.Spec) {
	document := userdata.Parse([]byte(d.Launch.UserData))
	var image *snapshot.Image
	if d.Image != nil {
		image = &d.Image.Image
	}
	family := ImageFamily(image)
	switch {
	case document.Format == userdata.FormatBottlerocket:
		family = FamilyBottlerocket
	case family == "":
		family = FamilyCustom
	}
	spec.AMIFamily, spec.MaxPods = string(family), known(document.MaxPods)
	for key, value := range document.Labels {
		if key == stack.LabelNodegroup || strings.HasPrefix(key, "alpha.eksctl.io/") {
			continue // of the group that it was, by its tool
		}
		if spec.Labels == nil {
			spec.Labels = map[string]string{}
		}
		spec.Labels[key] = value
	}
	for _, taint := range document.Taints {
		spec.Taints = append(spec.Taints, taint.String())
	}
}

// readStack takes what the stack says of what is around the machines. The
// role is left out when it lives and dies with the stack.
func readStack(d *Description, spec *groupconfig.Spec) {
	own := ""
	if d.Stack != nil {
		own = d.Stack.Outputs[outputSecurityGroup]
		if d.Tool == ToolOurs && d.Stack.Tags[TagRole] != roleOfStack {
			spec.Role = d.RoleARN
		}
		for key, value := range d.Stack.Tags {
			if d.Tool != ToolOurs || strings.HasPrefix(key, product.TagPrefix) || strings.HasPrefix(key, "aws:") {
				continue
			}
			if spec.Tags == nil {
				spec.Tags = map[string]string{}
			}
			spec.Tags[key] = value
		}
	}
	for _, id := range d.Launch.SecurityGroupIDs {
		if id != d.ClusterSecurityGroup && id != own {
			spec.SecurityGroups = append(spec.SecurityGroups, id)
		}
	}
}
