// Package browser looks at the doctor's HTML report in a real browser.
package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/eksnodes/kubectl-eksnodes/pkg/check"
	"github.com/eksnodes/kubectl-eksnodes/pkg/print"
	"github.com/eksnodes/kubectl-eksnodes/pkg/report"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot"
	"github.com/eksnodes/kubectl-eksnodes/pkg/snapshot/snapshottest"
)

// shotsEnv is the variable that, when set, names a folder for screenshots.
const shotsEnv = "EKSNODES_BROWSER_SHOTS"

// hostile is text of somebody else that would like to be a program.
const hostile = `</li></ul><script>window.hacked=1</script><img src=x onerror="window.hacked=1"> "quoted" & 'more'`

// verdicts are reports of which each is a page to look at.
func verdicts() map[string]report.Report {
	judge := func(machines int, edits ...snapshottest.Edit) report.Report {
		return check.Run(snapshottest.Fleet(machines, edits...), check.Standing())
	}
	evil := judge(3, snapshottest.Unmapped, func(s *snapshot.Snapshot) {
		s.Gaps = append(s.Gaps, snapshot.Gap{Section: snapshot.SectionNetworkACLs, Reason: snapshot.GapDenied, Detail: hostile, Fix: "echo '" + hostile + "'"})
	})
	evil.Findings[0].Evidence = append(evil.Findings[0].Evidence, report.Evidence{Source: hostile, Fact: hostile + strings.Repeat("x", 400)})
	evil.Findings[0].Fix.Commands = append(evil.Findings[0].Fix.Commands, hostile)
	evil.Findings[0].Refs = append(evil.Findings[0].Refs, "javascript:window.hacked=1", "https://example.com/"+strings.Repeat("long", 60))
	return map[string]report.Report{
		"healthy": judge(2), "one-cause": judge(40, snapshottest.Unmapped), "hostile": evil, "thousands": judge(5000, snapshottest.Unmapped), "empty": {Cluster: "demo"},
	}
}

// watch collects what a page should not do: errors, and requests that leave it.
type watch struct {
	mu     sync.Mutex
	faults []string
}

func (w *watch) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.faults = append(w.faults, "exception: "+e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		w.faults = append(w.faults, "console: "+e.Type.String())
	case *log.EventEntryAdded:
		w.faults = append(w.faults, "log: "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, "file://") && !strings.HasPrefix(url, "data:") {
			w.faults = append(w.faults, "request: "+url)
		}
	}
}

// browse starts a browser of its own for the test.
func browse(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("hide-scrollbars", true))
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...) // it ends by itself, below
	t.Cleanup(stop)
	browser, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Run(browser); err != nil { // starts it, for longer than any deadline
		t.Fatal(err)
	}
	ctx, cancelTime := context.WithTimeout(browser, 2*time.Minute)
	t.Cleanup(cancelTime)
	return ctx
}

// page writes a report and returns its address.
func page(t *testing.T, r report.Report) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := print.HTML(file, r); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// TestPages opens every report from a file, narrow and wide, light and dark.
func TestPages(t *testing.T) {
	for name, verdict := range verdicts() {
		t.Run(name, func(t *testing.T) {
			ctx, seen := browse(t), &watch{}
			chromedp.ListenTarget(ctx, seen.hear)
			address := page(t, verdict)
			for _, width := range []int64{360, 1280} {
				for _, scheme := range []string{"light", "dark"} {
					look(ctx, t, address, name, width, scheme)
				}
			}
			for _, fault := range seen.faults {
				t.Error(fault)
			}
		})
	}
}

// look opens the page and asks it how it came out.
func look(ctx context.Context, t *testing.T, address, name string, width int64, scheme string) {
	t.Helper()
	var state struct {
		Overflow, Scripts, Images, Links int
		Hacked                           bool
		Title                            string
		Dim                              []string
	}
	err := chromedp.Run(ctx, network.Enable(), log.Enable(),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.EmulateViewport(width, 900), chromedp.Navigate(address),
		chromedp.Evaluate(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil),
		chromedp.Evaluate(examine, &state))
	if err != nil {
		t.Fatalf("%s %d %s: %v", name, width, scheme, err)
	}
	if state.Overflow > 0 || state.Scripts != 1 || state.Images != 0 || state.Hacked || state.Title == "" || state.Links > 0 || len(state.Dim) > 0 {
		t.Errorf("%s %d %s: %+v", name, width, scheme, state)
	}
	if dir := os.Getenv(shotsEnv); dir != "" {
		var shot []byte
		if err := chromedp.Run(ctx, chromedp.CaptureScreenshot(&shot)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), shot, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// examine counts what should not be: content wider than the window, foreign
// scripts and images, links that are no https, and text with less contrast
// than WCAG 2's 4.5:1.
const examine = `(() => {
  const rgb = c => c.match(/[\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = rgb(c).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] !== 0) return c; } return "rgb(255, 255, 255)"; };
  const dim = new Set();
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || e.closest("[aria-hidden]")) continue;
    const a = light(getComputedStyle(e).color), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) dim.add(e.tagName + "." + e.className + " " + ratio.toFixed(2));
  }
  return {
    Overflow: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
    Scripts: document.scripts.length, Images: document.images.length,
    Links: [...document.querySelectorAll("a")].filter(a => a.protocol !== "https:").length,
    Hacked: "hacked" in window, Title: document.querySelector("h1").textContent, Dim: [...dim],
  };
})()`

// TestCopyButton clicks the button of the first command, and pastes. Nodes are
// found by script: chromedp's own search never ends with newer browsers.
func TestCopyButton(t *testing.T) {
	ctx := browse(t)
	verdict := verdicts()["one-cause"]
	var at struct{ X, Y float64 }
	var pasted string
	if err := chromedp.Run(ctx, chromedp.Navigate(page(t, verdict)),
		chromedp.Evaluate(`(() => {
		  const button = document.querySelector("article button[data-copy]");
		  button.scrollIntoView({block: "center"});
		  const box = button.getBoundingClientRect();
		  return {X: box.x + box.width / 2, Y: box.y + box.height / 2};
		})()`, &at)); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Run(ctx, chromedp.MouseClickXY(at.X, at.Y),
		chromedp.Poll(`document.querySelector("article button[data-copy]").textContent === "copied"`, nil),
		chromedp.Evaluate(`(() => { const area = document.createElement("textarea"); document.body.append(area); area.focus(); })()`, nil),
		chromedp.ActionFunc(func(ctx context.Context) error {
			return input.DispatchKeyEvent(input.KeyDown).WithKey("v").WithCode("KeyV").WithModifiers(input.ModifierCtrl).WithCommands([]string{"paste"}).Do(ctx)
		}),
		chromedp.Poll(`document.querySelector("textarea").value !== ""`, nil),
		chromedp.Evaluate(`document.querySelector("textarea").value`, &pasted)); err != nil {
		t.Fatal(err)
	}
	if want := verdict.Findings[0].Fix.Commands[0]; pasted != want {
		t.Errorf("pasted %q, want %q", pasted, want)
	}
}
