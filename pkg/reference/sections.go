// Package reference shows commands to people who do not have them at hand: it
// sorts the flags of a command under the headings that help shows, and writes
// a tree of commands as the Markdown pages of docs/reference.
package reference

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// HeadingAnnotation is the annotation of a flag that names its heading.
const HeadingAnnotation = "group"

// otherFlags is the heading of flags without one.
const otherFlags = "Options"

// Section is a heading with its flags.
type Section struct {
	Heading string
	Flags   *pflag.FlagSet
}

// Sections gives a command's own flags under their headings, in the order in
// which they were defined; those without a heading come last. Flags that the
// root hands down and hidden ones are left out.
func Sections(cmd *cobra.Command) []Section {
	var sections []Section
	inherited := cmd.Root().PersistentFlags()
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden || inherited.Lookup(flag.Name) != nil {
			return
		}
		heading := otherFlags
		if named := flag.Annotations[HeadingAnnotation]; len(named) > 0 {
			heading = named[0]
		}
		at := slices.IndexFunc(sections, func(s Section) bool { return s.Heading == heading })
		if at < 0 {
			set := pflag.NewFlagSet(heading, pflag.ContinueOnError)
			set.SortFlags = false
			at, sections = len(sections), append(sections, Section{Heading: heading, Flags: set})
		}
		sections[at].Flags.AddFlag(flag)
	})
	slices.SortStableFunc(sections, func(a, b Section) int {
		return last(a.Heading) - last(b.Heading)
	})
	return sections
}

func last(heading string) int {
	if heading == otherFlags {
		return 1
	}
	return 0
}
