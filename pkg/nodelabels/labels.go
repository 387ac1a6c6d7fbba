// Package nodelabels reads the labels and taints a user gives for a node group and judges them by the rules the
// kubelet and the API server will apply, so that a node is never launched that must refuse to start.
//
// It is apart from package userdata because the kubelet's own rules come with the Kubernetes API types, which a
// program that only reads user data need not carry.
package nodelabels

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	kubeletapis "k8s.io/kubelet/pkg/apis"
)

// ParseLabels reads "key=value" pairs, several in one string separated by commas, and validates every one. A key
// given twice with two values is an error. All faults are reported at once, joined.
func ParseLabels(specs ...string) (map[string]string, error) {
	labels := map[string]string{}
	var errs []error
	for _, spec := range split(specs) {
		key, value, found := strings.Cut(spec, "=")
		if !found {
			errs = append(errs, fmt.Errorf("label %q is not of the form key=value", spec))
			continue
		}
		if err := CheckLabel(key, value); err != nil {
			errs = append(errs, err)
			continue
		}
		if earlier, seen := labels[key]; seen && earlier != value {
			errs = append(errs, fmt.Errorf("label %q is given twice, as %q and %q", key, earlier, value))
			continue
		}
		labels[key] = value
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return labels, nil
}

// CheckLabels judges a whole set, in order of the keys, and joins the faults.
func CheckLabels(labels map[string]string) error {
	errs := make([]error, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		errs = append(errs, CheckLabel(key, labels[key]))
	}
	return errors.Join(errs...)
}

// CheckLabel says why the kubelet would not start with this label, or why the API server would not let it set the
// label on its own Node; nil when neither objects. The rules are those of the kubelet's --node-labels flag and of the
// NodeRestriction admission plugin.
func CheckLabel(key, value string) error {
	if problems := validation.IsQualifiedName(key); len(problems) > 0 {
		return fmt.Errorf("label key %q: %s", key, strings.Join(problems, "; "))
	}
	if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
		return fmt.Errorf("label %q, value %q: %s", key, value, strings.Join(problems, "; "))
	}
	namespace, _, found := strings.Cut(key, "/")
	if !found {
		return nil
	}
	if within(namespace, "node-restriction.kubernetes.io") || within(namespace, "node-role.kubernetes.io") {
		return fmt.Errorf("label %q cannot be set by a node on itself: an administrator must set it after the node "+
			"has joined (kubectl label node NAME %s=%s)", key, key, value)
	}
	if isKubernetesLabel(namespace) && !kubeletapis.IsKubeletLabel(key) {
		return fmt.Errorf("label %q is reserved: within kubernetes.io and k8s.io the kubelet starts only with keys "+
			"under %s, or one of %s", key,
			strings.Join(kubeletapis.KubeletLabelNamespaces(), ", "), strings.Join(kubeletapis.KubeletLabels(), ", "))
	}
	return nil
}

// isKubernetesLabel is the kubelet's rule (cmd/kubelet/app/options): the namespaces kubernetes.io and k8s.io with
// all below them are Kubernetes' own.
func isKubernetesLabel(namespace string) bool {
	return within(namespace, "kubernetes.io") || within(namespace, "k8s.io")
}

// within reports whether a label namespace is the domain or a subdomain of it.
func within(namespace, domain string) bool {
	return namespace == domain || strings.HasSuffix(namespace, "."+domain)
}

// split cuts comma-separated specs apart and drops empty ones, so that "a=b," and an unset flag mean what they seem.
func split(specs []string) []string {
	var all []string
	for _, spec := range specs {
		for one := range strings.SplitSeq(spec, ",") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}
