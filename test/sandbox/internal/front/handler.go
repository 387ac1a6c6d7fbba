package front

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/awsapi"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/calllog"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/eks"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/faults"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/keys"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/sigv4"
)

// maxBody bounds request bodies; the largest that AWS takes here is
// CloudFormation's template of 1 MB, by way of S3.
const maxBody = 4 << 20

// minLatency is how long every call takes at least, less than any call to AWS
// does. The SDK for Go (smithy-go 1.28) closes a request's body when the answer
// begins. If net/http has not seen that body's end by then, it takes the
// connection for broken and cuts the answer off.
const minLatency = 5 * time.Millisecond

// request is one call on its way through the front.
type request struct {
	http *http.Request
	call awsapi.Call
	// caller is set once the signature has been verified.
	caller keys.Key
	// fault is the id of the fault rule that answers.
	fault string
}

func (f *Front) serveAWS(w http.ResponseWriter, r *http.Request) {
	start, answerAt := f.now(), time.Now().Add(minLatency)
	// SDKs correct their clocks by this header: it has to tell the front's time.
	w.Header().Set("Date", start.Format(http.TimeFormat))
	if isEcho(r) {
		f.echo(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the request body is too large or broke off", http.StatusRequestEntityTooLarge)
		return
	}
	sig, sigErr := sigv4.Parse(r)
	req := &request{http: r, call: recognise(r, body, sig)}
	reply, err := f.answer(r.Context(), req, sig, sigErr)
	if err != nil {
		reply = f.failure(req, err)
	}
	f.record(req, sig, reply, start)
	if wait(r.Context(), time.Until(answerAt)) != nil {
		return // the caller has gone
	}
	reply.Write(w, req.call)
}

func recognise(r *http.Request, body []byte, sig *sigv4.Signature) awsapi.Call {
	service, region := "", ""
	if sig != nil {
		service, region = sig.Service, sig.Region
	}
	call := awsapi.Recognise(r, body, service, region)
	if call.Service == "eks" {
		call.Operation, call.Path = eks.Route(r.Method, r.URL.EscapedPath())
	}
	if call.Operation == "" {
		call.Operation = r.Method
	}
	return call
}

// answer takes a call through signature check, fault rules and service.
func (f *Front) answer(ctx context.Context, req *request, sig *sigv4.Signature, sigErr error) (awsapi.Reply, error) {
	serve, ok := f.services()[req.call.Service]
	if !ok {
		return awsapi.Reply{}, awsapi.NotImplemented(req.call, "no such service here")
	}
	caller, err := f.authenticate(ctx, req, sig, sigErr)
	if err != nil {
		return awsapi.Reply{}, err
	}
	req.caller = caller
	if err := f.applyFaults(ctx, req); err != nil {
		return awsapi.Reply{}, err
	}
	return serve(ctx, req)
}

// applyFaults waits as long as the fault rules want and returns their error.
func (f *Front) applyFaults(ctx context.Context, req *request) error {
	verdict := f.faults.Judge(req.call.Service, req.call.Operation, req.caller.ARN)
	if err := wait(ctx, verdict.Delay); err != nil {
		return err
	}
	if verdict.Fault == nil {
		return nil
	}
	req.fault = verdict.Fault.ID
	switch verdict.Fault.Kind {
	case faults.Deny:
		return awsapi.AccessDenied(req.call, req.caller.ARN, f.resource(req.call))
	case faults.Throttle:
		return awsapi.Throttled(req.call)
	}
	e := awsapi.Internal(req.call)
	if verdict.Fault.Code != "" {
		e.Code, e.Status = verdict.Fault.Code, http.StatusBadRequest
	}
	if verdict.Fault.Status != 0 {
		e.Status = verdict.Fault.Status
	}
	if verdict.Fault.Message != "" {
		e.Message = verdict.Fault.Message
	}
	return e
}

// wait returns early, with an error, when ctx is done.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Front) failure(req *request, err error) awsapi.Reply {
	var known *awsapi.Error
	if !errors.As(err, &known) && req.http.Context().Err() == nil {
		f.log.Error("call failed in the front", "service", req.call.Service, "operation", req.call.Operation, "error", err)
	}
	return awsapi.Failure(req.call, awsapi.AsError(req.call, err))
}

func (f *Front) record(req *request, sig *sigv4.Signature, reply awsapi.Reply, start time.Time) {
	code := awsapi.ErrorCode(reply)
	rec := calllog.Record{
		Time: start, Service: req.call.Service, Operation: req.call.Operation, Region: req.call.Region,
		Principal: req.caller.ARN, Source: f.source(req.http), Status: reply.Status, ErrorCode: code,
		Write: req.call.Write(), Fault: req.fault, Unimplemented: awsapi.FromSandbox(code),
		RequestID: req.call.RequestID, Millis: f.now().Sub(start).Milliseconds(),
	}
	if sig != nil {
		rec.KeyID = sig.KeyID
	}
	if _, err := f.calls.Add(rec); err != nil {
		f.log.Error("write call log", "error", err)
	}
	if rec.Unimplemented {
		f.log.Warn("call that the sandbox cannot serve", "service", rec.Service, "operation", rec.Operation, "code", code)
	}
}

// source is the caller's IP address, seen through the front's own proxy.
func (f *Front) source(r *http.Request) string {
	address := r.RemoteAddr
	if client, ok := f.tunnels.Load(address); ok {
		address, _ = client.(string)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
