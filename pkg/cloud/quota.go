package cloud

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"golang.org/x/sync/errgroup"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// standardQuota is "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z)
// instances", in vCPUs.
const standardQuota = "L-1216C47A"

// QuotaCode is the code of the on-demand vCPU quota that an instance type
// counts against. Source: "Amazon EC2 On-Demand instance quotas",
// https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
func QuotaCode(instanceType string) string {
	family := strings.ToLower(instanceType)
	for _, row := range []struct{ prefix, code string }{
		{"inf", "L-1945791B"},
		{"trn", "L-2C3B7624"},
		{"dl", "L-6E869C2A"},
		{"hpc", "L-F7808C92"},
		{"u-", "L-43DA4232"}, {"u7", "L-43DA4232"},
		{"gr", "L-DB2E81BA"}, {"g", "L-DB2E81BA"}, {"vt", "L-DB2E81BA"},
		{"p", "L-417A185B"},
		{"f", "L-74FC7D96"},
		{"x", "L-7295265B"},
	} {
		if strings.HasPrefix(family, row.prefix) {
			return row.code
		}
	}
	return standardQuota
}

// quotas reads the vCPU quota of the first type's family and what counts
// against it: one call to Service Quotas and one to EC2 per thousand running
// instances of the account.
func (r reader) quotas(ctx context.Context, _ *snapshot.Snapshot) (gather.Fill, error) {
	if len(r.req.InstanceTypes) == 0 {
		return nil, nil
	}
	code := QuotaCode(r.req.InstanceTypes[0])
	var quota, used int
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error {
		out, err := r.Client.quotas().GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String(code)})
		if err != nil {
			return wrap(err)
		}
		if out.Quota == nil || out.Quota.Value == nil {
			return emptyAnswer("servicequotas:GetServiceQuota")
		}
		quota = int(aws.ToFloat64(out.Quota.Value))
		return nil
	})
	tasks.Go(func() (err error) {
		used, err = r.vcpusInUse(ctx, code)
		return err
	})
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	return func(snap *snapshot.Snapshot) {
		snap.Catalog.QuotaCode, snap.Catalog.VCPUQuota, snap.Catalog.VCPUInUse = code, &quota, &used
	}, nil
}

func (r reader) vcpusInUse(ctx context.Context, code string) (int, error) {
	pages := ec2.NewDescribeInstancesPaginator(r.ec2(), &ec2.DescribeInstancesInput{
		MaxResults: aws.Int32(1000),
		Filters:    []ec2types.Filter{filter("instance-state-name", "pending", "running")},
	})
	used := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, wrap(err)
		}
		for _, reservation := range page.Reservations {
			for _, instance := range reservation.Instances {
				if counts(instance, code) {
					used += vcpus(instance)
				}
			}
		}
	}
	return used, nil
}

// counts reports whether an instance counts against an on-demand quota: Spot
// and dedicated hosts have quotas of their own.
func counts(instance ec2types.Instance, code string) bool {
	if instance.InstanceLifecycle == ec2types.InstanceLifecycleTypeSpot {
		return false
	}
	if instance.Placement != nil && instance.Placement.Tenancy == ec2types.TenancyHost {
		return false
	}
	return QuotaCode(string(instance.InstanceType)) == code
}

func vcpus(instance ec2types.Instance) int {
	if instance.CpuOptions == nil {
		return 0
	}
	return int(aws.ToInt32(instance.CpuOptions.CoreCount) * aws.ToInt32(instance.CpuOptions.ThreadsPerCore))
}
