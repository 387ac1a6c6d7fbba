package cli

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/eksnodes/kubectl-eksnodes/pkg/agent"
	"github.com/eksnodes/kubectl-eksnodes/pkg/authmap"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
)

// loginFlags say how a machine's sshd is reached.
type loginFlags struct {
	key     string
	user    string
	bastion string
	open    bool
	cidr    string
	wide    bool
}

func (f *loginFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.key, "ssh-key", "", "`file` of the private key to log in with (default: the ssh-agent's, else one pushed by EC2 Instance Connect)")
	flags.StringVar(&f.user, "ssh-user", "", "`user` to log in as (default: the one that the image has)")
	flags.StringVar(&f.bastion, "bastion", "", "go through this machine: `[user@]host[:port]`")
	flags.BoolVar(&f.open, "open-ssh", false, "open port 22 of the machines' security group for you alone, and close it in the end")
	flags.StringVar(&f.cidr, "cidr", "", "with --open-ssh, let this `address` in instead of the one that AWS sees you at")
	flags.BoolVar(&f.wide, "cidr-is-wide", false, "with --cidr, let more than one address in")
}

func (f *loginFlags) validate() error {
	switch {
	case !f.open && (f.cidr != "" || f.wide):
		return usagef("--cidr goes with --open-ssh")
	case f.open && f.bastion != "" && f.cidr == "":
		return usagef("--open-ssh with --bastion takes --cidr: the address that the machines see the bastion at")
	}
	if f.cidr != "" {
		if _, err := agent.ParseFrom(f.cidr, f.wide); err != nil {
			return usageError{err}
		}
	}
	if f.bastion != "" {
		if _, err := agent.ParseBastion(f.bastion, localUser()); err != nil {
			return usageError{err}
		}
	}
	return nil
}

// localUser is who runs the command.
func localUser() string {
	if me, err := user.Current(); err == nil {
		return me.Username
	}
	return "root"
}

// ssh is the road through sshd, as the flags have it.
func (f *loginFlags) ssh(app *app, s *session) (*agent.SSH, error) {
	login := agent.Login{User: f.user, KeyFile: f.key, AgentSocket: os.Getenv("SSH_AUTH_SOCK"), Pusher: s.aws}
	road := &agent.SSH{Login: login, HostKeys: hostKeys(app, s)}
	if f.bastion == "" {
		return road, nil
	}
	bastion, err := agent.ParseBastion(f.bastion, localUser())
	if err != nil {
		return nil, usageError{err}
	}
	bastion.Login = agent.Login{KeyFile: f.key, AgentSocket: login.AgentSocket}
	bastion.KnownHosts = knownHosts()
	road.Bastion = bastion
	return road, nil
}

// hostKeys verifies machines' keys by the user's known_hosts, our own, and
// their consoles; the user is asked on a terminal only.
func hostKeys(app *app, s *session) *agent.HostKeys {
	keys := &agent.HostKeys{Files: knownHosts(), Remember: stateFile("known_hosts"), Console: consoleOf(s)}
	if app.screen.asks {
		keys.Ask = app.screen.confirm
	}
	return keys
}

// consoleOf reads a machine's console.
func consoleOf(s *session) func(context.Context, *agent.Machine) (string, error) {
	return func(ctx context.Context, m *agent.Machine) (string, error) {
		console, err := s.aws.ConsoleOutput(ctx, m.InstanceID)
		if err != nil || console == nil {
			return "", err
		}
		return console.Text, nil
	}
}

func knownHosts() []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	return []string{filepath.Join(home, ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"}
}

// stateFile is a file that is kept between runs; "" where there is no home.
func stateFile(name string) string {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, product.Binary, name)
}

// sshOpenFor is how long an opened port may stay open at the latest.
const sshOpenFor = 15 * time.Minute

// door opens port 22 of the machines' groups, if the flags say so, after
// closing what earlier runs left. Its end must be closed in any case.
func (f *loginFlags) door(ctx context.Context, app *app, s *session, machines []agent.Machine, until time.Duration) (*agent.Door, error) {
	door := &agent.Door{Doors: s.aws, Process: thisProcess(), Alive: processAlive, Say: app.screen.say, Now: time.Now, Until: time.Now().Add(until)}
	if !f.open {
		return door, nil
	}
	arn, err := s.aws.CallerARN(ctx)
	if err != nil {
		return door, fmt.Errorf("--open-ssh: %w", err)
	}
	// The role, not the session: many tools name every session anew, and then
	// no run would find what an earlier one left.
	if _, door.Owner, err = authmap.CanonicalARN(arn); err != nil {
		door.Owner = arn
	}
	if err := door.Sweep(ctx); err != nil {
		return door, err
	}
	if door.From, err = f.from(ctx, s); err != nil {
		return door, err
	}
	groups := make([]string, 0, len(machines))
	for i := range machines {
		groups = append(groups, machines[i].FirewallGroup())
	}
	return door, door.Open(ctx, slices.Compact(groups))
}

// guard keeps signals from ending the program at once while a port may be
// open: they end the context, and what was opened is closed before anything
// else happens, also when the user cannot wait or the terminal goes away.
func guard(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}

// from is who is let in.
func (f *loginFlags) from(ctx context.Context, s *session) (netip.Prefix, error) {
	if f.cidr != "" {
		return agent.ParseFrom(f.cidr, f.wide)
	}
	address, err := s.aws.PublicAddress(ctx)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("--open-ssh: %w; say it yourself: --cidr ADDRESS", err)
	}
	return netip.PrefixFrom(address, address.BitLen()), nil
}
