package journeys

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/results"
)

// A footprint is what journeys leave behind if they leak.
type footprint struct {
	ours, browsers                   int64 // MiB
	processes, contexts, files, temp int
	goroutines                       int
}

func footprintOf(t *testing.T, p *Pool) footprint {
	t.Helper()
	// Two looks in a row see the same once the last tab is closed and the next is ready.
	var f footprint
	within(t, func() bool {
		before := f
		runtime.GC()
		b := p.now()
		res, err := cdp.Call(b.ctx, chromedp.FromContext(b.ctx).Browser, target.GetBrowserContexts, cdp.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		family := descendants(strconv.Itoa(b.pid))
		files, _ := filepath.Glob("/proc/self/fd/*")
		f = footprint{
			browsers: groupMemory(b.pid) >> 20, processes: len(family), contexts: len(res.BrowserContextIDs),
			files: len(files), goroutines: runtime.NumGoroutine(),
		}
		for _, n := range fields("/proc/self/status", "RssAnon:") {
			f.ours = n >> 10
		}
		for pid := range family {
			files, _ := filepath.Glob("/proc/" + pid + "/fd/*")
			f.files += len(files)
		}
		filepath.Walk(p.opts.Dir, func(string, os.FileInfo, error) error { f.temp++; return nil })
		time.Sleep(50 * time.Millisecond)
		return before.processes == f.processes && before.contexts == f.contexts && before.goroutines == f.goroutines && f.contexts == 1
	})
	return f
}

func (f footprint) String() string {
	return fmt.Sprintf("%d MiB ours, %d MiB of the browser, %d processes, %d contexts, %d open files, %d temporary files, %d goroutines",
		f.ours, f.browsers, f.processes, f.contexts, f.files, f.temp, f.goroutines)
}

// TestSoak does journeys in a row, in one browser that is not replaced: 10,000 in
// make soak, or as many as FORESHOCK_SOAK says if it is more than 1.
func TestSoak(t *testing.T) {
	runs, _ := strconv.Atoi(os.Getenv("FORESHOCK_SOAK")) //nolint:forbidigo // asked for by make soak
	switch runs {
	case 0:
		runs = 20
	case 1:
		runs = 10000
	}
	p := own(t, PoolOptions{Dir: t.TempDir(), Max: 2, Recycle: Recycle{Runs: 1 << 30, Age: 1 << 60, Memory: 1 << 60}})
	base := serve(t)
	// A minute for each action: a busy machine is no leak.
	j := write(t, base, `steps: [{step: order, timeout: 1m, do: [{open: "${base}/form.html"},
  {type: {into: {label: Your name}, text: Ada Lovelace}}, {click: "#place-order"}, {see: Ada Lovelace}, {screenshot: order}]}]`)
	var seen []footprint
	begin := time.Now()
	for i := range runs {
		wantResult(t, walk(t, p, j, 5*time.Minute), results.OK, "")
		if t.Failed() {
			t.FailNow()
		}
		if (i+1)%(runs/10) == 0 {
			seen = append(seen, footprintOf(t, p))
			t.Logf("%6d journeys, %v: %v", i+1, time.Since(begin).Round(time.Second), seen[len(seen)-1])
		}
	}
	// The first tenth warms up. Memory goes up and down; half as much again is a leak.
	first, last := seen[1], seen[len(seen)-1]
	if last.processes > first.processes || last.contexts > first.contexts || last.goroutines > first.goroutines+2 || last.files > first.files+5 || last.temp > first.temp+5 {
		t.Errorf("something is left behind:\ngot  %v\nwant %v", last, first)
	}
	if last.ours > first.ours*3/2+10 || last.browsers > first.browsers*3/2+20 {
		t.Errorf("memory grows:\ngot  %v\nfrom %v", last, first)
	}
}
