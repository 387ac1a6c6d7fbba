package userdata

import (
	"fmt"
	"strings"
)

// Format is what user data, or a part of it, is.
type Format string

// Formats that nodes of EKS boot from.
const (
	FormatEmpty        Format = "empty"
	FormatMIME         Format = "mime"
	FormatNodeConfig   Format = "nodeconfig"
	FormatBottlerocket Format = "bottlerocket"
	FormatShell        Format = "shell"
	FormatCloudInit    Format = "cloud-init" // a format of cloud-init's other than a script
	FormatPowerShell   Format = "powershell"
	FormatUnknown      Format = "unknown" // nothing that would be acted on
)

// Document is what user data tells a node, as far as it can be read without running it. It holds no text of the
// user's own: scripts may carry secrets.
type Document struct {
	Format Format
	Size   int // bytes, as EC2 counts them: before base64, after gzip
	Base64 bool
	Gzip   bool
	Parts  []Part // of a MIME document

	NodeConfigs int       // how many NodeConfig documents there are
	Refused     *Fault    // the first fault for which nodeadm reads no NodeConfig at all; nil when it reads all there are
	Bootstrap   *Location // the call of AL2's bootstrap.sh, if there is one
	Beacon      bool      // our boot beacon is in it

	Cluster      Cluster // fields that are absent, or known only when the script runs, are empty
	Labels       map[string]string
	Taints       []Taint
	MaxPods      int      // 0 when not set
	InstanceName bool     // nodeadm's feature gate InstanceIdNodeName
	KubeletFlags []string // in order, without the labels and taints above

	Faults []Fault // in order of the lines
}

// Part is one part of a MIME document.
type Part struct {
	Type   string // media type, lower case
	Format Format
	Line   int  // where its body begins
	Size   int  // bytes, decoded
	Gzip   bool // compressed by itself, which older images do not take
}

// Location is a line of the decoded text, counted from 1.
type Location struct{ Line int }

// FaultKind tells faults apart for those who judge them.
type FaultKind string

// Kinds of faults. What is a fault on one image may be right on another: a bootstrap.sh call is no fault, it is a fact.
const (
	FaultEncoding     FaultKind = "encoding"      // cannot be decompressed, or far too long
	FaultTooLarge     FaultKind = "too-large"     // over EC2's limit
	FaultNotRead      FaultKind = "not-read"      // of no format that anything on the node acts on
	FaultLeadingSpace FaultKind = "leading-space" // blank space before the first line hides the format
	FaultMIME         FaultKind = "mime"          // broken MIME structure
	FaultYAML         FaultKind = "yaml"          // NodeConfig is not YAML, or not JSON though it begins like that
	FaultUnknownField FaultKind = "unknown-field" // NodeConfig field that nodeadm ignores
	FaultTOML         FaultKind = "toml"          // Bottlerocket settings are not TOML
	FaultMissing      FaultKind = "missing"       // a field without which the node cannot join
	FaultValue        FaultKind = "value"         // a field with a value that cannot be right
	FaultCarriage     FaultKind = "crlf"          // Windows line ends in a script
	FaultInterpreter  FaultKind = "interpreter"   // a script without "#!"
	FaultCallsNodeadm FaultKind = "calls-nodeadm" // a script runs nodeadm itself
	FaultArgument     FaultKind = "argument"      // an argument bootstrap.sh does not read
)

// Fault is something wrong with user data. Detail never quotes the user's text beyond names of fields.
type Fault struct {
	Line   int // of the decoded text, from 1; 0 when it has no place
	Kind   FaultKind
	Detail string
}

// maxFaults bounds what one document can make us say. Fields that are missing, of which there are few, are said besides.
const maxFaults = 45

// Parse reads user data of any kind as the node would: MIME, a NodeConfig, Bottlerocket's TOML or a script, plain or in
// gzip and base64. It never fails: what is wrong stands in Faults, and the rest is read all the same.
func Parse(raw []byte) Document {
	p := &parser{}
	text, w, err := unwrap(raw)
	p.doc.Size, p.doc.Base64, p.doc.Gzip = w.size, w.base64, w.gzip
	if err != nil {
		p.doc.Format = FormatUnknown
		p.fault(0, FaultEncoding, "%v", err)
		return p.doc
	}
	if w.size > MaxSize {
		p.fault(0, FaultTooLarge, "%d bytes, and EC2 takes %d", w.size, MaxSize)
	}
	p.document(string(text))
	p.finish()
	return p.doc
}

// parser gathers a Document.
type parser struct {
	doc         Document
	config      merged // of all NodeConfigs so far
	decoded     int    // bytes of all parts so far
	flagPods    int    // the limit by a flag of the kubelet, which beats its configuration
	clusterLine int    // where a missing field of the cluster would have to stand
}

func (p *parser) fault(line int, kind FaultKind, format string, args ...any) Fault {
	fault := Fault{Line: line, Kind: kind, Detail: fmt.Sprintf(format, args...)}
	if len(p.doc.Faults) < maxFaults {
		p.doc.Faults = append(p.doc.Faults, fault)
	}
	return fault
}

// refuse is fault for one that nodeadm ends with.
func (p *parser) refuse(line int, kind FaultKind, format string, args ...any) {
	fault := p.fault(line, kind, format, args...)
	if p.doc.Refused == nil {
		p.doc.Refused = &fault
	}
}

// document reads the whole text.
func (p *parser) document(text string) {
	trimmed := strings.TrimLeft(text, " \t\r\n\ufeff")
	if trimmed == "" {
		p.doc.Format = FormatEmpty
		return
	}
	line := 1 + strings.Count(text[:len(text)-len(trimmed)], "\n")
	reader, isMIME := nodeadmMultipart(text)
	switch {
	case isMIME:
		p.doc.Format = FormatMIME
		p.parts(reader, text, 1)
		return
	case looksLikeMIME(trimmed):
		p.doc.Format = FormatMIME
		p.brokenMIME(text, trimmed, line)
		return
	}
	p.doc.Format = formatOf(trimmed)
	if p.doc.Format == FormatShell {
		p.leadingSpace(text, trimmed)
	}
	if p.doc.Format == FormatUnknown {
		p.fault(line, FaultNotRead, "neither MIME nor a format that cloud-init, nodeadm or Bottlerocket acts on")
	}
	if p.doc.Format == FormatNodeConfig || namesNodeConfig(text) { // a "#!" is a comment to nodeadm
		p.nodeConfig(text, 1)
	}
	if p.doc.Format != FormatNodeConfig {
		p.body(p.doc.Format, trimmed, line)
	}
}

func (p *parser) leadingSpace(text, trimmed string) {
	if text != trimmed {
		p.fault(1, FaultLeadingSpace, "blank space before the first line: the document is not recognised, or a script not run")
	}
}

// body reads a text of one format that begins at a line.
func (p *parser) body(format Format, text string, line int) {
	switch format {
	case FormatNodeConfig:
		p.nodeConfig(text, line)
	case FormatBottlerocket:
		p.toml(text, line)
	case FormatShell:
		p.shell(text, line)
	}
}

// formatOf tells the format of a text that is not MIME, by the rules of cloud-init first.
func formatOf(text string) Format {
	mediaType, known := cloudInitType(text)
	switch {
	case known && mediaType == typeShell:
		return FormatShell
	case known:
		return FormatCloudInit
	case strings.HasPrefix(text, "<powershell>"), strings.HasPrefix(text, "<script>"):
		return FormatPowerShell
	case hasLine(text, "[settings"), hasLine(text, "settings."):
		return FormatBottlerocket
	case strings.Contains(text, "node.eks.aws/"), isYAMLMap([]byte(text)):
		return FormatNodeConfig
	}
	return FormatUnknown
}

// hasLine reports whether a line begins with the prefix.
func hasLine(text, prefix string) bool {
	return strings.HasPrefix(text, prefix) || strings.Contains(text, "\n"+prefix)
}
