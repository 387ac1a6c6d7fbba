package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/eksnodes/kubectl-eksnodes/pkg/cli/clitest"
	"github.com/eksnodes/kubectl-eksnodes/pkg/hostreport"
	"github.com/eksnodes/kubectl-eksnodes/pkg/product"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// TestMain lets scripts run the real main as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		product.Binary: func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			os.Exit(Main(ctx, os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
		},
	})
}

// TestStories runs the stories in testdata/script. Each has a world of its
// own: an AWS account with a cluster, and a kubeconfig that points at it.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("testdata", "script"),
		Setup: setupWorld,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"world":  worldCommand,
			"writes": writesCommand,
			"state":  stateCommand,
			"calls":  callsCommand,
			"mode":   modeCommand,
			"await":  awaitCommand,
			"silent": silentCommand,
			"asked":  askedCommand,
		},
	})
}

type worldKey struct{}

func setupWorld(env *testscript.Env) error {
	world := clitest.New()
	env.Defer(world.Close)
	env.Values[worldKey{}] = world
	env.Values[playKey{}] = &playOf{}
	config := filepath.Join(env.WorkDir, "kubeconfig")
	if err := os.WriteFile(config, []byte(world.Kubeconfig(world.CA())), 0o600); err != nil {
		return err
	}
	env.Vars = append(env.Vars,
		"HOME="+env.WorkDir, "XDG_STATE_HOME="+env.WorkDir+"/state", "KUBECONFIG="+config,
		"AWS_ENDPOINT_URL="+world.AWS(), "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+filepath.Join(env.WorkDir, "none"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(env.WorkDir, "none"),
	)
	return nil
}

type playKey struct{}

// playOf is the play that a story has put in the place of its world, or none.
type playOf struct{ *clitest.Play }

// silentCommand puts a play in the world's place: a cluster with nothing wrong
// with it, one machine of which runs and is no node. By SSM it says that it
// swaps.
func silentCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: silent")
	}
	p := clitest.NewPlay(snapshottest.Healthy(func(s *snapshot.Snapshot) { s.Nodes[0].Kube = nil }))
	ts.Defer(p.Close)
	p.Report = func(id string) []byte {
		host := snapshottest.Host(id)
		host.Kubelet.Running, host.Kubelet.Healthz, host.Resources.Swap = false, 0, []string{"/dev/xvdb"}
		host.Kubeconfig, host.Gaps = nil, []snapshot.HostGap{{Probe: snapshot.ProbeKubeconfig, Reason: snapshot.GapNotAsked}} // it names another address than the play has
		var document bytes.Buffer
		if err := hostreport.New("v0.1.0", *host, nil).Encode(&document); err != nil {
			return nil
		}
		return document.Bytes()
	}
	ts.Value(playKey{}).(*playOf).Play = p
	ts.Check(os.WriteFile(ts.MkAbs("kubeconfig-of-play"), []byte(p.Kubeconfig()), 0o600))
	ts.Setenv("KUBECONFIG", ts.MkAbs("kubeconfig-of-play"))
	ts.Setenv("AWS_ENDPOINT_URL", p.AWS())
}

// askedCommand compares the calls of SSM in the play, and those that make
// something in its cluster, with its words: asked [CALL ...].
func askedCommand(ts *testscript.TestScript, neg bool, args []string) {
	calls := slices.DeleteFunc(ts.Value(playKey{}).(*playOf).Calls(), func(call string) bool {
		return !strings.HasPrefix(call, "ssm:") && !strings.HasPrefix(call, "kube:create")
	})
	if got, want := strings.Join(calls, ", "), strings.Join(args, ", "); (got == want) == neg {
		ts.Fatalf("asked was by [%s], told was [%s]", got, want)
	}
}

func worldOf(ts *testscript.TestScript) *clitest.World { return ts.Value(worldKey{}).(*clitest.World) }

// worldCommand changes the world: world deny eks:ListAccessEntries.
func worldCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("world cannot be negated")
	}
	for i, word := range args { // @FILE is the file's text
		if file, ok := strings.CutPrefix(word, "@"); ok {
			args[i] = ts.ReadFile(file)
		}
	}
	ts.Check(worldOf(ts).Do(args...))
}

// writesCommand compares the writing calls since the start with its words:
// writes [CALL ...].
func writesCommand(ts *testscript.TestScript, neg bool, args []string) {
	got, want := strings.Join(worldOf(ts).Writes(), ", "), strings.Join(args, ", ")
	if (got == want) == neg {
		ts.Fatalf("writes are [%s], told were [%s]", got, want)
	}
}

// stateCommand looks for a line in what stands now: state 'stack ... CREATE_COMPLETE'.
func stateCommand(ts *testscript.TestScript, neg bool, args []string) {
	state := worldOf(ts).State()
	if strings.Contains(state, strings.Join(args, " ")) == neg {
		ts.Fatalf("the state is\n%s", state)
	}
}

// callsCommand checks how often a call was made: calls eks:DescribeCluster 1;
// or that calls of AWS before one are at most so many: calls before cloudformation:CreateStack 12.
func callsCommand(ts *testscript.TestScript, neg bool, args []string) {
	calls := worldOf(ts).Calls()
	if neg || len(args) < 2 {
		ts.Fatalf("usage: calls CALL N, or calls before CALL N")
	}
	if args[0] == "before" {
		n := 0
		for _, call := range calls {
			if call == args[1] {
				break
			}
			if !strings.HasPrefix(call, "kube:") {
				n++
			}
		}
		if fmt.Sprint(n) != args[2] {
			ts.Fatalf("%d calls before %s, told were %s:\n%s", n, args[1], args[2], strings.Join(calls, "\n"))
		}
		return
	}
	n := 0
	for _, call := range calls {
		if call == args[0] {
			n++
		}
	}
	if fmt.Sprint(n) != args[1] {
		ts.Fatalf("%d calls of %s, told were %s", n, args[0], args[1])
	}
}

// modeCommand checks a file's permissions: mode 600 FILE.
func modeCommand(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); (got == args[0]) == neg {
		ts.Fatalf("%s has mode %s", args[1], got)
	}
}

// awaitCommand waits until a call has been made so many times.
func awaitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await CALL N")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	deadline := time.Now().Add(20 * time.Second)
	for {
		n := 0
		for _, call := range worldOf(ts).Calls() {
			if call == args[0] {
				n++
			}
		}
		if n >= want {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s was called %d times in 20s", args[0], n)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
