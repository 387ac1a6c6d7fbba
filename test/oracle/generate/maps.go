package generate

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
)

const byteOrderMark = "\ufeff"

// MapRoles gives a text and whether the key is there at all.
func (g Gen) MapRoles() (string, bool) {
	var text string
	switch n := g.IntN(20); {
	case n == 0:
		return "", false
	case n == 1:
		text = g.nothing()
	case n < 15:
		text = g.block()
	case n < 18:
		text = g.flow()
	default:
		text = g.json()
	}
	return g.dress(text), true
}

// nothing is a text without entries.
func (g Gen) nothing() string {
	return g.pick("", "\n", "  ", "''", "\"\"\n", "``", "null", "~ # none\n", "null\n# none yet\n", "[]", "[ ]\n", "[\n]\n",
		"[\n  # none\n  ]", "# - rolearn: x\n", "---\n", "--- []\n", "--- null\n...\n", "# was null\n", "\n\n# é\n", "---\n# x\n...\n", "\t", " \t\n")
}

// dress puts comments, markers and line endings around a text.
func (g Gen) dress(text string) string {
	quoteOnly := strings.Trim(strings.TrimSpace(text), "`\"'") == "" && strings.TrimSpace(text) != ""
	if !quoteOnly && !strings.HasPrefix(text, "---") && !strings.Contains(text, "...") {
		if g.chance(5) {
			text = "---\n" + text
			if g.chance(30) {
				text = "# head\n%YAML 1.1\n" + text
			}
		}
		if g.chance(6) && strings.HasSuffix(text, "\n") {
			text += g.pick("...\n", "---\n", "---\n- rolearn: other document\n", "--- : : [\n", "...\n# end\n")
		}
	}
	if g.chance(12) {
		text = strings.TrimRight(text, "\n")
	}
	if g.chance(8) && strings.HasSuffix(text, "\n") {
		text += g.pick("\n", "\n\n", "  ", "  \n", "# tail", "# tail\n", "    # deep tail\n", "\t\n")
	}
	switch g.IntN(12) {
	case 0:
		text = strings.ReplaceAll(text, "\n", "\r\n")
	case 1:
		if i := strings.Index(text, "\n"); i >= 0 && g.chance(30) {
			text = text[:i] + "\r" + text[i:]
		}
	case 2:
		if g.chance(20) && text != "" {
			text = byteOrderMark + text
		}
	}
	return text
}

func (g Gen) arn() string {
	account := g.pick("111122223333", "012345678901", "999999999999")
	partition := g.pick("aws", "aws", "aws", "aws-cn", "aws-us-gov")
	return "arn:" + partition + ":iam::" + account + ":role/" + g.pick("", "", "team/", "a/b/") + g.name()
}

func (g Gen) name() string {
	return g.pick("Admin", "node-role", "eksctl-Nodes-NodeInstanceRole-1X2Y", "Build+Deploy", "team=x", "a.b@c", "OurNodes") + fmt.Sprint(g.IntN(50))
}

func (g Gen) groups() []string {
	all := []string{"system:masters", "system:bootstrappers", "system:nodes", "developers", "équipe", "a b", "eks:kube-proxy-windows", "yes", "42x", "it's"}
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:g.IntN(4)]
}

func (g Gen) username() string {
	return g.pick(authmap.NodeUsername, "admin", "admin:{{SessionName}}", "größe", "o'brien", "a \"b\"", "x#y", "{{AccountID}}", "- dash", "[x]")
}

// plain writes a scalar for block style.
func (g Gen) plain(s string) string {
	if strings.ContainsAny(s, "\"' #{}[]-") || g.chance(25) {
		if g.chance(50) {
			return "'" + strings.ReplaceAll(s, "'", "''") + "'"
		}
		return quoted(s)
	}
	return s
}

func (g Gen) comment() string {
	if !g.chance(12) {
		return ""
	}
	return g.pick(" # note", "\t# tab", " # ünï — [code] }", " # - rolearn: old", " # it's \"quoted\"")
}

func (g Gen) block() string {
	indent := g.pick("", "", "", "  ", "    ")
	var b strings.Builder
	for n := 1 + g.IntN(5); n > 0; n-- {
		b.WriteString(g.between(indent))
		b.WriteString(g.blockItem(indent))
	}
	if g.chance(15) {
		b.WriteString(g.between(indent))
	}
	return b.String()
}

func (g Gen) between(indent string) string {
	if !g.chance(20) {
		return ""
	}
	return g.pick("\n", indent+"# comment\n", "# flush\n", indent+"  # deeper\n", "\n\n", "   \n", "# was null\n", "\t\n", "# a\n\n# b }]\n")
}

func (g Gen) blockItem(indent string) string {
	switch g.IntN(24) {
	case 0:
		return indent + "- " + g.flowItem(false) + g.comment() + "\n"
	case 1:
		return indent + "- sso:\n" + indent + "    permissionSetName: " + g.pick("Admin", "View.Only") +
			"\n" + indent + "    accountID: \"012345678901\"\n" + indent + "  username: " + g.plain(g.username()) + "\n" +
			indent + "  groups:\n" + indent + "  - x\n"
	case 2:
		return indent + g.pick("- role_arn: typo\n", "- null\n", "-\n", "- just a string\n", "- rolearn: x\n"+indent+"  groups: not-a-list\n", "- {}\n", "- []\n")
	case 3:
		a := fmt.Sprintf("a%d", g.IntN(1000))
		return indent + "- &" + a + "\n" + indent + "  rolearn: " + g.arn() + "\n" + indent + "  username: u\n" +
			indent + "- *" + a + "\n" + indent + "- <<: *" + a + "\n" + indent + "  username: other\n"
	case 4:
		return indent + "- rolearn: " + g.arn() + "\n" + indent + "  username: |" + g.pick("", "-", "+") + "\n" +
			indent + "    admin\n" + g.pick("", "\n", indent+"    # not a comment\n")
	case 5:
		return indent + "- rolearn: " + g.arn() + "\n" + indent + "  username: \"two\n" + indent + "    lines\"\n"
	}
	return g.plainItem(indent)
}

func (g Gen) plainItem(indent string) string {
	keys := []string{
		g.pick("rolearn", "rolearn", "rolearn", "roleARN", "RoleArn", `"rolearn"`) + ": " + g.plain(g.arn()) + g.comment() + "\n",
		g.pick("username", "username", "userName") + ": " + g.plain(g.username()) + g.comment() + "\n",
	}
	if g.chance(90) {
		keys = append(keys, g.pick("groups", "groups", "Groups")+":"+g.blockGroups(indent+"  "))
	}
	if g.chance(8) {
		keys = append(keys, g.pick("note: x\n", "userid: AROAX\n", "2: 3\n", "when: 2001-01-01\n", "x: [a, {b: c}]\n"))
	}
	g.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	first := indent + g.pick("- ", "- ", "- ", "- ", "-   ", "- # c\n"+indent+"  ", "-\n"+indent+"  ")
	pad := indent + "  "
	if strings.HasSuffix(first, "-   ") {
		pad = indent + "    "
		for i := range keys {
			keys[i] = strings.ReplaceAll(keys[i], "\n"+indent+"  ", "\n"+pad)
		}
	}
	return first + strings.Join(keys, pad)
}

func (g Gen) blockGroups(indent string) string {
	groups := g.groups()
	if len(groups) == 0 {
		return g.pick(" []\n", "\n", " null\n", " [ ]\n")
	}
	var b strings.Builder
	if g.chance(25) {
		for i, x := range groups {
			groups[i] = g.plain(x)
		}
		return " [" + strings.Join(groups, g.pick(", ", ",", " , ")) + g.pick("", "", ",", " ") + "]" + g.comment() + "\n"
	}
	deep := g.pick("", "  ", "    ")
	b.WriteString(g.comment() + "\n")
	for _, x := range groups {
		b.WriteString(indent + deep + "- " + g.plain(x) + g.comment() + "\n")
		if g.chance(4) {
			b.WriteString(g.pick("\n", indent+"# in groups\n"))
		}
	}
	return b.String()
}

func (g Gen) flowItem(strict bool) string {
	groups := g.groups()
	for i, x := range groups {
		groups[i] = quoted(x)
	}
	q := func(s string) string {
		if strict || g.chance(50) {
			return `"` + s + `"`
		}
		return s
	}
	sep := g.pick(", ", ", ", ",")
	if !strict && sep == "," {
		sep = ", "
	}
	tail := ""
	if !strict {
		tail = g.pick("", "", "", ",", " ")
	}
	return "{" + q("rolearn") + ": " + quoted(g.arn()) + sep + q("username") + ": " + quoted(g.username()) + sep +
		q("groups") + ": [" + strings.Join(groups, sep) + "]" + tail + "}"
}

func (g Gen) flow() string {
	items := make([]string, 1+g.IntN(4))
	for i := range items {
		items[i] = g.flowItem(false)
	}
	switch g.IntN(4) {
	case 0:
		return "[" + strings.Join(items, ", ") + g.pick("", ",", ", ", " ") + "]" + g.pick("", "\n", " # ]\n")
	case 1:
		return "[" + strings.Join(items, ",\n ") + "]\n"
	case 2:
		return "[\n  " + strings.Join(items, ",\n  ") + g.pick("", ",", " # last, }]", ", # more") + "\n" + g.pick("", "  ") + "]\n"
	}
	return "[ # roles\n" + strings.Join(items, "\n, ") + "\n# ]\n]" + g.pick("", "\n")
}

func (g Gen) json() string {
	items := make([]string, 1+g.IntN(4))
	for i := range items {
		items[i] = g.flowItem(true)
	}
	switch g.IntN(3) {
	case 0:
		return "[" + strings.Join(items, ",") + "]"
	case 1:
		return "[\n  " + strings.Join(items, ",\n  ") + "\n]" + g.pick("", "\n")
	}
	for i, s := range items {
		items[i] = strings.NewReplacer(`{"`, "{\n    \"", `, "u`, ",\n    \"u", `, "g`, ",\n    \"g", "]}", "]\n  }").Replace(s)
	}
	return "[\n  " + strings.Join(items, ",\n  ") + "\n]\n"
}

// Damage makes a few random changes to a text.
func (g Gen) Damage(text string) string {
	pieces := []string{
		"\n", "\r", "\r\n", "\t", " ", "- ", "  ", "#", "# was ", "# was null\n", "''", "\"", "'", "[", "]", "{", "}", ",", ":", ": ",
		"&a ", "*a", "<<: *a", "|", ">", "|+", "---", "---\n", "...\n", "\n---\n", "null", "~", "?", "!", "!!str ", "%", "@", "`",
		"\u0085", "\u2028", byteOrderMark, "é", "\x00", "[]", "{}", "\\", "- - ", "-\n", "  username: " + authmap.NodeUsername + "\n",
	}
	for range 1 + g.IntN(3) {
		at := g.IntN(len(text) + 1)
		switch g.IntN(4) {
		case 0, 1:
			text = text[:at] + g.pick(pieces...) + text[at:]
		case 2:
			text = text[:at] + text[min(len(text), at+1+g.IntN(8)):]
		default:
			other, _ := g.MapRoles()
			text = text[:at] + other[g.IntN(len(other)+1):]
		}
	}
	return text
}

// AWSAuth is a whole map: the other keys are there too.
func (g Gen) AWSAuth() map[string]string {
	data := map[string]string{}
	if text, ok := g.MapRoles(); ok {
		data[authmap.KeyRoles] = text
	}
	if g.chance(50) {
		data[authmap.KeyUsers] = g.pick("", "[]", "- userarn: arn:aws:iam::111122223333:user/ann\n  username: ann\n  groups: [system:masters]\n", "- username: nobody\n", "\tbroken")
	}
	if g.chance(30) {
		data[authmap.KeyAccounts] = g.pick("", "- 111122223333\n- \"012345678901\"\n", "- 012345678901", "[]")
	}
	if g.chance(10) {
		data["other"] = "kept"
	}
	return data
}

// MapRolesSeeds start the fuzzers.
func MapRolesSeeds() []string {
	var out []string
	for seed := range uint64(40) {
		text, _ := New(seed).MapRoles()
		out = append(out, text)
	}
	return out
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return string(b)
}
