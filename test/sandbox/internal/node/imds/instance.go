// Package imds is the EC2 instance metadata service of one instance, version 2
// with version 1 where the instance's metadata options allow it.
//
// Rules: Amazon EC2 User Guide, "Use the Instance Metadata Service to access
// instance metadata" and "Instance metadata categories".
package imds

import (
	"context"
	"time"
)

// Instance is what the service tells about its instance.
type Instance struct {
	ID, ImageID, Type     string
	Architecture          string // x86_64 or arm64
	Account, Partition    string
	Region, Zone, ZoneID  string
	DNSSuffix             string // the partition's: amazonaws.com
	ReservationID         string
	LaunchTime            time.Time
	LaunchIndex           int
	Lifecycle             string // on-demand or spot
	TargetState           string // of its Auto Scaling group, what it is on the way to: InService, Warmed:Stopped …; empty without one
	PrivateIP, PrivateDNS string
	PublicIP, PublicDNS   string // empty without one
	MAC, InterfaceID      string
	SubnetID, SubnetCIDR  string
	VPCID, VPCCIDR        string
	Groups                []Group
	KeyName, PublicKey    string   // of the key pair; empty without one
	Profile               *Profile // nil: no instance profile
	UserData              []byte   // nil: none was given
	Tags                  map[string]string
	Options               Options
}

// Group is one security group of the instance.
type Group struct{ ID, Name string }

// Profile is the instance profile and its role.
type Profile struct {
	ARN, ID           string
	RoleARN, RoleName string
}

// Options are the instance's metadata options.
type Options struct {
	Disabled       bool // HttpEndpoint disabled
	TokensRequired bool // HttpTokens required
	HopLimit       int  // HttpPutResponseHopLimit
	Tags           bool // InstanceMetadataTags enabled
}

// Credentials are temporary credentials of the instance's role.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
}

// CredentialSource makes credentials for a role; the session is named by the
// instance's id, as EC2 names it.
type CredentialSource func(ctx context.Context, roleARN, sessionName string) (Credentials, error)
