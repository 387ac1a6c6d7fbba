package kube

import (
	"context"
	"encoding/json"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// The environment by which EKS's webhooks hand credentials to a pod: an IAM
// role for its service account, or EKS Pod Identity
// (aws/amazon-eks-pod-identity-webhook).
const (
	envRoleARN     = "AWS_ROLE_ARN"
	envPodIdentity = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
)

const eniConfigPath = "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs"

// eniConfigList is the VPC CNI's resource for custom networking
// (github.com/aws/amazon-vpc-cni-k8s@v1.23.2 pkg/apis/crd/v1alpha1).
type eniConfigList struct {
	Items []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Spec struct {
			Subnet         string   `json:"subnet"`
			SecurityGroups []string `json:"securityGroups"`
		} `json:"spec"`
	} `json:"items"`
}

// readENIConfigs lists them. A cluster that does not know the kind has none.
func (c *Connection) readENIConfigs(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	var configs []snapshot.ENIConfig
	err := c.Client.list(ctx, eniConfigPath, nil, func(data []byte) (bool, error) {
		var page eniConfigList
		if err := json.Unmarshal(data, &page); err != nil {
			return false, err
		}
		for _, item := range page.Items {
			configs = append(configs, snapshot.ENIConfig{Name: item.Metadata.Name, SubnetID: item.Spec.Subnet, SecurityGroupIDs: item.Spec.SecurityGroups})
		}
		return true, nil
	})
	if err := wrap("list eniconfigs", err); err != nil && !IsKind(err, Absent) {
		return nil, err
	}
	return func(snap *snapshot.Snapshot) { snap.Kube.ENIConfigs = configs }, nil
}
