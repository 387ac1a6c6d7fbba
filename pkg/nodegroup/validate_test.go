package nodegroup

import (
	"errors"
	"strings"
	"testing"
)

func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	tests := map[string]struct {
		edit func(*Request)
		want string
	}{
		"family":                {func(r *Request) { r.Family = "al2" }, "--ami-family"},
		"custom without an AMI": {func(r *Request) { r.Family = FamilyCustom }, "needs --ami"},
		"AMI":                   {func(r *Request) { r.ImageID = "latest" }, "--ami"},
		"subnet id":             {func(r *Request) { r.Subnets.IDs = []string{"a"} }, "--subnets"},
		"subnets by id and tag": {func(r *Request) {
			r.Subnets = SubnetChoice{IDs: []string{"subnet-1"}, Tags: map[string]string{"a": "b"}}
		}, "exclude"},
		"security group":         {func(r *Request) { r.Network.SecurityGroups = []string{"default"} }, "--security-groups"},
		"SSH from a word":        {func(r *Request) { r.Network.SSHFrom = []string{"here"} }, "--cidr"},
		"SSH from everywhere":    {func(r *Request) { r.Network.SSHFrom = []string{"::/0"} }, "whole internet"},
		"hop limit":              {func(r *Request) { r.Network.HopLimit = 65 }, "--hop-limit"},
		"role and profile":       {func(r *Request) { r.Identity = Identity{Role: "a", InstanceProfile: "b"} }, "exclude"},
		"boundary of a role":     {func(r *Request) { r.Identity = Identity{Role: "a", PermissionsBoundary: "b"} }, "--permissions-boundary"},
		"two key pairs":          {func(r *Request) { r.Access = SSHKey{Name: "a", PublicKey: "ssh-ed25519 b"} }, "exclude"},
		"IOPS of gp2":            {func(r *Request) { r.Volume.Type, r.Volume.IOPS = "gp2", 3000 }, "--volume-iops"},
		"io2 without IOPS":       {func(r *Request) { r.Volume.Type = "io2" }, "needs --volume-iops"},
		"throughput of io2":      {func(r *Request) { r.Volume = Volume{Type: "io2", IOPS: 1000, Throughput: 200} }, "--volume-throughput"},
		"key without encryption": {func(r *Request) { r.Volume.Encrypted, r.Volume.KMSKeyID = false, "alias/a" }, "--volume-kms-key"},
		"shell in Bottlerocket":  {func(r *Request) { r.Family, r.Boot.Before = FamilyBottlerocket, []string{"true"} }, "no shell"},
		"on failure":             {func(r *Request) { r.Stack.OnFailure = "RETRY" }, "--on-failure"},
		"no time":                {func(r *Request) { r.Timeout = 0 }, "--timeout"},
		"sizes":                  {func(r *Request) { n := -1; r.Size.Min = &n }, "fewer than 0"},
		"name":                   {func(r *Request) { r.Name = "blue_group" }, "node group name"},
	}
	if err := request().Validate(); err != nil {
		t.Fatalf("what nobody changed is refused: %v", err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := request(test.edit).Validate()
			if usage := new(UsageError); !errors.As(err, &usage) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want a usage error with %q", err, test.want)
			}
		})
	}
}
