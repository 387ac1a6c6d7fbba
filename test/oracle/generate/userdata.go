package generate

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"strings"
)

// UserData writes user data as people and tools write it for AL2023, with and
// without mistakes: a NodeConfig alone or in MIME, several of them, wrapped in
// base64 and gzip.
func (g Gen) UserData() []byte {
	var text string
	switch {
	case g.chance(30):
		text = g.nodeConfig()
	case g.chance(5):
		text = g.foreign()
	default:
		text = g.multipart()
	}
	if g.chance(15) {
		text = g.DamageUserData(text)
	}
	if g.chance(12) {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if g.chance(3) {
		text = g.pick("\n", " ", "\t", "\r\n", byteOrderMark, "\n\n", "# c\n") + text
	}
	return g.wrap([]byte(text))
}

// wrap puts encodings around user data.
func (g Gen) wrap(raw []byte) []byte {
	switch g.IntN(14) {
	case 0:
		raw = zipped(raw)
	case 1:
		raw = encoded(raw)
	case 2:
		raw = encoded(zipped(raw))
	case 3:
		raw = append(encoded(raw), g.pick("\n", " ", "\r\n", "=")...)
	case 4:
		raw = zipped(raw)
		if g.chance(80) {
			break
		}
		if g.chance(50) {
			raw = raw[:g.IntN(len(raw))]
		} else {
			raw = append(raw, g.pick("x", "\n", string(raw))...)
		}
	}
	return raw
}

func zipped(raw []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(raw); err != nil {
		panic(err) // into memory
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func encoded(raw []byte) []byte {
	return []byte(base64.StdEncoding.EncodeToString(raw))
}

// foreign is user data without a NodeConfig.
func (g Gen) foreign() string {
	return g.pick("", "\n", "#!/bin/bash\n/etc/eks/bootstrap.sh demo\n", "#cloud-config\npackages: [a]\n", "[settings.kubernetes]\ncluster-name = \"demo\"\n",
		"hello", "---\n", "null", "[]", "{}", "a: b\n", "apiVersion: v1\nkind: Pod\n", "kind: NodeConfig\n", "apiVersion: node.eks.aws/v1alpha1\n",
		"<powershell>\nx\n</powershell>", "Content-Type: text/plain\n\nnode.eks.aws/\n")
}

// field is one line or block of a mapping.
type field struct {
	key   string
	value any // string: as written; []field: a mapping; []string: a list, as written
}

func (g Gen) nodeConfig() string {
	fields := []field{
		{g.often("apiVersion", "apiversion", "apiVersions"), g.often("node.eks.aws/v1alpha1", "node.eks.aws/v1", "v1alpha1", "node.eks.aws/__internal", "1")},
		{g.often("kind", "Kind", "knd"), g.often("NodeConfig", "Nodeconfig", "NodeConfigList", "Status")},
	}
	if g.chance(15) {
		fields = append(fields, field{"metadata", g.metadata()})
	}
	if !g.chance(4) {
		fields = append(fields, field{g.often("spec", "Spec"), g.spec()})
	}
	g.shuffle(fields)
	text := g.style(fields)
	if g.chance(5) {
		text = g.pick("---\n", "# c\n", "%YAML 1.1\n---\n", "#cloud-config\n", "#!/bin/sh\n") + text
	}
	if g.chance(5) {
		text += g.pick("---\n", "...\n", "---\nkind: x\n", "\t", "# end", "\x00", "---\n- [", "- x\n")
	}
	return text
}

// often is the first word nearly always, and else one of the others.
func (g Gen) often(word string, others ...string) string {
	if g.IntN(1000) < 985 {
		return word
	}
	return g.pick(others...)
}

func (g Gen) shuffle(fields []field) {
	if g.chance(40) {
		g.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	}
	if len(fields) > 0 && g.chance(2) {
		fields[g.IntN(len(fields))] = fields[g.IntN(len(fields))] // a key that is there twice
	}
}

func (g Gen) metadata() any {
	return []field{
		{"name", g.often("x", "5", "null", "[]")},
		{g.pick("labels", "annotations"), []field{{"a", g.often("b", "1", "true", "null", "[x]")}}},
		{"creationTimestamp", g.often("null", "2024-01-01T00:00:00Z", "'2024-01-01T00:00:00Z'", "soon", "5", "2024-01-01T5:00:00Z")},
	}
}

func (g Gen) spec() any {
	if g.chance(3) {
		return g.pick("null", "{}", "[]", "x", "5")
	}
	fields := []field{{g.often("cluster", "Cluster"), g.cluster()}}
	if g.chance(60) {
		fields = append(fields, field{"kubelet", g.kubelet()})
	}
	if g.chance(20) {
		fields = append(fields, field{"containerd", []field{{"config", g.often("|\n      [plugins]\n      a = 1\n", "'a = b'", "'[x]'", "5", "''")}}})
	}
	if g.chance(20) {
		fields = append(fields, field{"instance", g.instance()})
	}
	if g.chance(20) {
		fields = append(fields, field{"featureGates", []field{{g.pick("InstanceIdNodeName", "FastImagePull", "Other"), g.often("true", "false", "'true'", "yes", "1", "null")}}})
	}
	if g.chance(8) {
		fields = append(fields, field{"unknown", g.pick("5", "{a: b}")})
	}
	g.shuffle(fields)
	return fields
}

func (g Gen) cluster() any {
	if g.chance(3) {
		return g.pick("null", "{}", "[a]", "demo", "5")
	}
	const ca = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="
	all := []field{
		{g.often("name", "Name", "clusterName"), g.often("demo", "'demo'", "5", "\"\"", "null", "true", "2024-01-01", "[a]", "0x1f", "1e3", "no")},
		{g.often("apiServerEndpoint", "apiserverEndpoint", "endpoint"), g.often("https://x.example.com", "http://x", "\"https://y\"", "null", "''", "5", "{a: b}")},
		{g.often("certificateAuthority", "ca"), g.often(ca, "'"+ca+"'", "|\n      "+ca[:20]+"\n      "+ca[20:]+"\n", "\"\"", "null", "-----BEGIN CERTIFICATE-----", "LS0", "5", "!!binary "+ca, "[45, 45]")},
		{g.often("cidr", "CIDR", "serviceCidr"), g.often("10.100.0.0/16", "fd00::/108", "not-a-cidr", "10.100", "null", "''", "1:2:3")},
	}
	var fields []field
	for _, f := range all {
		if g.chance(92) {
			fields = append(fields, f)
		}
	}
	if g.chance(6) {
		fields = append(fields, field{"enableOutpost", g.pick("true", "false", "'true'", "null", "on")})
	}
	if g.chance(6) {
		fields = append(fields, field{"id", g.pick("abc", "5", "''")})
	}
	g.shuffle(fields)
	return fields
}

func (g Gen) kubelet() any {
	if g.chance(3) {
		return g.pick("null", "[]", "x")
	}
	var fields []field
	if g.chance(70) {
		fields = append(fields, field{"config", g.kubeletConfig()})
	}
	if g.chance(60) {
		flags := []string{"--v=2", "--node-labels=a=b,c=d", "'--max-pods=7'", "\"--x y\""}
		if g.chance(8) {
			flags = append(flags, g.pick("5", "true", "null", "[a]", "''"))
		}
		fields = append(fields, field{"flags", flags[g.IntN(len(flags)):]})
	}
	if g.chance(5) {
		fields = append(fields, field{"flags", g.pick("--v=2", "null", "{a: b}", "[]")})
	}
	if g.chance(10) {
		fields = append(fields, field{"maxPodsExpression", g.pick("max_pods + 10", "5", "''")})
	}
	g.shuffle(fields)
	return fields
}

func (g Gen) kubeletConfig() any {
	if g.chance(5) {
		return g.pick("null", "{}", "[]", "5")
	}
	fields := []field{{"maxPods", g.often(fmt.Sprint(1+g.IntN(200)), "'58'", "many", "null", "-1", "5.5", "{a: 1}", "0")}}
	if g.chance(40) {
		fields = append(fields, field{"registerWithTaints", g.pick("[{key: a, effect: NoSchedule}]", "[]", "null", "{a: b}", "\n      - key: b\n        value: \"c\"\n        effect: NoExecute\n")})
	}
	if g.chance(30) {
		fields = append(fields, field{g.pick("evictionHard", "evictionhard", "1", "null"), g.pick("{memory.available: 5%}", "null", "[x]", "{memory.available: null}", "5")})
	}
	return fields
}

func (g Gen) instance() any {
	return []field{
		{"localStorage", []field{{"strategy", g.often("RAID0", "raid0", "5", "null")}}},
		{"environment", []field{{"default", g.often("{A: b}", "{A: 1}", "null", "x", "{A: null}")}}},
		{"network", []field{{"nameservers", g.often("[1.1.1.1]", "1.1.1.1", "[5]", "null")}}},
	}
}

// style writes fields as block YAML, as flow YAML or as something that starts
// like JSON and mostly is.
func (g Gen) style(fields []field) string {
	switch {
	case g.chance(3):
		return g.flowFields(fields, false) + g.pick("", "\n")
	case g.chance(6):
		return g.flowFields(fields, true) + g.pick("", "\n")
	}
	var b strings.Builder
	g.blockFields(&b, fields, "", g.pick("  ", "  ", "  ", "    ", " "))
	return b.String()
}

func (g Gen) blockFields(b *strings.Builder, fields []field, indent, step string) {
	for _, f := range fields {
		if g.chance(2) {
			b.WriteString(g.pick("\n", indent+"# note\n", "  \n"))
		}
		b.WriteString(indent + f.key + ":")
		switch v := f.value.(type) {
		case string:
			b.WriteString(" " + strings.TrimSuffix(v, "\n") + "\n")
		case []string:
			b.WriteString("\n")
			for _, item := range v {
				b.WriteString(indent + step + "- " + item + "\n")
			}
		case []field:
			b.WriteString("\n")
			g.blockFields(b, v, indent+step, step)
		}
	}
}

func (g Gen) flowFields(fields []field, json bool) string {
	parts := make([]string, 0, len(fields))
	for _, f := range fields {
		key, value := f.key, ""
		switch v := f.value.(type) {
		case string:
			value = strings.Join(strings.Fields(v), " ")
			if json && !strings.ContainsAny(value, "{}[]\"") && value != "null" && value != "true" && value != "false" && strings.Trim(value, "0123456789") != "" {
				value = quoted(strings.Trim(value, "'"))
			}
		case []string:
			items := make([]string, 0, len(v))
			for _, item := range v {
				if json {
					item = quoted(strings.Trim(item, "'\""))
				}
				items = append(items, item)
			}
			value = "[" + strings.Join(items, ", ") + "]"
		case []field:
			value = g.flowFields(v, json)
		}
		if json {
			key = quoted(key)
		}
		parts = append(parts, key+": "+value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// multipart writes a MIME document.
func (g Gen) multipart() string {
	boundary := g.pick("B", "==BOUNDARY==", "//", "MIMEBOUNDARY", "b 1")
	named := boundary
	if g.chance(2) {
		named = g.pick("A", "", boundary+"x")
	}
	headers := []string{"MIME-Version: 1.0", g.often("Content-Type", "content-type", "CONTENT-TYPE", "Content-type ") + ": " +
		g.often("multipart/mixed", "multipart/alternative", "Multipart/Mixed", "text/plain", "multipart") + "; " + g.often("boundary=\""+named+"\"", "boundary="+named, "charset=x", "boundary", "boundary=\""+named)}
	if g.chance(30) {
		headers[0], headers[1] = headers[1], headers[0]
	}
	if g.chance(8) {
		headers = append(headers, g.pick("Subject: x", "X: y\n z", g.often("X:", "no header"), "X-Empty:"))
	}
	var b strings.Builder
	b.WriteString(strings.Join(headers, "\n") + g.often("\n\n", "\n", "\n\n\n", "\n \n"))
	if g.chance(5) {
		b.WriteString(g.pick("preamble\n", "\n", "--other\n"))
	}
	for range 1 + g.IntN(4) {
		b.WriteString("--" + boundary + g.often("", " ", "\t", "x") + "\n" + g.part())
	}
	b.WriteString(g.often("--"+boundary+"--", "--"+boundary, "--"+boundary+"-", "", "--"+boundary+"-- ") + g.often("\n", "", "epilogue", "\n\n"))
	return b.String()
}

func (g Gen) part() string {
	mediaType := "application/node.eks.aws"
	var body string
	switch g.IntN(6) {
	case 0:
		mediaType, body = "text/x-shellscript", "#!/bin/bash\necho hi\n"
	case 1:
		mediaType, body = g.pick("text/cloud-config", "text/plain", "application/json"), g.pick("#cloud-config\na: b\n", "", g.nodeConfig())
	default:
		body = g.nodeConfig()
	}
	headers := []string{g.often("Content-Type", "content-type", "Content-Typ") + ": " + g.often(mediaType, strings.ToUpper(mediaType), mediaType+"; charset=\"us-ascii\"", mediaType+";", mediaType+"; x", "", "/", mediaType+"; a=b; a=c")}
	switch g.IntN(12) {
	case 0:
		headers = append(headers, "Content-Transfer-Encoding: "+g.often("base64", "BASE64", "8bit"))
		body = string(encoded([]byte(body))) + g.pick("", "", "\n", " ")
	case 1:
		headers = append(headers, "Content-Transfer-Encoding: "+g.pick("7bit", "quoted-printable", "Quoted-Printable", "binary", "x"))
	case 2:
		var out bytes.Buffer
		w := quotedprintable.NewWriter(&out)
		if _, err := w.Write([]byte(body)); err != nil {
			panic(err)
		}
		if err := w.Close(); err != nil {
			panic(err)
		}
		headers, body = append(headers, "Content-Transfer-Encoding: quoted-printable"), out.String()
	case 3:
		body = string(g.wrap([]byte(body)))
	case 4:
		body = string(encoded(zipped([]byte(body))))
	}
	if g.chance(10) {
		headers = append(headers, g.pick("MIME-Version: 1.0", "Content-Disposition: attachment; filename=\"x\"", " continued", g.often("X: y", "bad")))
	}
	if g.chance(2) {
		headers = nil
	}
	return strings.Join(headers, "\n") + g.often("\n\n", "\n", "\n\n\n") + body + g.often("\n", "", "\n\n")
}

// DamageUserData makes a few random changes to a text.
func (g Gen) DamageUserData(text string) string {
	pieces := []string{
		"\n", "\r", "\r\n", "\t", " ", ":", ": ", "-", "--", "--B", "--B--", "{", "}", "[", "]", ",", "\"", "'", "#", "&a ", "*a", "|", ">", "---\n", "...", "null", "5",
		"=", "==", "\x00", "é", "\xff", "\u0085", byteOrderMark, "<<: *a", "!!str ", "!!int ", "!!binary ", "? ", "%", "@", "`", "\\", "=3D", "boundary=B", "apiVersion: x\n", "kind: NodeConfig\n", "\n\n",
	}
	for range 1 + g.IntN(3) {
		at := g.IntN(len(text) + 1)
		switch g.IntN(4) {
		case 0, 1:
			text = text[:at] + g.pick(pieces...) + text[at:]
		case 2:
			text = text[:at] + text[min(len(text), at+1+g.IntN(8)):]
		default:
			to := g.IntN(len(text) + 1)
			text = text[:at] + text[min(at, to):]
		}
	}
	return text
}
