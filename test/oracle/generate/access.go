package generate

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
)

// Cluster is what decides who gets in: an aws-auth and access entries.
type Cluster struct {
	AWSAuth map[string]string
	Entries []authmap.AccessEntry
}

// Caller is somebody who comes with a token.
type Caller struct {
	ARN, AccountID, UserID, SessionName, AccessKeyID string
}

// UniqueID is the id (AROA…) that the principal of a canonical ARN has now.
// Letter case does not tell principals apart.
func UniqueID(canonical string) string {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(canonical))) // never fails
	return fmt.Sprintf("AROA%08X", h.Sum32())
}

// Cluster gives a cluster whose maps mean a handful of principals, rightly,
// wrongly and more than once.
func (g Gen) Cluster() Cluster {
	pool := []string{g.arn(), g.arn(), g.userARN()}
	c := Cluster{AWSAuth: g.AWSAuth()}
	if g.chance(60) {
		c.AWSAuth[authmap.KeyRoles] = g.listOf("rolearn", pool)
	}
	if g.chance(60) {
		c.AWSAuth[authmap.KeyUsers] = g.listOf("userarn", pool)
	}
	if g.chance(60) {
		c.AWSAuth[authmap.KeyAccounts] = g.accounts()
	}
	for _, key := range []string{authmap.KeyRoles, authmap.KeyUsers, authmap.KeyAccounts} {
		if text, ok := c.AWSAuth[key]; ok && g.chance(12) {
			c.AWSAuth[key] = strings.ToValidUTF8(g.Damage(text), "") // JSON carries nothing else
		}
	}
	c.Entries = g.entries(pool)
	return c
}

// listOf writes a list in which principals of the pool stand more than once,
// with the mistakes that people make: a path, another letter case, partition
// or account, an instance profile, a session.
func (g Gen) listOf(key string, pool []string) string {
	var b strings.Builder
	for range g.IntN(6) {
		arn := pool[g.IntN(len(pool))]
		if g.chance(40) {
			arn = g.mistake(arn)
		}
		fmt.Fprintf(&b, "- %s: %s\n  username: %s\n", g.pick(key, key, key, strings.ToUpper(key)), g.plain(arn), g.plain(g.template()))
		if g.chance(85) {
			b.WriteString("  groups:" + g.blockGroups("  "))
		}
	}
	return b.String()
}

func (g Gen) mistake(arn string) string {
	switch g.IntN(8) {
	case 0:
		return strings.ToUpper(arn)
	case 1:
		return strings.Replace(arn, ":role/", ":role/team/", 1)
	case 2:
		return strings.Replace(arn, "arn:aws:", "arn:"+g.pick("aws-cn", "aws-moon", "")+":", 1)
	case 3:
		return strings.Replace(arn, "111122223333", "012345678901", 1)
	case 4:
		return strings.Replace(arn, ":role/", ":instance-profile/", 1)
	case 5:
		return strings.Replace(strings.Replace(arn, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1) + "/i-0123456789abcdef0"
	case 6:
		return arn + g.pick(" ", "/", "x", "\\n")
	}
	return strings.Replace(arn, "role/", "Role/", 1)
}

func (g Gen) template() string {
	return g.pick(authmap.NodeUsername, authmap.NodeUsername, "admin", "", "{{SessionName}}", "{{SessionNameRaw}}@{{AccountID}}",
		"{{AccessKeyID}}", "{{ec2privatednsname}}", "{{EC2PrivateDNSName", "{{Session{{SessionName}}Name}}", "{{AccountID}}:{{EC2PrivateDNSName}}")
}

func (g Gen) userARN() string {
	return "arn:" + g.pick("aws", "aws", "aws-cn") + ":iam::" + g.pick("111122223333", "012345678901") + ":" +
		g.pick("user/ann", "user/a/b/ann", "root", "user/Ann")
}

func (g Gen) accounts() string {
	return g.pick("- 111122223333\n", "- \"012345678901\"\n", "- 012345678901\n", "- 999999999999\n- '111122223333'\n",
		"[111122223333, \"012345678901\"]", "111122223333", "- 111122223333\n- [a]\n", "- 1_111\n- 0o17\n- 1e3\n", "- null\n- ~\n", "- 111122223333\n\t- x\n")
}

// entries are those of EKS: one for a principal, with the role's path or
// without. What an entry of a type stands for is in "Create access entries",
// https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html.
func (g Gen) entries(pool []string) []authmap.AccessEntry {
	var out []authmap.AccessEntry
	for range g.IntN(4) {
		arn := pool[g.IntN(len(pool))]
		if g.chance(30) {
			arn = g.arn()
		}
		canonical := canonicalOf(arn)
		if slices.ContainsFunc(out, func(e authmap.AccessEntry) bool { return strings.EqualFold(canonicalOf(e.PrincipalARN), canonical) }) {
			continue
		}
		e := authmap.AccessEntry{
			PrincipalARN: arn, Type: "STANDARD",
			PrincipalID: g.pick(UniqueID(canonical), UniqueID(canonical), "", "AROAEARLIER"),
		}
		if strings.Contains(arn, ":role/") {
			e.Type = g.pick("EC2_LINUX", "EC2_LINUX", "STANDARD", "FARGATE_LINUX")
		}
		if e.Type == "STANDARD" && g.chance(60) {
			e.Username, e.Groups = g.template(), g.groups()
		}
		out = append(out, e)
	}
	return out
}

func canonicalOf(arn string) string {
	if stripped, err := authmap.StripPath(arn); err == nil {
		return stripped
	}
	return arn
}

// Callers are a few of those whom the cluster means, rightly or not, and a
// stranger.
func (g Gen) Callers(c Cluster) []Caller {
	var principals []string
	m := authmap.Parse(c.AWSAuth)
	for _, r := range m.Roles {
		principals = append(principals, r.RoleARN)
	}
	for _, u := range m.Users {
		principals = append(principals, u.UserARN)
	}
	for _, e := range c.Entries {
		principals = append(principals, e.PrincipalARN)
	}
	g.Shuffle(len(principals), func(i, j int) { principals[i], principals[j] = principals[j], principals[i] })
	principals = append(principals[:min(len(principals), 4)], g.pick(
		"arn:aws:iam::111122223333:role/stranger", "arn:aws-cn:iam::012345678901:user/stranger", "arn:aws:iam::111122223333:root",
		"arn:aws:sts::111122223333:federated-user/Bob", "arn:aws:ec2:::instance/i-1", "arn:moon:iam::1:role/x", "", "arn:aws:sts::1:assumed-role/x"))
	out := make([]Caller, 0, len(principals))
	for _, p := range principals {
		out = append(out, g.caller(p))
	}
	return out
}

// caller comes as a principal.
func (g Gen) caller(principal string) Caller {
	if g.chance(10) {
		principal = strings.ToLower(principal)
	}
	c := CallerOf(principal, g.pick("i-0123456789abcdef0", "i-0123456789abcdef0", "i-01234567", "i-0123", "ann@example.com", "ann"))
	c.AccessKeyID = g.pick("ASIAEXAMPLE", "")
	return c
}

// CallerOf is who comes as a principal: of a role the token has a session, and
// never the path.
func CallerOf(principal, session string) Caller {
	canonical := canonicalOf(principal)
	c := Caller{ARN: canonical}
	if strings.Contains(canonical, ":assumed-role/") {
		c.SessionName = canonical[strings.LastIndex(canonical, "/")+1:]
	} else if before, name, ok := strings.Cut(canonical, ":role/"); ok && name != "" {
		c.SessionName = session
		c.ARN = strings.Replace(before, ":iam:", ":sts:", 1) + ":assumed-role/" + name + "/" + c.SessionName
	}
	if parts := strings.Split(c.ARN, ":"); len(parts) > 4 {
		c.AccountID = parts[4]
	}
	if _, canonical, err := authmap.CanonicalARN(c.ARN); err == nil {
		c.UserID = UniqueID(canonical)
	}
	return c
}
