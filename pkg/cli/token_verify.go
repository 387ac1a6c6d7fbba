package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/token"
)

const tokenVerifyHelp = `Verify a token as the cluster's authenticator would: by each of its rules, by
STS, and by the cluster's access entries and aws-auth. It says whom STS takes
the bearer for, what maps that identity, and the username and groups that the
cluster would give.

The token comes from a file, from standard input with -, or is made of your own
identity when none is given. One that stands as an argument is refused: it would
be in the list of processes and in the shell's history.

The exit code is 0 when the cluster would let the bearer in, 3 when not, and 4
when that could not be found out.`

// maxTokenFile bounds what is read: the authenticator takes 4096 bytes, and a
// longer token is to be told so.
const maxTokenFile = 64 << 10

func newTokenVerify(app *app, conn *connection) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [FILE|-] [flags]",
		Short: "Say what the cluster would make of a token",
		Long:  tokenVerifyHelp,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usagef("verify takes one file, got %d arguments", len(args))
			case len(args) == 1 && token.Looks(args[0]):
				return usagef("a token is not taken as an argument: it would stand in the list of processes and in the shell's history; pipe it in, or name a file. Count this one as known to others for 15 minutes")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			session, err := conn.open(cmd.Context())
			if err != nil {
				return err
			}
			secret, err := tokenOf(cmd.Context(), app, session, args)
			if err != nil {
				return err
			}
			return verifyToken(cmd.Context(), app, session, secret)
		},
	}
}

// tokenOf reads the token that is to be verified, or makes one.
func tokenOf(ctx context.Context, app *app, s *session, args []string) (token.Secret, error) {
	if len(args) == 0 {
		return token.Make(ctx, s.aws.Config(), s.cluster)
	}
	in := app.streams.In
	if args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return token.Secret{}, fmt.Errorf("open token: %w", err)
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxTokenFile))
	if err != nil {
		return token.Secret{}, fmt.Errorf("read token: %w", err)
	}
	return token.Parse(data)
}

// verifyToken prints the verdict on a token, rule by rule.
func verifyToken(ctx context.Context, app *app, s *session, secret token.Secret) error {
	snap := s.read(ctx, s.base, cloud.Request{Sections: []snapshot.Section{snapshot.SectionCluster}}, snapshot.SectionAwsAuth)
	if err := missing(&snap, snapshot.SectionCluster); err != nil {
		return err
	}
	verdict := token.Verify(ctx, secret, token.Want{Cluster: s.cluster, Partition: partitionOf(snap.Cluster.ARN), Region: s.aws.Region(), Client: s.aws.HTTPClient()})
	out := app.streams.Out
	for _, rule := range verdict.Rules {
		mark := "ok      "
		if !rule.OK {
			mark = "BROKEN  "
		}
		fmt.Fprintf(out, "%s  %-10s  %s\n", mark, rule.Name, rule.Detail)
	}
	accepted := verdict.Accepted()
	switch {
	case token.Broken(verdict.Rules) != nil:
		return &judgedError{text: "the authenticator would refuse the token before it asks STS"}
	case accepted == nil:
		return &judgedError{text: "STS could not be asked: " + verdict.Failure.Detail, inconclusive: true}
	case !*accepted:
		fmt.Fprintf(out, "REFUSED   %-10s  %s\n", "STS", verdict.Failure.Detail)
		return &judgedError{text: "STS does not take the token"}
	}
	fmt.Fprintf(out, "ok        %-10s  it is %s\n", "STS", verdict.Identity.ARN)
	return printMapping(ctx, out, s, &snap, verdict.Identity)
}

func partitionOf(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) < 2 {
		return "aws"
	}
	return parts[1]
}

// printMapping says what the cluster maps an identity to.
func printMapping(ctx context.Context, out io.Writer, s *session, snap *snapshot.Snapshot, who *token.Identity) error {
	mode := snap.Cluster.AuthMode
	entries, err := entriesOf(ctx, s, snap, who.CanonicalARN)
	if err != nil {
		return inconclusive(err)
	}
	var awsAuth map[string]string
	if mode.ReadsAwsAuth() {
		if err := missing(snap, snapshot.SectionAwsAuth); err != nil {
			return inconclusive(err)
		}
		if snap.Access.AwsAuth != nil {
			awsAuth = snap.Access.AwsAuth.Data
		}
	}
	verdict := authmap.Simulate(authmap.Identity{ARN: who.ARN, AccountID: who.AccountID, UserID: who.UserID, SessionName: who.Session}, authmap.Mode(mode), entries, awsAuth)
	for _, note := range verdict.Notes {
		fmt.Fprintf(out, "note      %-10s  %s\n", "mapping", note)
	}
	if verdict.Outcome == authmap.OutcomeNotMapped && mode.ReadsAwsAuth() {
		// Whoever made a cluster that reads aws-auth is let in without a mapping.
		fmt.Fprintf(out, "unknown   %-10s  %s\n", "mapping", verdict.Reason)
		return inconclusive(errors.New("nothing maps the bearer, but whoever made the cluster is let in all the same, and EKS does not tell who that was"))
	}
	if verdict.Outcome != authmap.OutcomeMapped {
		fmt.Fprintf(out, "REFUSED   %-10s  %s\n", "mapping", verdict.Reason)
		return &judgedError{text: "the cluster does not let the bearer in: " + verdict.Reason}
	}
	fmt.Fprintf(out, "ok        %-10s  %s maps %s\n", "mapping", sourceOf(verdict), who.CanonicalARN)
	groups := strings.Join(verdict.Groups, ", ")
	if groups == "" {
		groups = "none"
	}
	fmt.Fprintf(out, "          %-10s  %s\n          %-10s  %s\n", "username", verdict.Username, "groups", groups)
	return nil
}

// sourceOf names what maps, with its line where it has one.
func sourceOf(verdict authmap.Verdict) string {
	if verdict.Line > 0 {
		return fmt.Sprintf("%s line %d", verdict.Source, verdict.Line)
	}
	return string(verdict.Source)
}

// inconclusive ends a judgement for want of a fact.
func inconclusive(err error) error {
	return &judgedError{text: "what the cluster would make of it cannot be told: " + err.Error(), inconclusive: true}
}

// entriesOf are the access entries of an identity: they may hold a path that
// the identity does not show.
func entriesOf(ctx context.Context, s *session, snap *snapshot.Snapshot, canonical string) ([]authmap.AccessEntry, error) {
	if !snap.Cluster.AuthMode.ReadsEntries() {
		return nil, nil
	}
	listed := s.read(ctx, *snap, cloud.Request{Sections: []snapshot.Section{snapshot.SectionAccessEntries}, ListEntries: true})
	if err := missing(&listed, snapshot.SectionAccessEntries); err != nil {
		return nil, err
	}
	var principals []string
	for _, entry := range listed.Access.Entries {
		if arn, err := authmap.StripPath(entry.PrincipalARN); err == nil && strings.EqualFold(arn, canonical) {
			principals = append(principals, entry.PrincipalARN)
		}
	}
	var entries []authmap.AccessEntry
	for _, principal := range principals {
		entry, err := s.aws.DescribeAccessEntry(ctx, s.cluster, principal)
		if err != nil {
			return nil, err
		}
		if entry != nil {
			entries = append(entries, authmap.AccessEntry{PrincipalARN: entry.PrincipalARN, Type: entry.Type, Username: entry.Username, Groups: entry.Groups})
		}
	}
	return entries, nil
}
