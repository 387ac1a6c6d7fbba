package supervise

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/front"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/instances/cloud"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node/imds"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/secgroup"
)

// startInstances makes the machine images and from then on gives every instance of
// the account a node, and the cluster the controllers that AWS runs for it.
func (w *world) startInstances(ctx context.Context, failed chan<- error) error {
	images, err := w.buildImages()
	if err != nil {
		return err
	}
	cp, err := parseAddr(layout.ControlPlaneIP)
	if err != nil {
		return err
	}
	cfg := motoConfig()
	watcher := instances.New(instances.Config{
		Sandbox: w.config.Sandbox,
		Place: instances.Place{
			Account: layout.Account, Partition: layout.Partition, Region: layout.Region,
			DNSSuffix: "amazonaws.com", VPCCIDR: layout.VPCCIDR,
		},
		EC2:         ec2.NewFromConfig(cfg),
		IAM:         iam.NewFromConfig(cfg),
		AutoScaling: autoscaling.NewFromConfig(cfg),
		Names:       w.zone,
		Credentials: w.roleSession,
		Images:      images,
		Program:     w.config.Sandbox.Binary(),
		CloudInit:   w.config.CloudInit,
		Log:         w.log.With("part", "instances"),
		// The control plane's network interfaces are in the cluster's group.
		Members: secgroup.Members{w.seed.ClusterSecurityGroup: {cp}},
	})
	w.mu.Lock()
	w.watcher = watcher
	w.mu.Unlock()
	go func() { failed <- fmt.Errorf("instances: %w", watcher.Run(ctx)) }()
	controllers := cloud.New(w.k8s, watcher, &w.roles, w.log.With("part", "cloud"))
	go func() { failed <- fmt.Errorf("cloud controllers: %w", controllers.Run(ctx)) }()
	return nil
}

func (w *world) buildImages() (node.Images, error) {
	a := w.config.Artefacts
	return node.BuildImages(w.config.Sandbox.Path("images"), node.Parts{
		Base:              a.Base,
		Kubelet:           filepath.Join(a.Kubernetes, "kubelet"),
		KubeProxy:         filepath.Join(a.Kubernetes, "kube-proxy"),
		Nodeadm:           filepath.Join(a.Nodeadm, "nodeadm"),
		Authenticator:     filepath.Join(a.IAMAuth, "aws-iam-authenticator"),
		AWSCA:             w.config.Sandbox.AWSCA(),
		KubernetesVersion: layout.KubernetesRelease,
	})
}

// roleSession gives an instance the credentials of its role.
func (w *world) roleSession(ctx context.Context, roleARN, sessionName string) (imds.Credentials, error) {
	c, err := w.front.RoleSession(ctx, roleARN, sessionName)
	if err != nil {
		return imds.Credentials{}, err
	}
	return imds.Credentials(c), nil
}

var errNoInstances = errors.New("the sandbox has no instances yet")

// instances gives the watcher, once it is up.
func (w *world) instances() (*instances.Watcher, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watcher == nil {
		return nil, errNoInstances
	}
	return w.watcher, nil
}

// hooks lets the AWS front reach into nodes and the authenticator.
func (w *world) hooks() front.Hooks {
	return front.Hooks{
		AccessChanged: w.accessChanged,
		ConsoleOutput: func(ctx context.Context, id string) ([]byte, time.Time, error) {
			watcher, err := w.instances()
			if err != nil {
				return nil, time.Time{}, err
			}
			return watcher.ConsoleOutput(ctx, id)
		},
		RunCommand: func(ctx context.Context, id, script string, timeout time.Duration) (front.CommandResult, error) {
			watcher, err := w.instances()
			if err != nil {
				return front.CommandResult{}, err
			}
			r, err := watcher.RunCommand(ctx, id, script, timeout)
			return front.CommandResult{ExitCode: r.ExitCode, Stdout: r.Stdout, Stderr: r.Stderr, TimedOut: r.TimedOut}, err
		},
		CommandTarget: func(ctx context.Context, id string) (bool, error) {
			watcher, err := w.instances()
			if err != nil {
				return false, err
			}
			if i, err := watcher.Instance(id); err != nil || w.roles.Active(cloud.NoSSM, cloud.GroupOf(i)) {
				return false, nil //nolint:nilerr // what has no machine has no agent
			}
			return watcher.CommandTarget(ctx, id)
		},
		Reboot: func(ctx context.Context, id string) error {
			watcher, err := w.instances()
			if err != nil {
				return err
			}
			return watcher.Reboot(ctx, id)
		},
		PushSSHKey: func(ctx context.Context, id, osUser, publicKey string) error {
			watcher, err := w.instances()
			if err != nil {
				return err
			}
			return watcher.PushSSHKey(ctx, id, osUser, publicKey)
		},
	}
}
