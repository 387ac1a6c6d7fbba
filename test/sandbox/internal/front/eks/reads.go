package eks

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
)

// addonVersions are the self-managed add-ons of every cluster, as EKS add-ons.
//
//nolint:gochecknoglobals // a table that nothing changes
var addonVersions = map[string]string{
	"coredns":    "v1.12.3-eksbuild.1",
	"kube-proxy": "v1.34.0-eksbuild.2",
	"vpc-cni":    "v1.20.1-eksbuild.3",
}

func (s *Service) listAddons(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.find(call); err != nil {
		return nil, err
	}
	return page(call, "addons", []string{"coredns", "kube-proxy", "vpc-cni"})
}

func (s *Service) describeAddon(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(call)
	if err != nil {
		return nil, err
	}
	name := call.Path["addonName"]
	version, ok := addonVersions[name]
	if !ok {
		e := notFound(c.Name, "No addon: "+name+" found in cluster: "+c.Name)
		e.Fields["addonName"] = name
		return nil, e
	}
	return object{"addon": object{
		"addonName": name, "clusterName": c.Name, "status": "ACTIVE", "addonVersion": version,
		"addonArn": fmt.Sprintf("arn:%s:eks:%s:%s:addon/%s/%s/00000000-0000-0000-0000-000000000000",
			s.cfg.Partition, s.cfg.Region, s.cfg.Account, c.Name, name),
		"health":    object{"issues": []string{}},
		"createdAt": epoch(c.CreatedAt), "modifiedAt": epoch(c.CreatedAt), "tags": object{},
	}}, nil
}

// emptyList answers for kinds of resources that no cluster of the sandbox has.
func (s *Service) emptyList(member string) handler {
	return func(_ context.Context, call awsapi.Call) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, err := s.find(call); err != nil {
			return nil, err
		}
		return object{member: []string{}}, nil
	}
}

func (s *Service) describeNodegroup(_ context.Context, call awsapi.Call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(call)
	if err != nil {
		return nil, err
	}
	e := notFound(c.Name, fmt.Sprintf("No node group found for name: %s.", call.Path["nodegroupName"]))
	e.Fields["nodegroupName"] = call.Path["nodegroupName"]
	return nil, e
}

// kubernetesVersion is one row of the EKS User Guide, "Understand the
// Kubernetes version lifecycle on EKS".
type kubernetesVersion struct {
	version, released, standardEnd, extendedEnd string
}

//nolint:gochecknoglobals // a table that nothing changes
var kubernetesVersions = []kubernetesVersion{
	{"1.35", "2026-01-27", "2027-03-27", "2028-03-27"},
	{"1.34", "2025-10-02", "2026-12-02", "2027-12-02"},
	{"1.33", "2025-05-29", "2026-07-29", "2027-07-29"},
	{"1.32", "2025-01-23", "2026-03-23", "2027-03-23"},
	{"1.31", "2024-09-26", "2025-11-26", "2026-11-26"},
}

func (s *Service) describeClusterVersions(_ context.Context, call awsapi.Call) (any, error) {
	wanted := call.Form["clusterVersions"]
	out := []object{}
	for i, v := range kubernetesVersions {
		if len(wanted) > 0 && !slices.Contains(wanted, v.version) {
			continue
		}
		if call.Form.Get("defaultOnly") == "true" && i != 0 {
			continue
		}
		row, err := v.view(i == 0, s.cfg.Now())
		if err != nil {
			return nil, err
		}
		if status := call.Form.Get("versionStatus"); status != "" && row["versionStatus"] != status {
			continue
		}
		out = append(out, row)
	}
	return object{"clusterVersions": out}, nil
}

func (v kubernetesVersion) view(isDefault bool, now time.Time) (object, error) {
	var at [3]time.Time
	for i, s := range []string{v.released, v.standardEnd, v.extendedEnd} {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return nil, fmt.Errorf("version %s: %w", v.version, err)
		}
		at[i] = t
	}
	status := "STANDARD_SUPPORT"
	switch {
	case now.After(at[2]):
		status = "UNSUPPORTED"
	case now.After(at[1]):
		status = "EXTENDED_SUPPORT"
	}
	return object{
		"clusterVersion": v.version, "clusterType": "eks", "defaultVersion": isDefault,
		"releaseDate": epoch(at[0]), "endOfStandardSupportDate": epoch(at[1]), "endOfExtendedSupportDate": epoch(at[2]),
		"versionStatus": status,
	}, nil
}
