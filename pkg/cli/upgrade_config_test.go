package cli

import (
	"slices"
	"testing"

	"github.com/eksnodes/kubectl-eksnodes/pkg/groupconfig"
)

// TestInto: a type given beside a file is the preferred one, and the file's
// others stay in their order.
func TestInto(t *testing.T) {
	for _, test := range []struct{ file, want groupconfig.Texts }{
		{nil, groupconfig.Texts{"t3.large"}},
		{groupconfig.Texts{"m5.large"}, groupconfig.Texts{"t3.large"}},
		{groupconfig.Texts{"m5.large", "t3.large", "c5.large"}, groupconfig.Texts{"t3.large", "c5.large"}},
	} {
		spec := groupconfig.Spec{InstanceType: slices.Clone(test.file)}
		into(&spec, launchWish{kind: "t3.large"})
		if !slices.Equal(spec.InstanceType, test.want) {
			t.Errorf("%v became %v", test.file, spec.InstanceType)
		}
	}
}
