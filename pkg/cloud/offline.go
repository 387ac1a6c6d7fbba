package cloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud/clijson"
	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
)

// Files are what somebody collected with the AWS CLI: the part of an evidence
// directory below aws/.
type Files interface {
	// ReadFile returns a file by its path with slashes. One that is not
	// there is an error that errors.Is fs.ErrNotExist.
	ReadFile(name string) ([]byte, error)
	// Names lists all files, sorted.
	Names() []string
}

// Offline is a client that answers every call out of files. The readers are
// the same as for the live client, and so are paging and converting: only
// the sending of requests is replaced. A call without a file is a gather.NoFile,
// a file that cannot be understood a gather.BadFile.
func Offline(region string, files Files) *Client {
	answer := middleware.InitializeMiddlewareFunc("Offline", func(ctx context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		call := offlineCall{files: files, service: awsmiddleware.GetServiceID(ctx), operation: awsmiddleware.GetOperationName(ctx), in: in.Parameters}
		out, err := call.answer()
		return middleware.InitializeOutput{Result: out}, middleware.Metadata{}, err
	})
	return New(aws.Config{
		Region:      region,
		Credentials: aws.AnonymousCredentials{},
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			return stack.Initialize.Add(answer, middleware.After)
		}},
	})
}

// offlineCall is one call of an offline client.
type offlineCall struct {
	files     Files
	service   string // EKS, EC2, Auto Scaling …
	operation string // DescribeCluster
	in        any    // *eks.DescribeClusterInput
}

// answer decodes the file of the call and takes what was asked for.
func (c offlineCall) answer() (any, error) {
	row, ok := offlineRows()[c.operation]
	if !ok {
		return nil, &gather.NoFile{Name: c.path(""), Optional: true}
	}
	out := row.out()
	if row.read != nil {
		if done, err := row.read(c, out); done || err != nil {
			return out, err
		}
	}
	suffix := ""
	if row.suffix != nil {
		suffix = row.suffix(c.in)
	}
	if err := c.decode(c.path(suffix), out); err != nil {
		return nil, err
	}
	if row.choose != nil {
		if err := row.choose(c.in, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// decode reads one file into an operation's output. It holds all pages: the
// CLI follows them by itself.
func (c offlineCall) decode(name string, out any) error {
	data, err := c.files.ReadFile(name)
	if err != nil {
		return c.missing(name, err)
	}
	if err := clijson.Decode(data, out); err != nil {
		return badFile(name, err)
	}
	for _, field := range []string{"NextToken", "Marker"} {
		if v := reflect.ValueOf(out).Elem().FieldByName(field); v.IsValid() {
			v.SetZero()
		}
	}
	if v := reflect.ValueOf(out).Elem().FieldByName("IsTruncated"); v.IsValid() {
		v.SetZero()
	}
	return nil
}

// missing is the error for a file that could not be read.
func (c offlineCall) missing(name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return badFile(name, err)
	}
	return &gather.NoFile{Name: name, Command: c.command(), Optional: offlineRows()[c.operation].optional}
}

func badFile(name string, err error) error {
	var at *clijson.Error
	if errors.As(err, &at) {
		return &gather.BadFile{Name: name, Line: at.Line, Err: at.Err}
	}
	return &gather.BadFile{Name: name, Err: err}
}

// path is where the evidence layout has an operation's output.
func (c offlineCall) path(suffix string) string {
	if suffix != "" {
		suffix = "." + suffix
	}
	return "aws/" + c.folder() + "/" + kebab(c.operation) + suffix + ".json"
}

// folder is the CLI's name of the service: its id in lower case, but for
// those of two words.
func (c offlineCall) folder() string {
	if c.service == "Service Quotas" {
		return "service-quotas"
	}
	return strings.ToLower(strings.ReplaceAll(c.service, " ", ""))
}

// command is the AWS CLI's command that prints the file: the parameters that
// choose what is read, but for filters, which only spare some reading.
func (c offlineCall) command() string {
	words := []string{"aws", c.folder(), kebab(c.operation)}
	in := reflect.ValueOf(c.in).Elem()
	for i := range in.NumField() {
		name, value := in.Type().Field(i).Name, in.Field(i)
		if !in.Type().Field(i).IsExported() {
			continue
		}
		switch text, ok := value.Interface().(*string); {
		case ok && text != nil && name != "NextToken" && name != "Marker":
			words = append(words, "--"+kebab(name), *text)
		case value.Kind() == reflect.String && value.Len() > 0: // an enumeration
			words = append(words, "--"+kebab(name), value.String())
		}
	}
	return strings.Join(words, " ")
}

// kebab turns DescribeNatGateways into describe-nat-gateways, and
// DescribeDBInstances into describe-db-instances.
func kebab(name string) string {
	var out strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		start := i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if start {
			out.WriteByte('-')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

// notThere is the service's own answer for a thing that does not exist.
func notThere(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}
