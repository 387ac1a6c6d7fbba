package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/control"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front/faults"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances/cloud"
)

const faultsPath = "/faults"

func (a *app) fault() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fault",
		Short: "Make AWS misbehave",
		Long: fmt.Sprintf(`Make AWS misbehave. A rule hits calls of the AWS API; a role (%v) switches
off one of the programs of AWS that a cluster and its machines have.`, cloud.AllFaults()),
	}
	cmd.AddCommand(a.faultList(), a.faultInject(), a.faultClear())
	return cmd
}

// injected is what `fault list -o json` prints.
type injected struct {
	Rules []faults.Rule `json:"rules"`
	Roles []cloud.Off   `json:"roles"`
}

func (a *app) faultList() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "list", Short: "List the faults in force", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all injected
			read := func(into any) func([]byte) error {
				return func(answer []byte) error { return json.Unmarshal(answer, into) }
			}
			if err := a.passOn(cmd, http.MethodGet, faultsPath, nil, read(&all.Rules)); err != nil {
				return err
			}
			if err := a.passOn(cmd, http.MethodGet, control.RolesPath, nil, read(&all.Roles)); err != nil {
				return err
			}
			return a.printFaults(all, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for machines")
	return cmd
}

func (a *app) printFaults(all injected, output string) error {
	switch output {
	case "":
	case "json":
		text, err := json.MarshalIndent(all, "", "  ")
		if err != nil {
			return fmt.Errorf("encode faults: %w", err)
		}
		return a.print("%s\n", text)
	default:
		return fmt.Errorf("output %q: want json", output)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(w, "ID\tFAULT\tTARGET\tSEEN\tHIT"); err != nil {
		return err
	}
	for _, r := range all.Rules {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", r.ID, r.Kind, r.Target, r.Seen, r.Hits); err != nil {
			return err
		}
	}
	for _, role := range all.Roles {
		if _, err := fmt.Fprintf(w, "%s\trole off\t%s\t\t\n", role.Fault, cmp.Or(role.Group, "all machines")); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (a *app) faultInject() *cobra.Command {
	var r faults.Rule
	var delay time.Duration
	var group string
	cmd := &cobra.Command{
		Use:   "inject ROLE | inject deny|throttle|delay|error SERVICE:OPERATION",
		Short: "Put a fault into force",
		Long: fmt.Sprintf(`Put a fault into force: one of the roles %v, or a rule. SERVICE and OPERATION may hold
* and ?, as in "ec2:Describe*".`, cloud.AllFaults()),
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.passOn(cmd, http.MethodPut, rolePath(args[0], group), nil, nil)
			}
			r.Kind, r.Target, r.Delay = args[0], args[1], faults.Duration(delay)
			if err := r.Validate(); err != nil {
				return fmt.Errorf("fault: %w", err)
			}
			return a.passOn(cmd, http.MethodPost, faultsPath, r, a.printRaw)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&r.Count, "count", 0, "how many calls it hits (0: all)")
	flags.IntVar(&r.After, "after", 0, "how many matching calls it lets through first")
	flags.DurationVar(&delay, "delay", 0, "how late a delay fault answers")
	flags.StringVar(&r.Code, "code", "", "AWS error code of an error fault")
	flags.IntVar(&r.Status, "status", 0, "HTTP status of an error fault")
	flags.StringVar(&r.Message, "message", "", "message of an error fault")
	flags.StringVar(&r.Principal, "principal", "", "pattern of the caller's ARN (default: every caller)")
	flags.StringVar(&group, "group", "", "Auto Scaling group for whose machines a role is off (default: all)")
	return cmd
}

func rolePath(role, group string) string {
	path := control.RolesPath + "/" + url.PathEscape(role)
	if group == "" {
		return path
	}
	return path + "?" + url.Values{"group": {group}}.Encode()
}

func (a *app) faultClear() *cobra.Command {
	var group string
	cmd := &cobra.Command{
		Use:   "clear [ROLE|ID]",
		Short: "Take one fault away, or all",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var steps []func() error
			for _, role := range cloud.AllFaults() {
				if len(args) == 0 || args[0] == string(role) {
					steps = append(steps, func() error {
						return a.passOn(cmd, http.MethodDelete, rolePath(string(role), group), nil, nil)
					})
				}
			}
			switch {
			case len(args) == 0:
				steps = append(steps, func() error { return a.passOn(cmd, http.MethodDelete, faultsPath, nil, nil) })
			case len(steps) == 0:
				steps = append(steps, func() error { return a.passOn(cmd, http.MethodDelete, faultsPath+"/"+args[0], nil, nil) })
			}
			return callAll(steps...)
		},
	}
	cmd.Flags().StringVar(&group, "group", "", "group for whose machines a role is switched on again (default: for all)")
	return cmd
}
