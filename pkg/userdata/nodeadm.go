package userdata

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/eksnodes/kubectl-eksnodes/pkg/yamlsize"
)

// decoded is a NodeConfig as nodeadm decodes it (api/v1alpha1). A field that is not here is ignored; a value of another
// type makes the whole document unreadable. Types are written out because nodeadm's own bring the API machinery into
// every program that imports this package.
type decoded struct {
	Metadata objectMeta `json:"metadata"`
	Spec     struct {
		Cluster struct {
			Name                 string `json:"name"`
			APIServerEndpoint    string `json:"apiServerEndpoint"`
			CertificateAuthority []byte `json:"certificateAuthority"`
			CIDR                 string `json:"cidr"`
			EnableOutpost        *bool  `json:"enableOutpost"`
			ID                   string `json:"id"`
		} `json:"cluster"`
		Containerd struct {
			Config          string                     `json:"config"`
			BaseRuntimeSpec map[string]json.RawMessage `json:"baseRuntimeSpec"`
		} `json:"containerd"`
		Instance struct {
			LocalStorage struct {
				Strategy       string   `json:"strategy"`
				MountPath      string   `json:"mountPath"`
				DisabledMounts []string `json:"disabledMounts"`
			} `json:"localStorage"`
			Environment map[string]map[string]string `json:"environment"`
			Network     struct {
				Nameservers []string `json:"nameservers"`
				Domains     []string `json:"domains"`
			} `json:"network"`
		} `json:"instance"`
		Kubelet struct {
			Config            map[string]json.RawMessage `json:"config"`
			Flags             []string                   `json:"flags"`
			MaxPodsExpression string                     `json:"maxPodsExpression"`
		} `json:"kubelet"`
		FeatureGates map[string]bool `json:"featureGates"`
	} `json:"spec"`
}

// objectMeta is Kubernetes' (apimachinery, meta/v1). Nothing of it is used, but a label that is a number stops nodeadm.
type objectMeta struct {
	Name                       string            `json:"name"`
	GenerateName               string            `json:"generateName"`
	Namespace                  string            `json:"namespace"`
	SelfLink                   string            `json:"selfLink"`
	UID                        string            `json:"uid"`
	ResourceVersion            string            `json:"resourceVersion"`
	Generation                 int64             `json:"generation"`
	CreationTimestamp          timestamp         `json:"creationTimestamp"`
	DeletionTimestamp          *timestamp        `json:"deletionTimestamp"`
	DeletionGracePeriodSeconds *int64            `json:"deletionGracePeriodSeconds"`
	Labels                     map[string]string `json:"labels"`
	Annotations                map[string]string `json:"annotations"`
	OwnerReferences            []struct {
		APIVersion         string `json:"apiVersion"`
		Kind               string `json:"kind"`
		Name               string `json:"name"`
		UID                string `json:"uid"`
		Controller         *bool  `json:"controller"`
		BlockOwnerDeletion *bool  `json:"blockOwnerDeletion"`
	} `json:"ownerReferences"`
	Finalizers    []string `json:"finalizers"`
	ManagedFields []struct {
		Manager     string          `json:"manager"`
		Operation   string          `json:"operation"`
		APIVersion  string          `json:"apiVersion"`
		Time        *timestamp      `json:"time"`
		FieldsType  string          `json:"fieldsType"`
		FieldsV1    json.RawMessage `json:"fieldsV1"`
		Subresource string          `json:"subresource"`
	} `json:"managedFields"`
}

// timestamp is a time as Kubernetes decodes it.
type timestamp struct{}

// UnmarshalJSON takes null and RFC 3339.
func (*timestamp) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	_, err := time.Parse(time.RFC3339, text)
	return err
}

var (
	errNotJSON  = errors.New("it begins with a brace, and so must be JSON: it is not")
	errBomb     = errors.New("aliases make it larger than 1 MiB")
	errNoConfig = errors.New("apiVersion and kind are not " + nodeConfigVersion + " and " + nodeConfigKind)
)

// decodeNodeConfig reads a NodeConfig as nodeadm does, by the API machinery's universal decoder: what begins with a
// brace is JSON and anything else YAML, of which only the first document counts. What could be read is given with an
// error as well. Errors: errNotJSON, errBomb, errNoConfig, a *json.UnmarshalTypeError, or the YAML library's.
func decodeNodeConfig(text []byte) (decoded, error) {
	var config decoded
	raw, err := asJSON(text)
	if err != nil {
		return config, err
	}
	// Of these two keys alone nodeadm does not mind the letter case.
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	err = json.Unmarshal(raw, &head)
	known := head.APIVersion == nodeConfigVersion || head.APIVersion == nodeConfigInternal
	if err != nil || !known || head.Kind != nodeConfigKind {
		err = errNoConfig
	}
	if decodeErr := kjson.UnmarshalCaseSensitivePreserveInts(raw, &config); err == nil {
		err = decodeErr
	}
	return config, err
}

// nodeConfigInternal is the version under which nodeadm caches what it has read; it takes it from anybody.
const nodeConfigInternal = "node.eks.aws/__internal"

func asJSON(text []byte) ([]byte, error) {
	if bytes.HasPrefix(bytes.TrimLeftFunc(text, unicode.IsSpace), []byte("{")) {
		if !json.Valid(text) {
			return nil, errNotJSON
		}
		return text, nil
	}
	switch err := yamlsize.Check(text, maxDecoded); {
	case errors.Is(err, yamlsize.ErrTooLarge):
		return nil, errBomb
	case err != nil:
		return nil, err
	}
	return yaml.YAMLToJSON(text)
}

// namesNodeConfig reports whether nodeadm would take a text for a NodeConfig, be it broken further down.
func namesNodeConfig(text string) bool {
	if !strings.Contains(text, "node.eks.aws/") {
		return false
	}
	_, err := decodeNodeConfig([]byte(text))
	var wrongType *json.UnmarshalTypeError
	return err == nil || errors.As(err, &wrongType)
}
