package supervise

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/layout"
	"github.com/eksnodes/kubectl-eksnodes/test/sandbox/internal/netns"
)

// buildNetwork makes the namespaces and the hub between them. The supervisor's own
// namespace is AWS. No interface leads out of the sandbox.
func buildNetwork(ctx context.Context) error {
	if err := netns.Adopt(layout.NetAWS); err != nil {
		return err
	}
	for _, name := range []string{layout.NetHub, layout.NetControlPlane, layout.NetLaptop} {
		if err := netns.Create(name); err != nil {
			return err
		}
	}
	vpc, err := netip.ParsePrefix(layout.VPCCIDR)
	if err != nil {
		return fmt.Errorf("read VPC range: %w", err)
	}
	inVPC := func(ip string) string { return fmt.Sprintf("%s/%d", ip, vpc.Bits()) }
	if err := netns.IP(ctx, layout.NetHub,
		[]string{"link", "add", layout.Bridge, "type", "bridge"},
		[]string{"addr", "add", inVPC(layout.VPCGateway), "dev", layout.Bridge},
		[]string{"addr", "add", inVPC(layout.VPCResolver), "dev", layout.Bridge},
		[]string{"link", "set", layout.Bridge, "up"},
	); err != nil {
		return err
	}
	for _, l := range []netns.Link{
		{Hub: layout.NetHub, Name: "v-cp", Bridge: layout.Bridge, Peer: layout.NetControlPlane, PeerAddr: inVPC(layout.ControlPlaneIP), Gateway: layout.VPCGateway},
		{Hub: layout.NetHub, Name: "v-aws", HubAddr: layout.AWSGateway + "/24", Peer: layout.NetAWS, PeerAddr: layout.AWSIP + "/24", Gateway: layout.AWSGateway},
		{Hub: layout.NetHub, Name: "v-laptop", HubAddr: layout.LaptopGateway + "/24", Peer: layout.NetLaptop, PeerAddr: layout.LaptopIP + "/24", Gateway: layout.LaptopGateway},
	} {
		if err := l.Connect(ctx); err != nil {
			return err
		}
	}
	return netns.SetForwarding(layout.NetHub)
}

// listenDNS opens port 53 on the resolver's addresses in the VPC and at the user's
// seat.
func listenDNS(ctx context.Context) (packets []net.PacketConn, listeners []net.Listener, err error) {
	for _, ip := range []string{layout.VPCResolver, layout.LaptopGateway} {
		p, err := netns.ListenPacket(ctx, layout.NetHub, "udp", ip+":53")
		if err != nil {
			return nil, nil, err
		}
		l, err := netns.Listen(ctx, layout.NetHub, "tcp", ip+":53")
		if err != nil {
			return nil, nil, err
		}
		packets, listeners = append(packets, p), append(listeners, l)
	}
	return packets, listeners, nil
}

func parseAddr(ip string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("read address: %w", err)
	}
	return addr, nil
}
