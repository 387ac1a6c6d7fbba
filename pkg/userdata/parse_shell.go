package userdata

import (
	"regexp"
	"strings"
)

const bootstrapScript = "/etc/eks/bootstrap.sh"

// runsNodeadm is a line that runs nodeadm's init, with or without a path and sudo before it.
var runsNodeadm = regexp.MustCompile(`^\s*(sudo\s+)?(\S*/)?nodeadm\s+init\b`)

// shell reads a script for what it says of joining: the arguments of AL2's bootstrap.sh, and calls that break
// nodeadm's own order. It is not run, so what variables hold stays unknown.
func (p *parser) shell(text string, line int) {
	if !strings.HasPrefix(text, "#!") {
		p.fault(line, FaultInterpreter, `the script does not begin with "#!", so the kernel refuses to run it`)
	}
	if first, _, _ := strings.Cut(text, "\n"); strings.HasSuffix(first, "\r") {
		p.fault(line, FaultCarriage, "Windows line ends: the interpreter of that name does not exist")
	}
	p.doc.Beacon = p.doc.Beacon || strings.Contains(text, beaconBegin)
	for _, command := range commandLines(text) {
		if runsNodeadm.MatchString(command.text) {
			p.fault(line+command.line, FaultCallsNodeadm, "nodeadm runs by itself; a script must not call it")
		}
		if _, arguments, found := strings.Cut(command.text, bootstrapScript); found {
			p.doc.Bootstrap = &Location{Line: line + command.line}
			p.clusterLine = line + command.line
			p.bootstrap(words(arguments), line+command.line)
		}
	}
}

// bootstrap reads the arguments of bootstrap.sh. It takes values as words of their own only.
func (p *parser) bootstrap(arguments []string, line int) {
	for i := 0; i < len(arguments); i++ {
		name, value, joined := strings.Cut(arguments[i], "=")
		if !strings.HasPrefix(name, "--") {
			setKnown(&p.doc.Cluster.Name, arguments[i])
			continue
		}
		if joined {
			p.fault(line, FaultArgument, "%s must be separated from its value by a space, not by =", name)
		} else if i+1 < len(arguments) {
			i++
			value = arguments[i]
		}
		p.bootstrapArgument(name, value, line)
	}
}

func (p *parser) bootstrapArgument(name, value string, line int) {
	switch name {
	case "--apiserver-endpoint":
		if setKnown(&p.doc.Cluster.Endpoint, value) {
			p.checkEndpoint(line, value)
		}
	case "--b64-cluster-ca":
		if setKnown(&p.doc.Cluster.CA, value) {
			p.checkCA(line, value)
		}
	case "--service-ipv6-cidr":
		setKnown(&p.doc.Cluster.CIDR, value)
	case "--kubelet-extra-args":
		p.kubeletFlags(words(value), line)
	}
}

// setKnown takes a value over unless it is only known when the script runs.
func setKnown(target *string, value string) bool {
	if value == "" || strings.ContainsAny(value, "$`") {
		return false
	}
	*target = value
	return true
}

// commandLine is a command with its continuation lines joined, and how many lines stand before it.
type commandLine struct {
	text string
	line int
}

// commandLines joins lines that end in a backslash and leaves comments out.
func commandLines(text string) []commandLine {
	var commands []commandLine
	lines := strings.Split(strings.ReplaceAll(text, "\r", ""), "\n")
	for i := 0; i < len(lines); i++ {
		command := commandLine{text: lines[i], line: i}
		if strings.HasPrefix(strings.TrimSpace(command.text), "#") {
			continue
		}
		var joined strings.Builder
		for strings.HasSuffix(lines[i], `\`) && i+1 < len(lines) {
			joined.WriteString(strings.TrimSuffix(lines[i], `\`))
			i++
		}
		joined.WriteString(lines[i])
		command.text = joined.String()
		commands = append(commands, command)
	}
	return commands
}

// words splits a command's arguments as a shell does, as far as quotes and backslashes go; it ends at an operator.
func words(text string) []string {
	var all []string
	var word strings.Builder
	quote, inWord := rune(0), false
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case strings.ContainsRune(" \t\n", r):
			if inWord {
				all = append(all, word.String())
				word.Reset()
				inWord = false
			}
		case strings.ContainsRune(";&|<>#", r) && !inWord:
			return all
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if inWord {
		all = append(all, word.String())
	}
	return all
}
