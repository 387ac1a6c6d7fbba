package userdata

import "testing"

func TestWithoutBeacon(t *testing.T) {
	console := "boot\n" + beaconBegin + "\n# kubelet: activating\n|Unauthorized\nkernel: eth0 up\n" + beaconEnd + "\nlogin:\n"
	if got, want := WithoutBeacon(console), "boot\nkernel: eth0 up\nlogin:\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := WithoutBeacon("# nothing of ours\n| here\n"); got != "# nothing of ours\n| here\n" {
		t.Errorf("%q", got)
	}
}
