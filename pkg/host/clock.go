//go:build linux

package host

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"time"

	"github.com/facebook/time/ntp/chrony"
	"golang.org/x/sys/unix"

	"github.com/eksnodes/kubectl-eksnodes/pkg/redact"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
)

// readClock compares the machine's clock with what keeps it and with servers.
func (m *Machine) readClock(ctx context.Context, known *snapshot.Host) (fill, error) {
	facts := &snapshot.HostClock{Source: m.timeSource()}
	kernelClock(facts)
	if facts.Source == "chronyd" {
		facts.Chrony = m.askChrony(ctx)
	}
	m.compareDates(ctx, known, facts)
	return func(h *snapshot.Host) { h.Clock = facts }, nil
}

// timeSource is the program that keeps the clock. The kernel cuts names off
// at 15 bytes.
func (m *Machine) timeSource() string {
	names := map[string]string{"chronyd": "chronyd", "systemd-timesyn": "systemd-timesyncd", "ntpd": "ntpd", "phc2sys": "phc2sys"}
	for _, process := range m.processes() {
		if source := names[process.Name]; source != "" {
			return source
		}
	}
	return ""
}

// kernelClock asks the kernel, changing nothing.
func kernelClock(facts *snapshot.HostClock) {
	var clock unix.Timex
	if _, err := unix.Adjtimex(&clock); err != nil {
		return
	}
	synchronized := clock.Status&unix.STA_UNSYNC == 0
	estimated, most := clock.Esterror/1000, clock.Maxerror/1000 // microseconds
	facts.Synchronized, facts.EstimatedErrorMS, facts.MaxErrorMS = &synchronized, &estimated, &most
}

// leaps are chronyd's words for how sure it is.
var leaps = []string{"normal", "insert second", "delete second", "not synchronised"}

// askChrony asks chronyd on its command port, which answers everybody on the
// machine about this.
func (m *Machine) askChrony(ctx context.Context) *snapshot.HostChrony {
	conn, err := m.dial(ctx, "udp", m.chrony)
	if err != nil {
		return nil
	}
	defer conn.Close() //nolint:errcheck // the answer is read or not
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return nil
	}
	answer, err := (&chrony.Client{Connection: conn}).Communicate(chrony.NewTrackingPacket())
	if err != nil {
		return nil
	}
	tracking, ok := answer.(*chrony.ReplyTracking)
	if !ok {
		return nil
	}
	out := &snapshot.HostChrony{Stratum: int(tracking.Stratum), OffsetMS: -1000 * tracking.CurrentCorrection} // chronyd counts slow as positive
	if tracking.IPAddr != nil {
		out.Reference = redact.Line(tracking.IPAddr.String())
	}
	if int(tracking.LeapStatus) < len(leaps) {
		out.LeapStatus = leaps[tracking.LeapStatus]
	}
	return out
}

// compareDates takes the Date header of servers that every node reaches.
// Certificates are not verified: by a wrong clock none is valid, and nothing
// is sent that is worth anything.
func (m *Machine) compareDates(ctx context.Context, known *snapshot.Host, facts *snapshot.HostClock) {
	targets := map[string]string{}
	if region, err := regionOf(known); err == nil {
		targets["sts"] = "https://" + stsHost(ctx, region) + "/"
	}
	if known.Kubeconfig != nil && strings.HasPrefix(known.Kubeconfig.Server, "https://") {
		targets["api-server"] = strings.TrimSuffix(known.Kubeconfig.Server, "/") + "/livez"
	}
	client := m.client(known, 3*time.Second)
	client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	answers := make(chan *snapshot.HostDate, len(targets))
	for name, target := range targets {
		go func() { answers <- dateOf(ctx, client, name, target) }()
	}
	for range targets {
		if date := <-answers; date != nil {
			facts.Dates = append(facts.Dates, *date)
		}
	}
}

func dateOf(ctx context.Context, client *http.Client, name, target string) *snapshot.HostDate {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil
	}
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return nil
	}
	// The header was cut to a second, somewhere between question and answer.
	middle := began.Add(time.Since(began) / 2)
	return &snapshot.HostDate{Server: name, OffsetMS: middle.Sub(date.Add(500 * time.Millisecond)).Milliseconds()}
}
