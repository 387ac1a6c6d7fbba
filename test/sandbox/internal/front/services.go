package front

import (
	"context"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/ssm"
)

type serviceFunc func(ctx context.Context, req *request) (awsapi.Reply, error)

// services are those that the sandbox plays, by signing name.
func (f *Front) services() map[string]serviceFunc {
	return map[string]serviceFunc{
		"autoscaling":          f.pass,
		"cloudformation":       f.pass,
		"ec2":                  f.serveEC2,
		"ec2-instance-connect": f.serveInstanceConnect,
		"eks":                  f.serveEKS,
		"iam":                  f.serveIAM,
		"servicequotas":        f.pass,
		"ssm":                  f.serveSSM,
		"sts":                  f.serveSTS,
	}
}

// pass hands a call to moto. Presigned calls are not for moto: it reads the
// caller from the Authorization header only.
func (f *Front) pass(_ context.Context, req *request) (awsapi.Reply, error) {
	if req.http.Header.Get("Authorization") == "" {
		return awsapi.Reply{}, awsapi.NotImplemented(req.call, "of presigned calls it serves GetCallerIdentity only")
	}
	return f.moto.Forward(req.http, req.call)
}

func (f *Front) serveEKS(ctx context.Context, req *request) (awsapi.Reply, error) {
	v, err := f.eks.Handle(ctx, req.call)
	if err != nil {
		return awsapi.Reply{}, err
	}
	return awsapi.JSON200(req.call, v)
}

func (f *Front) serveSSM(ctx context.Context, req *request) (awsapi.Reply, error) {
	if ssm.Passes(req.call.Operation) {
		return f.pass(ctx, req)
	}
	v, err := f.ssm.Handle(ctx, req.call)
	if err != nil {
		return awsapi.Reply{}, err
	}
	return awsapi.JSON200(req.call, v)
}
