package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// line is a command line of the doctor over the same cluster and subjects.
func (c *doctorCommand) line(args ...string) string {
	words := []string{product.Command, "doctor"}
	for _, word := range slices.Concat(c.subjects, c.cluster, args) {
		words = append(words, quote(word))
	}
	return strings.Join(words, " ")
}

// showRepair prints what will be done about one role.
func (s screen) showRepair(repair check.Repair) {
	row := func(label, format string, args ...any) {
		text := strings.TrimLeft(fill(fmt.Sprintf(format, args...), labelWidth+4, s.width), " ")
		s.say("  %-*s  %s", labelWidth, label, text)
	}
	row("role", "%s", repair.RoleARN)
	row("used by", "%s", some(repair.Subjects))
	if entry := repair.DeleteEntry; entry != nil {
		row("delete", "access entry of type %s, username %q, groups %q; tags and access policies on it go too", entry.Type, entry.Username, entry.Groups)
	}
	if repair.CreateEntry != "" {
		row("create", "access entry of type %s", repair.CreateEntry)
	}
	if repair.AwsAuth != nil {
		row("aws-auth", "%s; a copy of it is kept on this machine", repair.AwsAuth.Edit.Action)
		s.progress().diff(repair.AwsAuth.Edit.Diff())
	}
	if repair.ByHand != "" {
		row("by hand", "%s", repair.ByHand)
	}
}
