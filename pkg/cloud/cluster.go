package cloud

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// ErrClusterNotFound says that no cluster of the region has the endpoint.
var ErrClusterNotFound = errors.New("no EKS cluster of this account and region has the kubeconfig's endpoint")

// FindCluster returns the name of the cluster whose endpoint is server: one
// ListClusters and at most one DescribeCluster per cluster of the region. It
// is the last resort, when the kubeconfig names no cluster.
func (c *Client) FindCluster(ctx context.Context, server string) (string, error) {
	pages := eks.NewListClustersPaginator(c.eks(), &eks.ListClustersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", wrap(err)
		}
		for _, name := range page.Clusters {
			cluster, err := c.DescribeCluster(ctx, name)
			if err != nil {
				return "", err
			}
			if strings.EqualFold(strings.TrimSuffix(cluster.Endpoint, "/"), strings.TrimSuffix(server, "/")) {
				return name, nil
			}
		}
	}
	return "", ErrClusterNotFound
}

// DescribeCluster reads one cluster.
func (c *Client) DescribeCluster(ctx context.Context, name string) (*snapshot.Cluster, error) {
	out, err := c.eks().DescribeCluster(ctx, &eks.DescribeClusterInput{Name: aws.String(name)})
	if err != nil {
		return nil, wrap(err)
	}
	if out.Cluster == nil {
		return nil, emptyAnswer("eks:DescribeCluster")
	}
	cluster := ConvertCluster(*out.Cluster)
	return &cluster, nil
}

func (r reader) cluster(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	cluster, err := r.DescribeCluster(ctx, r.req.Cluster)
	if err != nil {
		return nil, err
	}
	return func(snap *snapshot.Snapshot) {
		snap.Cluster = cluster
		snap.Target.ClusterName = cluster.Name
		if parts := strings.SplitN(cluster.ARN, ":", 6); len(parts) == 6 {
			snap.Target.Partition, snap.Target.Region, snap.Target.AccountID = parts[1], parts[3], parts[4]
		}
	}, nil
}

// ConvertCluster turns EKS's cluster into facts. The CA becomes PEM; one that
// is not base64 is kept as it came, so that a comparison shows it.
func ConvertCluster(in ekstypes.Cluster) snapshot.Cluster {
	out := snapshot.Cluster{
		Name:            aws.ToString(in.Name),
		ARN:             aws.ToString(in.Arn),
		Status:          string(in.Status),
		Version:         aws.ToString(in.Version),
		PlatformVersion: aws.ToString(in.PlatformVersion),
		Endpoint:        aws.ToString(in.Endpoint),
		RoleARN:         aws.ToString(in.RoleArn),
		AuthMode:        snapshot.AuthConfigMap, // clusters older than access entries say nothing
		IPFamily:        "ipv4",
		CreatedAt:       aws.ToTime(in.CreatedAt),
		Tags:            in.Tags,

		DeletionProtection: aws.ToBool(in.DeletionProtection),
	}
	if ca := in.CertificateAuthority; ca != nil {
		out.CA = aws.ToString(ca.Data)
		if pem, err := base64.StdEncoding.DecodeString(out.CA); err == nil {
			out.CA = string(pem)
		}
	}
	if access := in.AccessConfig; access != nil && access.AuthenticationMode != "" {
		out.AuthMode = snapshot.AuthMode(access.AuthenticationMode)
	}
	if network := in.KubernetesNetworkConfig; network != nil {
		out.ServiceCIDR = aws.ToString(network.ServiceIpv4Cidr)
		if network.IpFamily == ekstypes.IpFamilyIpv6 {
			out.IPFamily, out.ServiceCIDR = "ipv6", aws.ToString(network.ServiceIpv6Cidr)
		}
	}
	if in.Identity != nil && in.Identity.Oidc != nil {
		out.OIDCIssuer = aws.ToString(in.Identity.Oidc.Issuer)
	}
	if in.Health != nil {
		for _, issue := range in.Health.Issues {
			out.HealthIssues = append(out.HealthIssues, snapshot.HealthIssue{
				Code: string(issue.Code), Message: redact.Line(aws.ToString(issue.Message)), Resources: issue.ResourceIds,
			})
		}
	}
	if vpc := in.ResourcesVpcConfig; vpc != nil {
		out.VPCID = aws.ToString(vpc.VpcId)
		out.SubnetIDs = vpc.SubnetIds
		out.SecurityGroupIDs = vpc.SecurityGroupIds
		out.ClusterSGID = aws.ToString(vpc.ClusterSecurityGroupId)
		out.EndpointPublic = vpc.EndpointPublicAccess
		out.EndpointPrivate = vpc.EndpointPrivateAccess
		out.PublicAccessCIDRs = vpc.PublicAccessCidrs
	}
	return out
}
