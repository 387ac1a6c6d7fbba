package backend

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Identity is a caller as GetCallerIdentity describes it.
type Identity struct {
	Account, ARN, UserID string
}

// CallerIdentity asks moto to whom an access key belongs.
func (c *Client) CallerIdentity(ctx context.Context, keyID string) (Identity, error) {
	var x struct {
		Result struct{ Account, Arn, UserId string } `xml:"GetCallerIdentityResult"` //nolint:revive // AWS's names
	}
	form := url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}
	if err := c.Query(ctx, "sts", keyID, form, &x); err != nil {
		return Identity{}, err
	}
	return Identity{Account: x.Result.Account, ARN: x.Result.Arn, UserID: x.Result.UserId}, nil
}

// Session is a role session made by AssumeRole.
type Session struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
	ARN, UserID                                string
}

// AssumeRoleAnswer is the XML answer of AssumeRole.
type AssumeRoleAnswer struct {
	Credentials struct {
		AccessKeyID     string    `xml:"AccessKeyId"`
		SecretAccessKey string    `xml:"SecretAccessKey"`
		SessionToken    string    `xml:"SessionToken"`
		Expiration      time.Time `xml:"Expiration"`
	} `xml:"AssumeRoleResult>Credentials"`
	User struct {
		ARN string `xml:"Arn"`
		ID  string `xml:"AssumedRoleId"`
	} `xml:"AssumeRoleResult>AssumedRoleUser"`
}

// AssumeRole opens a role session for the given time.
func (c *Client) AssumeRole(ctx context.Context, roleARN, sessionName string, life time.Duration) (Session, error) {
	form := url.Values{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"},
		"RoleArn": {roleARN}, "RoleSessionName": {sessionName},
		"DurationSeconds": {fmt.Sprint(int(life.Seconds()))},
	}
	var x AssumeRoleAnswer
	if err := c.Query(ctx, "sts", "", form, &x); err != nil {
		return Session{}, err
	}
	return Session{
		AccessKeyID: x.Credentials.AccessKeyID, SecretAccessKey: x.Credentials.SecretAccessKey,
		SessionToken: x.Credentials.SessionToken, Expiration: x.Credentials.Expiration,
		ARN: x.User.ARN, UserID: x.User.ID,
	}, nil
}

// PrincipalID returns the unique id of the IAM role or user with exactly this
// ARN, path included; found is false when there is none.
func (c *Client) PrincipalID(ctx context.Context, arn string) (id string, found bool, err error) {
	_, resource, _ := strings.Cut(arn, ":iam::"+c.account+":")
	kind, path, _ := strings.Cut(resource, "/")
	name := path[strings.LastIndexByte(path, '/')+1:]
	form := url.Values{"Version": {"2010-05-08"}}
	switch kind {
	case "role":
		form.Set("Action", "GetRole")
		form.Set("RoleName", name)
	case "user":
		form.Set("Action", "GetUser")
		form.Set("UserName", name)
	default:
		return "", false, nil
	}
	var x struct {
		RoleARN string `xml:"GetRoleResult>Role>Arn"`
		RoleID  string `xml:"GetRoleResult>Role>RoleId"`
		UserARN string `xml:"GetUserResult>User>Arn"`
		UserID  string `xml:"GetUserResult>User>UserId"`
	}
	if err := c.Query(ctx, "iam", "", form, &x); err != nil {
		if IsCode(err, "NoSuchEntity") {
			return "", false, nil
		}
		return "", false, err
	}
	if x.RoleARN+x.UserARN != arn {
		return "", false, nil
	}
	return x.RoleID + x.UserID, true, nil
}
