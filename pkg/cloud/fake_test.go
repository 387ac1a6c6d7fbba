package cloud

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// fake answers AWS calls with what AWS sends: testdata/OPERATION.{xml,json}.
// It is healthy until a test puts another answer in front.
type fake struct {
	*httptest.Server
	t       *testing.T
	mu      sync.Mutex
	calls   []call
	answers map[string]func(call) (int, string)
}

// call is one request: the operation and its parameters.
type call struct {
	op     string
	params url.Values // query services
	body   string
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, answers: map[string]func(call) (int, string){}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// client makes a Client of the fake that retries without waiting.
func (f *fake) client() *Client {
	return New(aws.Config{
		Region: "us-west-2", BaseEndpoint: aws.String(f.URL),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		Retryer: func() aws.Retryer {
			return retry.AddWithMaxBackoffDelay(newRetryer(), 1)
		},
	})
}

// answer puts an answer in front of an operation's.
func (f *fake) answer(op string, code int, body string) {
	f.answerWith(op, func(call) (int, string) { return code, body })
}

func (f *fake) answerWith(op string, answer func(call) (int, string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[op] = answer
}

// deny refuses an operation the way its service does.
func (f *fake) deny(op string) {
	f.fail(op, 403, "AccessDenied", "User is not authorized to perform: "+op)
}

func (f *fake) fail(op string, status int, code, message string) {
	f.answerWith(op, func(c call) (int, string) {
		if c.params == nil {
			return status, fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message)
		}
		if strings.HasPrefix(op, "Describe") && slices.Contains([]string{"2016-11-15"}, c.params.Get("Version")) {
			return status, fmt.Sprintf(`<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>r</RequestID></Response>`, code, message)
		}
		return status, fmt.Sprintf(`<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>`, code, message)
	})
}

// ops are the operations called so far, sorted.
func (f *fake) ops() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ops []string
	for _, c := range f.calls {
		ops = append(ops, c.op)
	}
	slices.Sort(ops)
	return ops
}

func (f *fake) last(op string) call {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range slices.Backward(f.calls) {
		if c.op == op {
			return c
		}
	}
	f.t.Fatalf("%s was not called", op)
	return call{}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Error(err)
	}
	c := f.identify(r, string(body))
	f.mu.Lock()
	f.calls = append(f.calls, c)
	answer := f.answers[c.op]
	f.mu.Unlock()
	if answer == nil {
		answer = func(c call) (int, string) { return http.StatusOK, f.canned(c.op) }
	}
	code, text := answer(c)
	contentType := "application/x-amz-json-1.1"
	if strings.HasPrefix(text, "<") {
		contentType = "text/xml"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(code)
	if _, err := io.WriteString(w, text); err != nil {
		f.t.Error(err)
	}
}

// identify finds the operation: a form's Action, a JSON target, or EKS's path.
func (f *fake) identify(r *http.Request, body string) call {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return call{op: target[strings.LastIndexByte(target, '.')+1:], body: body}
	}
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		params, err := url.ParseQuery(body)
		if err != nil {
			f.t.Error(err)
		}
		return call{op: params.Get("Action"), params: params, body: body}
	}
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if len(parts) == 3 && r.Method == http.MethodGet {
		if op := map[string]string{"node-groups": "ListNodegroups", "fargate-profiles": "ListFargateProfiles"}[parts[2]]; op != "" {
			return call{op: op, body: r.URL.String() + " " + body}
		}
	}
	ops := map[string]string{"GET 1": "ListClusters", "GET 2": "DescribeCluster", "DELETE 2": "DeleteCluster", "GET 3": "ListAccessEntries", "POST 3": "CreateAccessEntry", "GET 4": "DescribeAccessEntry", "DELETE 4": "DeleteAccessEntry"}
	return call{op: ops[fmt.Sprint(r.Method, " ", len(parts))], body: r.URL.String() + " " + body}
}

func (f *fake) canned(op string) string {
	for _, ext := range []string{".xml", ".json"} {
		data, err := os.ReadFile(filepath.Join("testdata", op+ext))
		if err == nil {
			return strings.ReplaceAll(string(data), "@TAG_GROUP@", product.TagGroup)
		}
	}
	f.t.Errorf("no answer for %q", op)
	return ""
}
