package hostfile

import (
	"bytes"
	"net/netip"
	"net/url"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// OSRelease reads os-release: the name for people, the id, and the family of
// node images that it is.
func OSRelease(data []byte) (name, id, family string) {
	values := map[string]string{}
	for _, line := range EnvironmentFile(data) {
		key, value, _ := strings.Cut(line, "=")
		values[key] = redact.Line(value)
	}
	name, id = values["PRETTY_NAME"], values["ID"]
	family = id
	if id == "amzn" {
		family = map[string]string{"2": "al2", "2023": "al2023"}[values["VERSION_ID"]]
	}
	return name, id, family
}

// NameServers are those of a resolv.conf.
func NameServers(data []byte) []string {
	var servers []string
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if address, err := netip.ParseAddr(fields[1]); err == nil {
			servers = append(servers, address.String())
		}
	}
	return servers
}

// Environ takes /proc/PID/environ and cmdline apart: text ended by NUL. There
// is always at least one.
func Environ(data []byte) []string {
	return strings.Split(string(bytes.TrimRight(data, "\x00")), "\x00")
}

// EnvironmentFile are the settings of a systemd environment file or of a file
// like os-release: NAME=value, quotes taken off.
func EnvironmentFile(data []byte) []string {
	var settings []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		name, value, ok := strings.Cut(line, "=")
		if !ok || name == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		if quoted := len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]; quoted {
			value = value[1 : len(value)-1]
		}
		settings = append(settings, name+"="+value)
	}
	return settings
}

// Proxy picks the proxy settings out of an environment. Names in lower case
// win, as in Go's net/http. Users and passwords are taken out.
func Proxy(unit string, environ []string) snapshot.HostProxyUnit {
	out := snapshot.HostProxyUnit{Unit: unit}
	for _, upper := range []bool{true, false} {
		for _, setting := range environ {
			name, value, _ := strings.Cut(setting, "=")
			if upper != (name == strings.ToUpper(name)) {
				continue
			}
			switch strings.ToLower(name) {
			case "http_proxy":
				out.HTTP = withoutUser(value)
			case "https_proxy":
				out.HTTPS = withoutUser(value)
			case "no_proxy":
				out.No = redact.Line(value)
			}
		}
	}
	return out
}

// withoutUser drops user and password of a proxy's URL.
func withoutUser(proxy string) string {
	parsed, err := url.Parse(proxy)
	if err != nil || parsed.Host == "" { // host:port, or user:password@host:port
		return redact.Line(proxy[strings.LastIndexByte(proxy, '@')+1:])
	}
	parsed.User = nil
	return redact.Line(parsed.String())
}

// Flags are a program's flags by name. Credentials in values are taken out.
func Flags(arguments []string) map[string]string {
	flags := map[string]string{}
	for i := 0; i < len(arguments) && len(flags) < 100; i++ {
		name, isFlag := strings.CutPrefix(arguments[i], "-")
		if !isFlag {
			continue
		}
		name, value, joined := strings.Cut(strings.TrimPrefix(name, "-"), "=")
		if !joined && i+1 < len(arguments) && !strings.HasPrefix(arguments[i+1], "-") {
			i++
			value = arguments[i]
		}
		flags[redact.Line(name)] = redact.Line(value)
	}
	return flags
}
