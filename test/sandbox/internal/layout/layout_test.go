package layout

import (
	"net/netip"
	"strings"
	"testing"
)

func TestNew(t *testing.T) {
	tests := []struct {
		name, base string
		wantErr    string
	}{
		{name: "drv", base: "/root/.local/state/eksnodes-sandbox"},
		{name: "a", base: "/s"},
		{name: "", base: "/s", wantErr: "want lower-case"},
		{name: "Drv", base: "/s", wantErr: "want lower-case"},
		{name: "../x", base: "/s", wantErr: "want lower-case"},
		{name: "x-", base: "/s", wantErr: "want lower-case"},
		{name: strings.Repeat("x", 33), base: "/s", wantErr: "want lower-case"},
		{name: "drv", base: "/" + strings.Repeat("x", 100), wantErr: "too long for a unix socket"},
	}
	for _, tt := range tests {
		s, err := New(tt.name, tt.base, "/cache")
		if tt.wantErr == "" {
			if err != nil || s.Dir != tt.base+"/"+tt.name {
				t.Errorf("New(%q) = %+v, %v", tt.name, s, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
			t.Errorf("New(%q) = %v, want an error with %q", tt.name, err, tt.wantErr)
		}
	}
}

func TestBases(t *testing.T) {
	tests := []struct {
		name         string
		env          map[string]string
		state, cache string
		wantErr      bool
	}{
		{name: "home", env: map[string]string{"HOME": "/root"},
			state: "/root/.local/state/eksnodes-sandbox", cache: "/root/.cache/eksnodes-sandbox"},
		{name: "xdg", env: map[string]string{"HOME": "/root", "XDG_STATE_HOME": "/st", "XDG_CACHE_HOME": "/ca"},
			state: "/st/eksnodes-sandbox", cache: "/ca/eksnodes-sandbox"},
		{name: "relative xdg is ignored, as its specification says", env: map[string]string{"HOME": "/root", "XDG_STATE_HOME": "st"},
			state: "/root/.local/state/eksnodes-sandbox", cache: "/root/.cache/eksnodes-sandbox"},
		{name: "own", env: map[string]string{"XDG_STATE_HOME": "/st", StateDirEnv: "/own", CacheDirEnv: "/cc"},
			state: "/own", cache: "/cc"},
		{name: "nothing set", wantErr: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state, cache, err := Bases(func(k string) string { return tt.env[k] })
			if (err != nil) != tt.wantErr || state != tt.state || cache != tt.cache {
				t.Errorf("Bases = %q, %q, %v", state, cache, err)
			}
		})
	}
}

// TestWorldFitsTogether checks that the network's addresses lie where the VPC and
// AWS would have them.
func TestWorldFitsTogether(t *testing.T) {
	vpc := netip.MustParsePrefix(VPCCIDR)
	for _, ip := range []string{VPCGateway, VPCResolver, ControlPlaneIP} {
		if !vpc.Contains(netip.MustParseAddr(ip)) {
			t.Errorf("%s is outside the VPC", ip)
		}
	}
	if want := vpc.Addr().Next().Next().String(); VPCResolver != want {
		t.Errorf("VPC resolver %s, want base address plus two, %s", VPCResolver, want)
	}
	if !netip.MustParsePrefix(ServiceCIDR).Contains(netip.MustParseAddr(ServiceIP)) {
		t.Errorf("%s is outside %s", ServiceIP, ServiceCIDR)
	}
	var seen []netip.Prefix
	for _, s := range Subnets() {
		p := netip.MustParsePrefix(s.CIDR)
		if !vpc.Overlaps(p) || p.Contains(netip.MustParseAddr(ControlPlaneIP)) {
			t.Errorf("subnet %s %s is not a free part of the VPC", s.Name, s.CIDR)
		}
		for _, other := range seen {
			if p.Overlaps(other) {
				t.Errorf("subnets %s and %s overlap", p, other)
			}
		}
		seen = append(seen, p)
	}
}
