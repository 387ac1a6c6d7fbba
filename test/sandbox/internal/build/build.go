package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/node"
)

// Artefacts are the folders of what was built.
type Artefacts struct {
	Kubernetes string // etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, kubelet, kube-proxy
	IAMAuth    string // aws-iam-authenticator
	Nodeadm    string // nodeadm
	Python     string // virtual environment with moto
	AWSCLI     string // virtual environment with the AWS CLI
	Base       string // base root file system of nodes
}

// Builder makes artefacts.
type Builder struct {
	Source   string // folder of the sandbox's module
	Cache    string
	Progress func(format string, args ...any)
}

// releaseFlags make the binaries say which release they are; without them all
// report v0.0.0-master, which version and skew checks would stumble over.
const releaseFlags = "-s -w" +
	" -X k8s.io/component-base/version.gitVersion=" + layout.KubernetesRelease +
	" -X k8s.io/component-base/version.gitMajor=1" +
	" -X k8s.io/component-base/version.gitMinor=34" +
	" -X k8s.io/component-base/version.gitTreeState=clean" +
	" -X k8s.io/client-go/pkg/version.gitVersion=" + layout.KubernetesRelease

// All makes everything, first the packages of the machine that the rest needs.
// Finding all of it in the cache takes a fraction of a second.
func (b Builder) All(ctx context.Context) (Artefacts, error) {
	if err := b.packages(ctx); err != nil {
		return Artefacts{}, err
	}
	var a Artefacts
	for _, step := range []struct {
		into *string
		make func(context.Context) (string, error)
	}{
		{&a.IAMAuth, func(ctx context.Context) (string, error) {
			return b.goTools(ctx, "iamauth", "-s -w", "building aws-iam-authenticator (a minute the first time)")
		}},
		{&a.Kubernetes, func(ctx context.Context) (string, error) {
			return b.goTools(ctx, "controlplane", releaseFlags,
				"building etcd and Kubernetes "+layout.KubernetesRelease+" (five to ten minutes the first time)")
		}},
		{&a.Nodeadm, func(ctx context.Context) (string, error) {
			return b.goTools(ctx, "nodeadm", "-s -w", "building nodeadm (a minute the first time)")
		}},
		{&a.Python, b.python},
		{&a.AWSCLI, b.awsCLI},
		{&a.Base, b.base},
	} {
		dir, err := step.make(ctx)
		if err != nil {
			return Artefacts{}, err
		}
		*step.into = dir
	}
	return a, nil
}

// base makes the nodes' base root file system.
func (b Builder) base(ctx context.Context) (string, error) {
	return b.cache().artefact(ctx, "base", node.BaseKey(), "making the nodes' base file system (a minute the first time)",
		func(ctx context.Context, dir string) error {
			return node.MakeBase(ctx, dir, filepath.Join(b.Cache, "base.log"))
		})
}

func (b Builder) cache() cache { return cache{dir: b.Cache, progress: b.Progress} }

// FindSource looks upwards from a folder for the sandbox's module.
func FindSource(from string) (string, error) {
	dir, err := filepath.Abs(from)
	if err != nil {
		return "", fmt.Errorf("find the sandbox's source: %w", err)
	}
	for {
		for _, candidate := range []string{dir, filepath.Join(dir, "test", "sandbox")} {
			if exists(filepath.Join(candidate, "controlplane", "go.mod")) && exists(filepath.Join(candidate, "moto")) {
				return candidate, nil
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the sandbox builds its parts from the repository: run it from inside a clone")
		}
		dir = parent
	}
}

func readAll(paths ...string) ([]string, error) {
	var texts []string
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("read what the build depends on: %w", err)
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}
