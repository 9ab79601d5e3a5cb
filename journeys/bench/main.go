// Command bench measures journeys side by side: Foreshock's, Playwright's on the same
// browser, and a fresh browser for each run. All three do the same form journey in
// turn within one run, because only the ratios of such turns mean something on a
// machine that others use. It must never count a run that did not do the whole journey.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/foreshock/foreshock/journeys"
)

type options struct {
	browser, playwright, only string
	rounds, runs              int
}

func main() {
	var o options
	worker := flag.String("worker", "", "be a worker: ours or fresh (the benchmark starts these itself)")
	base := flag.String("base", "", "address of the pages, for a worker")
	flag.StringVar(&o.browser, "browser", "", "browser for all three; empty is the one that journeys use")
	flag.StringVar(&o.playwright, "playwright", ".tools/playwright", "directory with node_modules/playwright-core, by scripts/setup-playwright.sh")
	flag.StringVar(&o.only, "only", "", "one of ours, playwright, fresh; empty is all")
	flag.IntVar(&o.rounds, "rounds", 6, "turns of each")
	flag.IntVar(&o.runs, "runs", 20, "journeys in a turn")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *worker != "" {
		err = work(ctx, *worker, o.browser, *base)
	} else {
		err = compare(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:forbidigo // a program, not in cmd/ because it is not shipped
	}
}

// compare runs the rounds and prints the figures.
func compare(ctx context.Context, o options) error {
	if o.browser == "" {
		path, err := journeys.FindBrowser(exec.LookPath)
		if err != nil {
			return err
		}
		o.browser = path
	}
	version, err := journeys.BrowserVersion(ctx, o.browser)
	if err != nil {
		return err
	}
	base, closeServer, err := serve()
	if err != nil {
		return err
	}
	defer closeServer()
	dir, err := os.MkdirTemp("", "foreshock-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var all []*contestant
	for _, name := range []string{"ours", "playwright", "fresh"} {
		if o.only != "" && o.only != name {
			continue
		}
		c, err := start(ctx, name, o, base, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer c.end()
		all = append(all, c)
	}
	fmt.Printf("%s, %s, load %s", version, o.browser, load())
	for _, s := range []set{{"form", 1}, {"form", 2}, {"trivial", 1}} {
		if err := turns(all, o, s); err != nil {
			return err
		}
		report(os.Stdout, all, s)
	}
	return memory(all)
}

// A set is one journey, so many at once.
type set struct {
	journey string
	atOnce  int
}

// memory prints what each further journey at once takes.
func memory(all []*contestant) error {
	const many = 4
	for _, c := range all {
		if c.name == "fresh" {
			continue // each has a browser of its own
		}
		var peak [2]int64
		for i, atOnce := range []int{1, many} {
			c.reset()
			if err := c.sample(5*atOnce, set{"form", atOnce}); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			peak[i] = c.peak
		}
		fmt.Printf("memory of %s: %d MiB with one form at once, %d MiB more for each further one\n",
			c.name, peak[0]>>20, (peak[1]-peak[0])/(many-1)>>20)
	}
	return nil
}

// turns lets the contestants run in turn; the first turn of each warms up.
func turns(all []*contestant, o options, s set) error {
	for _, c := range all {
		c.reset()
		if _, err := c.ask(2*s.atOnce, s); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for round := range o.rounds {
		for i := range all {
			c := all[(i+round)%len(all)]
			runs := o.runs
			if c.name == "fresh" {
				runs = max(2*s.atOnce, o.runs/4) // it is slow, and its turns should not be
			}
			if err := c.turn(runs, s); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return nil
}

func load() string {
	text, err := os.ReadFile(filepath.Clean("/proc/loadavg"))
	if err != nil {
		return "unknown\n"
	}
	return string(text)
}

const patience = 60 * time.Second // for one journey

//go:embed playwright.mjs
var playwright []byte
