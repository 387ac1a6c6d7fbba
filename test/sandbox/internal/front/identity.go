package front

import (
	"context"
	"encoding/xml"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/backend"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/keys"
)

// serveSTS answers GetCallerIdentity itself, so that presigned requests work
// and a session keeps the unique id of the role that it was opened with.
func (f *Front) serveSTS(ctx context.Context, req *request) (awsapi.Reply, error) {
	switch req.call.Operation {
	case "GetCallerIdentity":
		return callerIdentity(req)
	case "AssumeRole":
		return f.assumeRole(ctx, req)
	case "GetSessionToken":
		return f.sessionToken(ctx, req)
	}
	return f.pass(ctx, req)
}

type callerIdentityResult struct {
	Arn     string
	UserID  string `json:"UserId" xml:"UserId"`
	Account string
}

func callerIdentity(req *request) (awsapi.Reply, error) {
	result := callerIdentityResult{Arn: req.caller.ARN, UserID: req.caller.UserID, Account: req.caller.Account}
	type metadata struct {
		RequestID string `json:"RequestId" xml:"RequestId"`
	}
	meta := metadata{RequestID: req.call.RequestID}
	if req.call.WantJSON {
		return awsapi.JSON200(req.call, map[string]any{"GetCallerIdentityResponse": map[string]any{
			"GetCallerIdentityResult": result,
			"ResponseMetadata":        meta,
		}})
	}
	return awsapi.XML200(struct {
		XMLName  xml.Name             `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		Result   callerIdentityResult `xml:"GetCallerIdentityResult"`
		Metadata metadata             `xml:"ResponseMetadata"`
	}{Result: result, Metadata: meta})
}

// assumeRole refuses roles that do not exist, which moto would let pass, and
// learns the new session's key.
func (f *Front) assumeRole(ctx context.Context, req *request) (awsapi.Reply, error) {
	arn := req.call.Form.Get("RoleArn")
	_, found, err := f.moto.PrincipalID(ctx, arn)
	if err != nil {
		return awsapi.Reply{}, err
	}
	if !found {
		return awsapi.Reply{}, awsapi.AccessDenied(req.call, req.caller.ARN, arn)
	}
	reply, err := f.pass(ctx, req)
	if err != nil || awsapi.ErrorCode(reply) != "" {
		return reply, err
	}
	var x backend.AssumeRoleAnswer
	if err := xml.Unmarshal(reply.Body, &x); err != nil {
		return awsapi.Reply{}, awsapi.NotImplemented(req.call, "moto's answer cannot be read")
	}
	f.keys.Put(keys.Key{
		ID: x.Credentials.AccessKeyID, Secret: x.Credentials.SecretAccessKey, SessionToken: x.Credentials.SessionToken,
		Expiration: x.Credentials.Expiration, ARN: x.User.ARN, UserID: x.User.ID, Account: f.cfg.Account,
	})
	return reply, nil
}

// sessionToken learns a session that has its caller's own identity.
func (f *Front) sessionToken(ctx context.Context, req *request) (awsapi.Reply, error) {
	reply, err := f.pass(ctx, req)
	if err != nil || awsapi.ErrorCode(reply) != "" {
		return reply, err
	}
	var x struct {
		ID         string    `xml:"GetSessionTokenResult>Credentials>AccessKeyId"`
		Secret     string    `xml:"GetSessionTokenResult>Credentials>SecretAccessKey"`
		Token      string    `xml:"GetSessionTokenResult>Credentials>SessionToken"`
		Expiration time.Time `xml:"GetSessionTokenResult>Credentials>Expiration"`
	}
	if err := xml.Unmarshal(reply.Body, &x); err != nil {
		return awsapi.Reply{}, awsapi.NotImplemented(req.call, "moto's answer cannot be read")
	}
	session := req.caller
	session.ID, session.Secret, session.SessionToken, session.Expiration = x.ID, x.Secret, x.Token, x.Expiration
	f.keys.Put(session)
	return reply, nil
}

// serveIAM passes everything on and follows what becomes of access keys.
func (f *Front) serveIAM(ctx context.Context, req *request) (awsapi.Reply, error) {
	reply, err := f.pass(ctx, req)
	if err != nil || awsapi.ErrorCode(reply) != "" {
		return reply, err
	}
	id := req.call.Form.Get("AccessKeyId")
	switch req.call.Operation {
	case "CreateAccessKey":
		var x struct {
			Key struct {
				ID       string `xml:"AccessKeyId"`
				Secret   string `xml:"SecretAccessKey"`
				UserName string `xml:"UserName"`
			} `xml:"CreateAccessKeyResult>AccessKey"`
		}
		if err := xml.Unmarshal(reply.Body, &x); err != nil {
			return awsapi.Reply{}, awsapi.NotImplemented(req.call, "moto's answer cannot be read")
		}
		f.keys.Put(keys.Key{ID: x.Key.ID, Secret: x.Key.Secret, UserName: x.Key.UserName})
	case "UpdateAccessKey":
		f.keys.Update(id, func(k *keys.Key) { k.Inactive = req.call.Form.Get("Status") == "Inactive" })
	case "DeleteAccessKey":
		f.keys.Delete(id)
	}
	return reply, nil
}
