package nodegroup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExtraVolumes(t *testing.T) {
	for spec, want := range map[string]string{
		"/dev/xvdf=200":             "",
		"/dev/sdf=200:st1":          "",
		"/dev/xvdba=1:sc1":          "",
		"/dev/xvdf":                 "use DEVICE=GIB",
		"/dev/xvdf=big":             "use DEVICE=GIB",
		"/dev/xvda=20":              `device "/dev/xvda": use one like`,
		"xvdf=20":                   `device "xvdf": use one like`,
		"/dev/xvdf=0":               "use 1 to 65536 GiB",
		"/dev/xvdf=20:io2":          `type "io2" of /dev/xvdf: use gp3, gp2, st1, sc1`,
		"/dev/xvdf=20:":             `type "" of /dev/xvdf`,
		"/dev/xvdf=20,/dev/xvdf=30": "/dev/xvdf is taken already",
	} {
		volumes, err := ParseVolumes(strings.Split(spec, ","))
		if err == nil {
			err = request(func(r *Request) { r.ExtraVolumes = volumes }).Validate()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
	got, err := ParseVolumes([]string{"/dev/xvdf=200", "/dev/xvdg=500:st1"})
	if diff := cmp.Diff([]ExtraVolume{{"/dev/xvdf", 200, "gp3"}, {"/dev/xvdg", 500, "st1"}}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	bottlerocket := request(func(r *Request) {
		r.Family, r.ExtraVolumes = FamilyBottlerocket, []ExtraVolume{{"/dev/xvdb", 20, "gp3"}}
	})
	if err := bottlerocket.Validate(); err == nil {
		t.Error("Bottlerocket's own data volume was taken")
	}
}
