package instances

import (
	"context"
	"errors"
	"strings"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
)

const imdsAddress = layout.IMDSIP + ":80"

// vpcBits is the prefix length of the whole VPC: one bridge carries all its
// subnets, so that instances see each other without a router in between.
const vpcBits = "/16"

// attach gives the instance a network namespace with eth0 on the VPC's bridge.
func attach(ctx context.Context, i Instance) error {
	if err := netns.Create(i.ID); err != nil {
		return err
	}
	if err := netns.IP(ctx, i.ID, []string{"addr", "add", layout.IMDSIP + "/32", "dev", "lo"}); err != nil {
		return err
	}
	link := netns.Link{
		Hub: layout.NetHub, Name: linkName(i.ID), Bridge: layout.Bridge,
		Peer: i.ID, PeerAddr: i.PrivateIP + vpcBits, PeerMAC: i.MAC, Gateway: layout.VPCGateway,
	}
	if err := link.Connect(ctx); err != nil {
		return err
	}
	// Addresses of pods are ones of the VPC, and found at their instance's
	// interface, as those that the VPC CNI assigns to it are.
	return netns.AnswerForRouted(i.ID)
}

// detach removes what attach has made. The link goes first: a namespace is
// taken down some time after its last user has ended, and a link of the same
// name could not be made until then.
func detach(i Instance) error {
	var errs []error
	if netns.Exists(i.ID) {
		errs = append(errs, netns.IP(context.Background(), i.ID, []string{"link", "del", "eth0"}), netns.Delete(i.ID))
	}
	return errors.Join(errs...)
}

// linkName names the hub's end by the end of the instance's id.
func linkName(id string) string {
	id = strings.TrimPrefix(id, "i-")
	return "v" + id[max(0, len(id)-12):]
}
