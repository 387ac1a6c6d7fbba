package node

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// assets are the files of the images at their places in the node: ami/any for
// every image, ami/eks for the EKS-optimized one.
//
//go:embed all:ami
var assets embed.FS

// Parts are what goes into the images, by path on the machine.
type Parts struct {
	Base          string // the base root made by MakeBase
	Kubelet       string
	KubeProxy     string
	Nodeadm       string
	Authenticator string // aws-iam-authenticator
	AWSCA         string // the certificate of the CA that signs AWS's host names
	// KubernetesVersion is the kubelet's version with its "v".
	KubernetesVersion string
}

// Images are the machine images of a sandbox, each a list of layer folders,
// topmost first.
type Images struct {
	EKS   []string // like the EKS-optimized Amazon Linux 2023 AMI
	Plain []string // the same system without any part of Kubernetes
}

// BuildImages makes the images' layers in the folder dir, anew.
func BuildImages(dir string, parts Parts) (Images, error) {
	plain, eks := filepath.Join(dir, "any"), filepath.Join(dir, "eks")
	for layer, build := range map[string]func(string, Parts) error{plain: buildAny, eks: buildEKS} {
		if err := os.RemoveAll(layer); err != nil {
			return Images{}, fmt.Errorf("build images: %w", err)
		}
		if err := build(layer, parts); err != nil {
			return Images{}, fmt.Errorf("build images: %w", err)
		}
	}
	return Images{EKS: []string{eks, plain, parts.Base}, Plain: []string{plain, parts.Base}}, nil
}

func buildAny(layer string, parts Parts) error {
	if err := copyAssets("ami/any", layer); err != nil {
		return err
	}
	if err := addCA(layer, parts); err != nil {
		return err
	}
	for _, unit := range maskedUnits() {
		if err := link("/dev/null", filepath.Join(layer, "etc/systemd/system", unit)); err != nil {
			return err
		}
	}
	if err := enable(layer, "multi-user.target", "cloud-init.target", "fast-boot.service"); err != nil {
		return err
	}
	// cloud-init's local stage would wait minutes for a DHCP server. A character
	// device 0/0 hides the file of the layer below (Linux, overlayfs.rst).
	return whiteout(filepath.Join(layer, "usr/sbin/dhclient"))
}

func buildEKS(layer string, parts Parts) error {
	if err := copyAssets("ami/eks", layer); err != nil {
		return err
	}
	for name, source := range map[string]string{
		"kubelet": parts.Kubelet, "kube-proxy": parts.KubeProxy, "nodeadm": parts.Nodeadm, "aws-iam-authenticator": parts.Authenticator,
	} {
		if err := place(source, filepath.Join(layer, "usr/bin", name)); err != nil {
			return err
		}
	}
	version := filepath.Join(layer, "etc/eks/kubelet-version.txt")
	if err := os.WriteFile(version, []byte("Kubernetes "+parts.KubernetesVersion+"\n"), 0o644); err != nil {
		return err
	}
	if err := link("/usr/lib/cni", filepath.Join(layer, "opt/cni/bin")); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(layer, "etc/cni/net.d"), 0o755); err != nil {
		return err
	}
	if err := enable(layer, "multi-user.target", "nodeadm-config.service", "nodeadm-run.service"); err != nil {
		return err
	}
	return writeContainerImages(filepath.Join(layer, "usr/share/sandbox/images"), parts)
}

// maskedUnits are units of Debian that would reach through to the machine (its
// debugfs, its kernel modules, its sysctls, its clock, its devices) or that
// Amazon Linux's image has no counterpart of.
func maskedUnits() []string {
	return []string{
		"sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount",
		"sys-fs-fuse-connections.mount", "dev-hugepages.mount",
		"modprobe@.service", "systemd-modules-load.service", "systemd-sysctl.service", "systemd-pstore.service",
		"systemd-timesyncd.service", "systemd-resolved.service", "systemd-networkd-wait-online.service",
		"systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket", "systemd-udev-trigger.service",
		"systemd-journald-audit.socket",
		"cloud-init-hotplugd.socket", "cloud-init-hotplugd.service",
		"apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer", "e2scrub_all.timer",
		"getty@tty1.service",
	}
}

func enable(layer, target string, units ...string) error {
	for _, unit := range units {
		name := filepath.Join(layer, "etc/systemd/system", target+".wants", unit)
		if err := link("/etc/systemd/system/"+unit, name); err != nil {
			return err
		}
	}
	return nil
}

// addCA appends the sandbox's AWS CA to the certificates that the image trusts,
// where Debian has them and where Amazon Linux does.
func addCA(layer string, parts Parts) error {
	const bundle = "etc/ssl/certs/ca-certificates.crt"
	const extracted = "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
	trusted, err := os.ReadFile(filepath.Join(parts.Base, bundle))
	if err != nil {
		return fmt.Errorf("read trusted certificates: %w", err)
	}
	ca, err := os.ReadFile(parts.AWSCA)
	if err != nil {
		return fmt.Errorf("read AWS CA: %w", err)
	}
	trusted = append(append(trusted, '\n'), ca...)
	for _, place := range []string{bundle, extracted} {
		target := filepath.Join(layer, place)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, trusted, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// BusyboxImage is the container image that pods in the sandbox can use: there
// is no registry.
const BusyboxImage = "localhost/sandbox/busybox:1"

func writeContainerImages(dir string, parts Parts) error {
	busybox, err := os.ReadFile(filepath.Join(parts.Base, "bin/busybox"))
	if err != nil {
		return fmt.Errorf("read busybox: %w", err)
	}
	files := []imageFile{{name: "bin/busybox", content: busybox}}
	for _, applet := range []string{"sh", "sleep", "cat", "echo", "ls", "wget", "nc", "nslookup", "httpd", "date", "true", "tail", "dd", "head"} {
		files = append(files, imageFile{name: "bin/" + applet, target: "busybox"})
	}
	images := map[string]containerImage{
		// The name that nodeadm configures as the sandbox image. Its process has
		// nothing to do but to hold the pod's namespaces.
		"pause.tar":   {tag: "localhost/kubernetes/pause:latest", entrypoint: []string{"/bin/sleep", "2147483647"}, files: files},
		"busybox.tar": {tag: BusyboxImage, entrypoint: []string{"/bin/sh"}, files: files},
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, image := range images {
		if err := writeFile(filepath.Join(dir, name), image.write); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// copyAssets writes embedded files; scripts are executable.
func copyAssets(from, to string) error {
	return fs.WalkDir(assets, from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		content, err := assets.ReadFile(path)
		if err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(string(content), "#!") {
			mode = 0o755
		}
		return os.WriteFile(target, content, mode)
	})
}

// place hard-links a built program into a layer, or copies it when it lies on
// another file system. Nodes never write to it: overlayfs copies up.
func place(source, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	err := os.Link(source, target)
	if !errors.Is(err, unix.EXDEV) {
		return err
	}
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func link(target, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.Symlink(target, name)
}

func whiteout(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return unix.Mknod(path, unix.S_IFCHR, 0)
}
