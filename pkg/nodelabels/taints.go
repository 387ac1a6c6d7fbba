package nodelabels

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/eksnodes/kubectl-eksnodes/pkg/userdata"
)

// effects lists the taint effects Kubernetes knows.
func effects() []string { return []string{"NoSchedule", "PreferNoSchedule", "NoExecute"} }

// ParseTaints reads taints of the form "key=value:Effect" or "key:Effect", several in one string separated by
// commas, keeps their order and validates every one. Kubernetes identifies a taint by key and effect, so the same
// pair given twice is an error. All faults are reported at once, joined.
func ParseTaints(specs ...string) ([]userdata.Taint, error) {
	var taints []userdata.Taint
	var errs []error
	for _, spec := range split(specs) {
		taint, err := parseTaint(spec)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		same := func(t userdata.Taint) bool { return t.Key == taint.Key && t.Effect == taint.Effect }
		if slices.ContainsFunc(taints, same) {
			errs = append(errs, fmt.Errorf("taint %q with effect %s is given twice", taint.Key, taint.Effect))
			continue
		}
		taints = append(taints, taint)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return taints, nil
}

func parseTaint(spec string) (userdata.Taint, error) {
	head, effect, found := strings.Cut(spec, ":")
	if !found || head == "" {
		return userdata.Taint{}, fmt.Errorf("taint %q is not of the form key=value:Effect or key:Effect", spec)
	}
	key, value, _ := strings.Cut(head, "=")
	taint := userdata.Taint{Key: key, Value: value, Effect: effect}
	return taint, CheckTaint(taint)
}

// CheckTaint says why the kubelet or the API server would refuse a taint; nil when they would not.
func CheckTaint(t userdata.Taint) error {
	if problems := validation.IsQualifiedName(t.Key); len(problems) > 0 {
		return fmt.Errorf("taint key %q: %s", t.Key, strings.Join(problems, "; "))
	}
	if problems := validation.IsValidLabelValue(t.Value); len(problems) > 0 {
		return fmt.Errorf("taint %q, value %q: %s", t.Key, t.Value, strings.Join(problems, "; "))
	}
	if !slices.Contains(effects(), t.Effect) {
		return fmt.Errorf("taint %q: effect %q is not one of %s", t.Key, t.Effect, strings.Join(effects(), ", "))
	}
	return nil
}
