package userdata

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// AL2023 renders user data for Amazon Linux 2023 and other images that boot by nodeadm: a MIME multipart document.
//
// Its parts, in order: the beacon, so that it is armed before anything of the user's can hang; the user's own parts;
// the commands to run before the kubelet starts; those to run after; and the NodeConfig, last, because nodeadm merges
// documents in order and the cluster's coordinates must win over whatever the user's own part says of them. Kubelet
// flags are appended by nodeadm, so the labels of both count. For a group with a warm pool, what keeps its machines out
// of the cluster comes first of all; see warmScript.
//
// The error is a *TooLargeError when the document exceeds MaxSize.
func AL2023(c Config) ([]byte, error) {
	if err := errors.Join(c.Cluster.Validate(), checkNodeadm(c)); err != nil {
		return nil, err
	}
	parts, last, err := ownParts(c)
	if err != nil {
		return nil, err
	}
	for i, raw := range c.User {
		own, err := userParts(raw)
		if err != nil {
			return nil, fmt.Errorf("user data %d of %d: %w", i+1, len(c.User), err)
		}
		parts = append(parts, own...)
	}
	parts = append(parts, preBootstrap(c.PreBootstrap)...)
	if !c.WarmPool {
		parts = append(parts, postBootstrap(c.PostBootstrap)...)
	}
	parts = append(parts, last...)
	config, err := nodeConfig(c)
	if err != nil {
		return nil, err
	}
	document, err := writeMIME(append(parts, newPart(typeNodeConfig, config)))
	if err != nil {
		return nil, err
	}
	// The user's own parts are carried as they are, and one that cannot be read costs nodeadm all the others.
	if refused := Parse(document).Refused; refused != nil {
		return nil, fmt.Errorf("nodeadm would not read the user data: line %d: %s", refused.Line, refused.Detail)
	}
	return limited(document)
}

// ownParts are those of ours that come before the user's, and the one that comes behind all that are shell scripts.
func ownParts(c Config) (first, last []part, err error) {
	if c.WarmPool {
		first, last = warmParts(c)
	}
	if c.BeaconDelay > 0 {
		beacon, err := beaconPart(c.BeaconDelay)
		if err == nil && c.WarmPool {
			beacon, err = warmBeacon(beacon)
		}
		if err != nil {
			return nil, nil, err
		}
		first = append(first, beacon)
	}
	if c.WarmPool {
		first = append(first, warmPostBootstrap(c.PostBootstrap)...)
	}
	return first, last, nil
}

// checkNodeadm refuses values that would make nodeadm or containerd fail on the node, where nobody sees it.
func checkNodeadm(c Config) error {
	var errs []error
	if c.MaxPods < 0 {
		errs = append(errs, fmt.Errorf("max pods %d is negative", c.MaxPods))
	}
	if known := []string{"", "RAID0", "RAID10", "Mount"}; !slices.Contains(known, c.LocalStorage) {
		errs = append(errs, fmt.Errorf("local storage %q is not one of %s", c.LocalStorage, strings.Join(known[1:], ", ")))
	}
	if err := toml.Unmarshal([]byte(c.ContainerdConfig), &map[string]any{}); err != nil {
		errs = append(errs, fmt.Errorf("containerd configuration is not TOML: %w", err))
	}
	return errors.Join(errs...)
}

// limited gives the document back, or a *TooLargeError when it exceeds MaxSize.
func limited(document []byte) ([]byte, error) {
	if len(document) > MaxSize {
		return nil, &TooLargeError{Size: len(document), Limit: MaxSize}
	}
	return document, nil
}
