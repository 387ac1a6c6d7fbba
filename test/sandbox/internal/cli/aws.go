package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/calllog"
)

func (a *app) calls() *cobra.Command {
	var output string
	var forget, writes, unimplemented bool
	cmd := &cobra.Command{
		Use: "calls", Short: "Print the AWS calls that were made, oldest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if forget {
				return a.passOn(cmd, http.MethodDelete, "/calls", nil, nil)
			}
			if !slices.Contains([]string{"", "json"}, output) {
				return fmt.Errorf("output %q: want json", output)
			}
			query := url.Values{}
			for name, set := range map[string]bool{"writes": writes, "unimplemented": unimplemented} {
				if set {
					query.Set(name, "true")
				}
			}
			show := a.printCalls
			if output == "json" {
				show = a.printRaw
			}
			return a.passOn(cmd, http.MethodGet, "/calls?"+query.Encode(), nil, show)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json: all fields, as one array")
	cmd.Flags().BoolVar(&forget, "clear", false, "empty the log instead")
	cmd.Flags().BoolVar(&writes, "writes", false, "only calls that change something")
	cmd.Flags().BoolVar(&unimplemented, "unimplemented", false, "only calls that the sandbox cannot answer")
	return cmd
}

func (a *app) printCalls(answer []byte) error {
	var calls []calllog.Record
	if err := json.Unmarshal(answer, &calls); err != nil {
		return fmt.Errorf("read calls: %w", err)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, c := range calls {
		outcome := fmt.Sprint(c.Status)
		if c.ErrorCode != "" {
			outcome += " " + c.ErrorCode
		}
		if _, err := fmt.Fprintf(w, "%s\t%s:%s\t%s\t%s\n", c.Time.Format(time.TimeOnly), c.Service, c.Operation, outcome, c.Principal); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (a *app) printRaw(answer []byte) error { return a.print("%s\n", bytes.TrimSpace(answer)) }

// passOn makes a call to the supervisor and shows its answer.
func (a *app) passOn(cmd *cobra.Command, method, path string, body any, show func([]byte) error) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		reader = bytes.NewReader(text)
	}
	answer, err := client.Do(cmd.Context(), method, path, reader)
	if err != nil || show == nil {
		return err
	}
	return show(answer)
}

// callAll runs all steps and joins their errors.
func callAll(steps ...func() error) error {
	var errs []error
	for _, step := range steps {
		errs = append(errs, step())
	}
	return errors.Join(errs...)
}
