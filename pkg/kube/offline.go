package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
)

// Files are what somebody collected with kubectl: the part of an evidence
// directory below kube/.
type Files interface {
	// ReadFile returns a file by its path with slashes. One that is not
	// there is an error that errors.Is fs.ErrNotExist.
	ReadFile(name string) ([]byte, error)
}

// Offline is a connection that answers every request out of files. The
// readers are the same as for the live one; only the sending of requests is
// replaced. A request without a file is a gather.NoFile, a file that cannot be
// understood a gather.BadFile.
func Offline(files Files) (*Connection, error) {
	config := &rest.Config{Host: "https://evidence.invalid", Transport: offline{files}, QPS: -1}
	client, err := NewClient(config)
	if err != nil {
		return nil, err
	}
	return &Connection{Config: config, Client: client}, nil
}

// offline plays the API server.
type offline struct{ files Files }

// RoundTrip answers GET requests for lists and for single objects.
func (o offline) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if req.Method != http.MethodGet {
		return nil, errors.New("collected evidence is not changed")
	}
	asked := parsePath(req.URL.Path)
	asked.fields = req.URL.Query().Get("fieldSelector")
	answer, err := o.answer(asked)
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if answer == nil {
		status = http.StatusNotFound
		answer = map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": status, "message": "not in the evidence"}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("answer %s: %w", req.URL.Path, err)
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// apiPath is what a request is for.
type apiPath struct {
	resource, namespace, name string
	fields                    string // field selector: "type=Warning,involvedObject.kind=Node"
}

// parsePath takes the paths below /api/v1 and /apis/GROUP/VERSION apart.
func parsePath(path string) apiPath {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] == "version" {
		return apiPath{resource: "version"}
	}
	parts = parts[min(len(parts), map[string]int{"api": 2, "apis": 3}[parts[0]]):]
	var p apiPath
	if len(parts) > 2 && parts[0] == "namespaces" {
		p.namespace, parts = parts[1], parts[2:]
	}
	if len(parts) > 0 {
		p.resource = parts[0]
	}
	if len(parts) > 1 {
		p.name = parts[1]
	}
	return p
}

// answer is the object or list, or nil when the API server would know of
// none.
func (o offline) answer(p apiPath) (any, error) {
	switch {
	case p.resource == "version":
		return o.version()
	case p.resource == "configmaps" && p.name != "":
		return o.single("kube/configmap-"+p.name, fmt.Sprintf("kubectl -n %s get configmap %s -o yaml", p.namespace, p.name))
	}
	items, err := o.items(p.resource)
	var none *gather.NoFile
	if errors.As(err, &none) && p.resource == "serviceaccounts" {
		items, err = o.accountsOfPods()
	}
	if err != nil {
		return nil, err
	}
	items = slices.DeleteFunc(items, func(item map[string]any) bool {
		namespace, name := metadata(item, "namespace"), metadata(item, "name")
		return p.namespace != "" && namespace != p.namespace || p.name != "" && name != p.name || !selected(item, p.fields)
	})
	switch {
	case p.name == "":
		return map[string]any{"metadata": map[string]any{}, "items": items}, nil
	case len(items) == 0:
		return nil, nil
	}
	return items[0], nil
}

// fileOf is the layout's name for a resource's list.
func fileOf(resource string) string {
	if resource == "certificatesigningrequests" {
		return "kube/csr.json"
	}
	return "kube/" + resource + ".json"
}

// items are the objects in the file of a resource.
func (o offline) items(resource string) ([]map[string]any, error) {
	name := fileOf(resource)
	var list struct {
		Items []map[string]any `json:"items"`
	}
	scope := "-A "
	if slices.Contains([]string{"nodes", "certificatesigningrequests", "clusterrolebindings"}, resource) || strings.HasSuffix(resource, "webhookconfigurations") {
		scope = ""
	}
	if err := o.decode(name, "kubectl get "+scope+resource+" -o json", &list); err != nil {
		return nil, err
	}
	return list.Items, nil
}

// accountsOfPods are the service accounts that pods run under, with the IAM
// roles that EKS's webhook put into the pods' environment.
func (o offline) accountsOfPods() ([]map[string]any, error) {
	var list corev1.PodList
	if err := o.decode(fileOf("pods"), "kubectl get -A pods -o json", &list); err != nil {
		return nil, err
	}
	var accounts []map[string]any
	for i := range list.Items {
		pod := &list.Items[i]
		annotations := map[string]any{}
		for _, container := range pod.Spec.Containers {
			for _, env := range container.Env {
				if env.Name == envRoleARN {
					annotations[roleAnnotation] = env.Value
				}
			}
		}
		accounts = append(accounts, map[string]any{"metadata": map[string]any{
			"namespace": pod.Namespace, "name": pod.Spec.ServiceAccountName, "annotations": annotations,
		}})
	}
	return accounts, nil
}

// single is a file with one object, YAML or JSON.
func (o offline) single(stem, command string) (any, error) {
	for _, name := range []string{stem + ".yaml", stem + ".json"} {
		var object map[string]any
		err := o.decode(name, command, &object)
		var none *gather.NoFile
		switch {
		case errors.As(err, &none) && path.Ext(name) != ".json":
			continue
		case errors.As(err, &none):
			return nil, &gather.NoFile{Name: stem + ".yaml", Command: command}
		case err != nil:
			return nil, err
		case object["data"] == nil && object["metadata"] == nil:
			return nil, &gather.BadFile{Name: name, Err: errors.New("holds no object")}
		}
		return object, nil
	}
	return nil, nil
}

// version takes what `kubectl version` prints, or `kubectl get --raw
// /version`.
func (o offline) version() (any, error) {
	var out map[string]any
	if err := o.decode("kube/version.json", "kubectl version -o json", &out); err != nil {
		return nil, err
	}
	if _, both := out["clientVersion"]; !both {
		return out, nil
	}
	if out["serverVersion"] == nil {
		return nil, &gather.BadFile{Name: "kube/version.json", Err: errors.New("says nothing of the server")}
	}
	return out["serverVersion"], nil
}

// decode reads a file of YAML or JSON.
func (o offline) decode(name, command string, out any) error {
	data, err := o.files.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &gather.NoFile{Name: name, Command: command}
	}
	if err != nil {
		return &gather.BadFile{Name: name, Err: err}
	}
	if path.Ext(name) == ".yaml" {
		if data, err = yaml.YAMLToJSON(data); err != nil {
			return &gather.BadFile{Name: name, Line: yamlLine(err), Err: err}
		}
	}
	if err := json.Unmarshal(data, out); err != nil {
		return &gather.BadFile{Name: name, Line: jsonLine(data, err), Err: err}
	}
	return nil
}

// yamlLine is the line that a parser's error names.
func yamlLine(err error) int {
	_, rest, ok := strings.Cut(err.Error(), "line ")
	line := 0
	if ok {
		if _, err := fmt.Sscanf(rest, "%d", &line); err != nil {
			return 0
		}
	}
	return line
}

// jsonLine is the line that an error is in.
func jsonLine(data []byte, err error) int {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var at int64
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	default:
		return 0
	}
	return 1 + bytes.Count(data[:min(at, int64(len(data)))], []byte("\n"))
}

// selected applies a field selector of equalities.
func selected(item map[string]any, fields string) bool {
	for _, term := range strings.FieldsFunc(fields, func(r rune) bool { return r == ',' }) {
		path, want, _ := strings.Cut(term, "=")
		var value any = item
		for _, name := range strings.Split(path, ".") {
			object, _ := value.(map[string]any)
			value = object[name]
		}
		if value != want {
			return false
		}
	}
	return true
}

func metadata(item map[string]any, field string) string {
	meta, _ := item["metadata"].(map[string]any)
	value, _ := meta[field].(string)
	return value
}
