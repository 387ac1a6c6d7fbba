package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) fault() *cobra.Command {
	cmd := &cobra.Command{Use: "fault", Short: "Make AWS misbehave"}
	cmd.AddCommand(a.faultList(), a.faultInject(), a.faultClear())
	return cmd
}

const faultsPath = "/faults"

func (a *app) faultList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "Print the fault rules as JSON", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.passOn(cmd, http.MethodGet, faultsPath, nil) }}
}

func (a *app) faultClear() *cobra.Command {
	return &cobra.Command{Use: "clear", Short: "Take all fault rules away", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.passOn(cmd, http.MethodDelete, faultsPath, nil) }}
}

// fault is a rule as the AWS front takes it.
type fault struct {
	Kind      string `json:"kind"`
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Count     int    `json:"count,omitempty"`
	After     int    `json:"after,omitempty"`
	Delay     string `json:"delay,omitempty"`
	Code      string `json:"code,omitempty"`
}

func (a *app) faultInject() *cobra.Command {
	var f fault
	var delay time.Duration
	cmd := &cobra.Command{
		Use:   "inject deny|throttle|delay|error SERVICE:OPERATION",
		Short: "Add a fault rule",
		Long:  "Add a fault rule. An operation of * means every operation of the service.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ok bool
			f.Kind = args[0]
			if f.Service, f.Operation, ok = strings.Cut(args[1], ":"); !ok {
				return fmt.Errorf("%q: want SERVICE:OPERATION", args[1])
			}
			if delay != 0 {
				f.Delay = delay.String()
			}
			body, err := json.Marshal(f)
			if err != nil {
				return fmt.Errorf("encode fault: %w", err)
			}
			return a.passOn(cmd, http.MethodPost, faultsPath, body)
		},
	}
	cmd.Flags().IntVar(&f.Count, "count", 0, "how many calls it hits (0: all)")
	cmd.Flags().IntVar(&f.After, "after", 0, "how many calls it lets through first")
	cmd.Flags().DurationVar(&delay, "delay", 0, "how long a delayed call waits")
	cmd.Flags().StringVar(&f.Code, "code", "", "AWS error code to answer")
	return cmd
}

func (a *app) calls() *cobra.Command {
	var output string
	var clearLog bool
	cmd := &cobra.Command{
		Use: "calls", Short: "Print the AWS calls that were made, one JSON object a line", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if clearLog {
				return a.passOn(cmd, http.MethodDelete, "/calls", nil)
			}
			query := url.Values{}
			if output != "" {
				query.Set("format", output)
			}
			return a.passOn(cmd, http.MethodGet, "/calls?"+query.Encode(), nil)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json: one array")
	cmd.Flags().BoolVar(&clearLog, "clear", false, "empty the log instead")
	return cmd
}

// passOn makes a call to the AWS front's control API and prints its answer.
func (a *app) passOn(cmd *cobra.Command, method, path string, body []byte) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	var answer []byte
	if body == nil {
		answer, err = client.Do(cmd.Context(), method, path, nil)
	} else {
		answer, err = client.Do(cmd.Context(), method, path, bytes.NewReader(body))
	}
	if err != nil {
		return err
	}
	return a.print("%s", answer)
}
