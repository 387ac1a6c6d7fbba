// Package groupconfig is a node group as a file: what `add -f` reads and
// `describe -o config` writes. It is pure.
//
// The settings are the flags of `add`, by the same names in camel case, so that
// nobody has to learn two languages. A test of package cli holds the two
// together.
package groupconfig

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
)

// What a file says of itself.
const (
	APIVersion = report.APIVersion
	Kind       = "NodeGroupConfig"
)

// Config is one node group.
type Config struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata names the node group.
type Metadata struct {
	Name string `json:"name"`
}

// Spec holds the settings, in the order of `add --help`. The zero value of a
// field leaves the choice to `add`, as leaving the flag out does.
//
// enum holds the words that a field can have; inline marks content that the
// flag takes from a file.
type Spec struct {
	Desired      *int   `json:"desired,omitempty"`
	Min          *int   `json:"min,omitempty"`
	Max          *int   `json:"max,omitempty"`
	InstanceType Texts  `json:"instanceType,omitempty"`
	Spot         *bool  `json:"spot,omitempty"`
	OnDemandBase *int   `json:"onDemandBase,omitempty"`
	AMIFamily    string `json:"amiFamily,omitempty" enum:"al2023 bottlerocket custom"`
	AMI          string `json:"ami,omitempty"`

	WarmPool      *int     `json:"warmPool,omitempty"`
	WarmPoolState string   `json:"warmPoolState,omitempty" enum:"stopped running"`
	WarmPoolMax   *int     `json:"warmPoolMax,omitempty"`
	LifecycleHook []string `json:"lifecycleHook,omitempty"`
	GroupMetrics  *bool    `json:"groupMetrics,omitempty"`

	VolumeSize       *int     `json:"volumeSize,omitempty"`
	VolumeType       string   `json:"volumeType,omitempty"`
	VolumeIOPS       *int     `json:"volumeIops,omitempty"`
	VolumeThroughput *int     `json:"volumeThroughput,omitempty"`
	VolumeEncrypted  *bool    `json:"volumeEncrypted,omitempty"`
	VolumeKMSKey     string   `json:"volumeKmsKey,omitempty"`
	ExtraVolumes     []string `json:"extraVolumes,omitempty"`

	Subnets        []string          `json:"subnets,omitempty"`
	SubnetTag      map[string]string `json:"subnetTag,omitempty"`
	Private        *bool             `json:"private,omitempty"`
	Public         *bool             `json:"public,omitempty"`
	SecurityGroups []string          `json:"securityGroups,omitempty"`
	CIDR           []string          `json:"cidr,omitempty"`
	IsolatedSG     *bool             `json:"isolatedSg,omitempty"`
	HopLimit       *int              `json:"hopLimit,omitempty"`

	Labels        map[string]string `json:"labels,omitempty"`
	Taints        []string          `json:"taints,omitempty"`
	MaxPods       *int              `json:"maxPods,omitempty"`
	KubeletConfig map[string]any    `json:"kubeletConfig,omitempty" inline:"fields of a KubeletConfiguration"`
	NodeConfig    string            `json:"nodeConfig,omitempty" inline:"a NodeConfig or other user data, merged before ours"`
	PreBootstrap  []string          `json:"preBootstrap,omitempty"`
	PostBootstrap []string          `json:"postBootstrap,omitempty"`
	NoBeacon      *bool             `json:"noBeacon,omitempty"`
	BeaconDelay   string            `json:"beaconDelay,omitempty"`

	KeyPair             string `json:"keyPair,omitempty"`
	CreateKeyPair       string `json:"createKeyPair,omitempty"`
	ImportKeyPair       string `json:"importKeyPair,omitempty"`
	Role                string `json:"role,omitempty"`
	InstanceProfile     string `json:"instanceProfile,omitempty"`
	PermissionsBoundary string `json:"permissionsBoundary,omitempty"`

	Template       string            `json:"template,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
	AutoscalerTags *bool             `json:"autoscalerTags,omitempty"`
	RoleARN        string            `json:"roleArn,omitempty"`
	OnFailure      string            `json:"onFailure,omitempty" enum:"rollback do-nothing delete"`
}

// Texts is a list that is written as a text alone when it has one item, and
// read of both.
type Texts []string

// MarshalJSON writes one item without a list around it.
func (t Texts) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// New is a config of the name with no settings.
func New(name string) *Config {
	return &Config{APIVersion: APIVersion, Kind: Kind, Metadata: Metadata{Name: name}}
}

// Field is one setting of a [Spec], as a flag has it.
type Field struct {
	Name  string   // in a file: volumeSize
	Flag  string   // of add, without dashes: volume-size
	Texts []string // the flag's value or values, key=value of maps; nil: not set
	// Inline says what stands in the file in place of the name of a file that
	// the flag takes; "" for all other fields. Such a field has no Texts.
	Inline string
}

// Fields lists all settings, in the order of the type.
func (s *Spec) Fields() []Field {
	value := reflect.ValueOf(s).Elem()
	fields := make([]Field, 0, value.NumField())
	for i := range value.NumField() {
		field := value.Type().Field(i)
		name := jsonName(field)
		out := Field{Name: name, Flag: kebab(name), Inline: field.Tag.Get("inline")}
		if at := value.Field(i); !at.IsZero() && out.Inline == "" {
			out.Texts = texts(at)
		}
		fields = append(fields, out)
	}
	return fields
}

func texts(value reflect.Value) []string {
	switch value.Kind() {
	case reflect.Pointer:
		return texts(value.Elem())
	case reflect.Slice:
		out := make([]string, value.Len())
		for i := range out {
			out[i] = value.Index(i).String()
		}
		return out
	case reflect.Map:
		pairs := value.Interface().(map[string]string)
		out := []string{}
		for _, key := range slices.Sorted(maps.Keys(pairs)) {
			out = append(out, key+"="+pairs[key])
		}
		return out
	}
	return []string{fmt.Sprint(value.Interface())}
}

// SetTexts sets a setting that is not inline from a flag's value or values.
func (s *Spec) SetTexts(name string, texts []string) error {
	value := reflect.ValueOf(s).Elem()
	for i := range value.NumField() {
		if jsonName(value.Type().Field(i)) == name {
			return setTexts(value.Field(i), name, texts)
		}
	}
	return fmt.Errorf("there is no setting %s", name)
}

func setTexts(into reflect.Value, name string, texts []string) error {
	switch kind := into.Kind(); {
	case kind == reflect.Slice:
		into.Set(reflect.ValueOf(slices.Clone(texts)).Convert(into.Type()))
	case kind == reflect.Map:
		pairs := map[string]string{}
		for _, text := range texts {
			key, value, _ := strings.Cut(text, "=")
			pairs[key] = value
		}
		into.Set(reflect.ValueOf(pairs))
	case len(texts) != 1:
		return fmt.Errorf("%s has %d values, not one", name, len(texts))
	case kind == reflect.String:
		into.SetString(texts[0])
	default: // a pointer to a number or a truth
		fresh := reflect.New(into.Type().Elem())
		if _, err := fmt.Sscan(texts[0], fresh.Interface()); err != nil {
			return fmt.Errorf("%s %q: %w", name, texts[0], err)
		}
		into.Set(fresh)
	}
	return nil
}

// jsonName is the name of a field in a file.
func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// kebab turns volumeSize into volume-size.
func kebab(camel string) string {
	var out strings.Builder
	for _, r := range camel {
		if r >= 'A' && r <= 'Z' {
			out.WriteByte('-')
			r += 'a' - 'A'
		}
		out.WriteRune(r)
	}
	return out.String()
}
