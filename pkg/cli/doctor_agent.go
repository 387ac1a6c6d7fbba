package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/agent"
	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/gather"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// The values of --agent.
const (
	agentNever  = "never"
	agentAuto   = "auto"
	agentAlways = "always"
)

// agentFlags say whether and how machines are asked what they say themselves.
type agentFlags struct {
	agent  string
	binary string
	image  string
	url    string
	sha256 string
	login  loginFlags
}

func (f *agentFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.agent, "agent", agentAuto, "ask the machines themselves: never, always, or auto: when nothing else settles the cause, after a yes")
	flags.StringVar(&f.binary, "agent-binary", "", "send this node-agent `program` by SSH instead of the one that the plugin carries")
	flags.StringVar(&f.image, "agent-image", "", "`name` of node-agent's image for a pod that is run once (default: the release's)")
	flags.StringVar(&f.url, "agent-url", "", "with SSM, let machines fetch the agent from this https `address`")
	flags.StringVar(&f.sha256, "agent-sha256", "", "with --agent-url, what the program's sha256 must be: `hex`")
	f.login.bind(flags)
}

func (f *agentFlags) validate() error {
	if !slices.Contains([]string{agentNever, agentAuto, agentAlways}, f.agent) {
		return usagef("--agent %q: use never, auto or always", f.agent)
	}
	if err := (agent.SSM{AgentURL: f.url, AgentSHA256: f.sha256}).Validate(); err != nil {
		return usageError{err}
	}
	if _, err := agentManifest(f.image); err != nil {
		return err
	}
	return f.login.validate()
}

// judge judges, and asks the machines themselves where that is allowed and of
// use. What their consoles show has been read like anything else, live or out
// of files, and always counts.
func (c *doctorCommand) judge(ctx context.Context, snap *snapshot.Snapshot) (report.Report, error) {
	verdict := func() report.Report { return check.Judge(snap, c.checks, check.Options{Compare: c.other}) }
	flags := &c.flags.agent
	if c.flags.wouldJoin || c.flags.template != "" {
		return verdict(), nil
	}
	asks := flags.agent != agentNever && c.evidence == nil
	if asks {
		c.listStale(ctx)
	}
	told := c.shown(ctx, snap, asks)
	first := verdict()
	if !asks {
		return first, nil
	}
	unclear := unsettled(snap, &first, c.checks)
	ids := unclear
	if flags.agent == agentAlways {
		ids = slices.DeleteFunc(c.worthAsking(snap), func(id string) bool { return slices.Contains(told, id) && !slices.Contains(unclear, id) })
	} else if len(ids) > 0 && !c.mayAsk(ctx, ids) {
		return first, ctx.Err()
	}
	if len(ids) == 0 {
		return first, nil
	}
	if err := c.ask(ctx, snap, ids); err != nil {
		return first, err
	}
	return verdict(), ctx.Err()
}

// listStale names the ports that earlier runs left open. The doctor closes
// none: that is for a run with --open-ssh, or for the user. AWS has as long to
// answer as for any other reading.
func (c *doctorCommand) listStale(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.session.timeout, gather.DefaultTimeout))
	defer cancel()
	door := &agent.Door{Doors: c.session.aws, Alive: processAlive, Now: time.Now}
	stale, err := door.Stale(ctx)
	if err != nil {
		c.app.screen.say("%s", err)
		return
	}
	for _, opening := range stale {
		c.app.screen.say("port 22 of %s is open for %s, left by a run of %s; close it: %s",
			opening.GroupID, opening.From, opening.Owner, agent.RevokeCommand(c.session.aws.Region(), opening))
	}
}

// shown takes what is there already: what the consoles that were read show
// and, where machines may be asked, what installed agents have printed. It
// returns the machines whose whole report that was.
func (c *doctorCommand) shown(ctx context.Context, snap *snapshot.Snapshot, installed bool) (told []string) {
	var machines []agent.Machine
	worth := c.worthAsking(snap)
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		joined := installed && node.Kube != nil && slices.Contains(worth, node.InstanceID)
		if node.Host == nil && (node.Console != nil || joined) {
			machines = append(machines, agent.MachineOf(snap, node))
		}
	}
	roads := []agent.Road{agent.Console{}.Road()}
	if installed {
		roads = slices.Insert(roads, 0, agentPods(c.session, "").Installed())
	}
	for _, result := range agent.Fetch(ctx, machines, roads, agent.Options{}) {
		if result.Whole() {
			told = append(told, result.InstanceID)
			c.app.screen.say("%s: report by %s", result.InstanceID, strings.Join(result.Used(), " and "))
		}
		if len(result.Reports) > 0 {
			agent.Join(snap, result)
		}
	}
	return told
}

// worthAsking are the machines that run and are not Ready, some of each
// group, and those that the user named, whatever they are.
func (c *doctorCommand) worthAsking(snap *snapshot.Snapshot) []string {
	ids := silent(snap)
	for i := range snap.Nodes {
		node := &snap.Nodes[i]
		named := slices.Contains(c.subjects, node.InstanceID) || node.Kube != nil && slices.Contains(c.subjects, node.Kube.Name)
		if named && node.Cloud != nil && node.Cloud.State == "running" && !slices.Contains(ids, node.InstanceID) {
			ids = append(ids, node.InstanceID)
		}
	}
	return ids
}

// unsettled are the silent machines for whose state no check has found a
// cause: what only follows from one, and what is merely possible, is none.
func unsettled(snap *snapshot.Snapshot, verdict *report.Report, checks []check.Check) []string {
	symptom := map[string]bool{}
	for i := range checks {
		symptom[checks[i].ID] = checks[i].Symptom
	}
	settles := func(f *report.Finding, node *snapshot.Node) bool {
		if f.Status != report.Fail || f.BlockedBy != "" || symptom[f.Check] || f.Confidence == report.Possible {
			return false
		}
		return f.Kind == report.KindCluster || slices.Contains(f.Subjects, node.Group) || slices.Contains(f.Subjects, node.InstanceID)
	}
	return slices.DeleteFunc(silent(snap), func(id string) bool {
		i := slices.IndexFunc(snap.Nodes, func(n snapshot.Node) bool { return n.InstanceID == id })
		return slices.ContainsFunc(verdict.Findings, func(f report.Finding) bool { return settles(&f, &snap.Nodes[i]) })
	})
}

// mayAsk asks the user whether the machines may be asked. Where the answer is
// no, or there is nobody to give one, it says how to do it later.
func (c *doctorCommand) mayAsk(ctx context.Context, ids []string) bool {
	unsettled := fmt.Sprintf("nothing that was read settles the cause of %s; ask the machines themselves", some(ids))
	later := strings.Join(slices.Concat([]string{product.Command}, c.app.args, []string{"--agent", agentAlways}), " ")
	if !c.app.screen.asks {
		c.app.screen.say("%s: %s", unsettled, later)
		return false
	}
	if c.app.screen.confirm(ctx, unsettled+", by SSM, SSH or a pod (reads, changes nothing)") == nil {
		return true
	}
	if ctx.Err() == nil {
		c.app.screen.say("the machines were not asked; to ask them: %s", later)
	}
	return false
}

// ask goes the roads of the machines and puts what came home into the
// snapshot.
func (c *doctorCommand) ask(ctx context.Context, snap *snapshot.Snapshot, ids []string) (err error) {
	var machines []agent.Machine
	for i := range snap.Nodes {
		if node := &snap.Nodes[i]; slices.Contains(ids, node.InstanceID) {
			machines = append(machines, agent.MachineOf(snap, node))
		}
	}
	flags := &c.flags.agent
	ssh, err := flags.login.ssh(c.app, c.session)
	if err != nil {
		return err
	}
	defer func() { _ = ssh.Bastion.Close() }()
	ssh.Binaries, ssh.Args = agent.Embedded(flags.binary), []string{"report"}
	ctx, stop := guard(ctx)
	defer stop()
	c.app.screen.say("asking %s themselves ...", count(len(machines), "machine", "machines"))
	door, err := flags.login.door(ctx, c.app, c.session, machines, sshOpenFor)
	defer func() {
		if closeErr := door.Close(ctx); err == nil {
			err = closeErr
		} else if closeErr != nil {
			c.app.screen.fail(closeErr.Error())
		}
	}()
	if err != nil {
		return err
	}
	roads := []agent.Road{
		agent.Console{Read: consoleOf(c.session)}.Road(),
		agent.SSM{Runner: c.session.aws, AgentURL: flags.url, AgentSHA256: flags.sha256, Machines: ids}.Road(),
		ssh.Road(),
		podRoad(c.session, snap, flags.image),
	}
	results := agent.Fetch(ctx, machines, roads, agent.Options{Progress: c.tell})
	for _, result := range results {
		agent.Join(snap, result)
	}
	return ctx.Err()
}

// tell says which road a machine's report came by, and why not the others.
func (c *doctorCommand) tell(result agent.Result) {
	used := "no report"
	if roads := result.Used(); len(roads) > 0 {
		used = "report by " + strings.Join(roads, " and ")
	}
	if why := result.Tried(); why != "" {
		used += " (" + why + ")"
	}
	c.app.screen.say("%s: %s", result.InstanceID, used)
	for _, note := range result.Notes {
		c.app.screen.say("%s: %s", result.InstanceID, note)
	}
}
