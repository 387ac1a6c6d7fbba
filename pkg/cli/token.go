package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cloud"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/token"
	"github.com/eksnodes/kubectl-eksnodes/pkg/version"
)

const tokenHelp = `Make the token by which your AWS identity shows itself to the cluster.

To a pipe, and to kubectl when this command is the exec plugin of a kubeconfig,
an ExecCredential is printed. On a terminal it only tells what is in the token:
for 15 minutes its bearer is you, as far as the cluster can tell. --reveal
prints it there too.`

const tokenExamples = `  # what is in it
  %[1]s token

  # as the exec plugin of a kubeconfig: command %[2]s,
  # args [token, --eks-cluster, demo, --region, us-west-2]
  %[1]s token --eks-cluster demo --region us-west-2 | jq -r .status.expirationTimestamp

  # why does the cluster not let me in?
  %[1]s token verify`

// execInfo is set by kubectl for exec plugins (client-go, plugin/pkg/client/auth/exec).
const execInfo = "KUBERNETES_EXEC_INFO"

// tokenMargin is how long before a token's end kubectl should ask for another.
const tokenMargin = time.Minute

func newToken(app *app, conn *connection) *cobra.Command {
	var reveal bool
	cmd := &cobra.Command{
		Use:     "token [flags]",
		Short:   "Make or verify the token by which you show yourself to the cluster",
		Long:    tokenHelp,
		Example: fmt.Sprintf(tokenExamples, product.Command, product.Binary),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, cluster, err := conn.identity(cmd.Context())
			if err != nil {
				return err
			}
			made, err := token.Make(cmd.Context(), client.Config(), cluster)
			if err != nil {
				return err
			}
			claims, err := token.Describe(made)
			if err != nil {
				return err
			}
			claims.Cluster = cluster
			asked := os.Getenv(execInfo)
			if !reveal && asked == "" && isTerminal(app.streams.Out) {
				printClaims(app.streams.Out, claims)
				app.screen.say("the token itself goes to a pipe, or with --reveal to a terminal")
				return nil
			}
			return printCredential(app.streams.Out, made, claims, asked)
		},
	}
	cmd.Flags().BoolVar(&reveal, "reveal", false, "print the token on a terminal too")
	cmd.AddCommand(newTokenVerify(app, conn))
	return cmd
}

// identity is whom AWS takes the caller for, and the cluster's name. Where the
// flags say all, no kubeconfig is read: kubectl runs the command before it has
// a cluster to speak to.
func (c *connection) identity(ctx context.Context) (*cloud.Client, string, error) {
	if c.eksCluster != "" && c.region != "" {
		config, err := cloud.Load(ctx, cloud.Options{Region: c.region, Profile: c.profile, Version: version.Current().Version})
		if err != nil {
			return nil, "", err
		}
		config.Logger = nil
		return cloud.New(config), c.eksCluster, nil
	}
	session, err := c.open(ctx)
	if err != nil {
		return nil, "", err
	}
	return session.aws, session.cluster, nil
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// printClaims tells what is in a token, without what makes it one.
func printClaims(out io.Writer, claims snapshot.TokenClaims) {
	signed := "not signed: any cluster would take it"
	if claims.ClusterSigned {
		signed = "signed"
	}
	fmt.Fprintf(out, "cluster     %s (%s)\n", claims.Cluster, signed)
	fmt.Fprintf(out, "for         %s in %s\n", claims.Host, claims.Region)
	fmt.Fprintf(out, "key         …%s\n", claims.KeyEnd)
	fmt.Fprintf(out, "signed at   %s\n", claims.SignedAt.Format(time.RFC3339))
	fmt.Fprintf(out, "good until  %s\n", claims.SignedAt.Add(token.Lifetime).Format(time.RFC3339))
	fmt.Fprintf(out, "length      %d bytes\n", claims.Length)
}

// execCredential is what kubectl reads from an exec plugin.
type execCredential struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Spec       struct{} `json:"spec"`
	Status     struct {
		ExpirationTimestamp string `json:"expirationTimestamp"`
		Token               string `json:"token"`
	} `json:"status"`
}

// printCredential prints a token as kubectl reads it, in the version of the
// API that kubectl asks for.
func printCredential(out io.Writer, made token.Secret, claims snapshot.TokenClaims, asked string) error {
	credential := execCredential{APIVersion: "client.authentication.k8s.io/v1beta1", Kind: "ExecCredential"}
	if asked != "" {
		var info struct {
			APIVersion string `json:"apiVersion"`
		}
		if err := json.Unmarshal([]byte(asked), &info); err != nil {
			return fmt.Errorf("read %s: %w", execInfo, err)
		}
		known := []string{"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"}
		if !slices.Contains(known, info.APIVersion) {
			return fmt.Errorf("%s asks for apiVersion %q: this command knows v1 and v1beta1 of client.authentication.k8s.io", execInfo, info.APIVersion)
		}
		credential.APIVersion = info.APIVersion
	}
	credential.Status.Token = made.Reveal()
	credential.Status.ExpirationTimestamp = claims.SignedAt.Add(token.Lifetime - tokenMargin).UTC().Format(time.RFC3339)
	return json.NewEncoder(out).Encode(credential)
}
