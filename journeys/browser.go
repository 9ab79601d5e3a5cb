package journeys

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

const (
	startLimit  = 20 * time.Second // for a browser to start on a slow machine
	removeLimit = 5 * time.Second  // for its profile to be deleted
	inspection  = 10 * time.Second // between two looks at whether it has served long enough
)

// A browser is one browser process, or the connection to one that is not ours, from
// its start to its end.
type browser struct {
	started chan struct{}   // closed when it runs, or could not start
	err     error           // why it could not; this and what follows is read after started
	ctx     context.Context //nolint:containedctx // chromedp keeps a browser in a context; it ends when the browser does
	pid     int             // 0 is none of ours
	begin   time.Time
	profile string // its directory; empty is none of ours

	// Of the pool, under its lock.
	runs      int
	tabs      int           // open or about to be
	hasSpare  bool          // a tab is ready for the next run, or about to be
	spare     *tab          // nil is none yet
	replacing bool          // another is being started in its place
	retired   bool          // no run begins here any more
	unused    chan struct{} // closed when it is retired and the last tab is gone
}

func newBrowser() *browser {
	return &browser{started: make(chan struct{}), unused: make(chan struct{})}
}

// over reports that the browser could not start, or has ended.
func (b *browser) over() bool {
	select {
	case <-b.started:
		return b.err != nil || b.ctx.Err() != nil
	default:
		return false
	}
}

// ends reports whether the browser is about to end: its connection is lost a bit
// before that is known.
func (b *browser) ends(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	select {
	case <-b.ctx.Done():
		return true
	case <-ctx.Done():
		return false
	}
}

// takeSpare returns the tab that is ready, if there is one.
func (b *browser) takeSpare() (tab, bool) {
	if b.spare == nil {
		return tab{}, false
	}
	t := *b.spare
	b.spare, b.hasSpare = nil, false
	return t, true
}

// retire lets the browser end with its last tab.
func (b *browser) retire() {
	if !b.retired {
		b.retired = true
		b.endIfUnused()
	}
}

func (b *browser) endIfUnused() {
	if b.retired && b.tabs == 0 {
		close(b.unused)
	}
}

// A service is what a browser has done so far.
type service struct {
	runs   int
	age    time.Duration
	memory int64 // bytes
}

// live starts the browser, stays until it ends, is used no more or ctx ends, and
// cleans up after it. Meanwhile it calls inspect now and then.
func (b *browser) live(ctx context.Context, o PoolOptions, log *slog.Logger, inspect func()) {
	b.begin = time.Now()
	run, err := launch(ctx, o, log)
	if err != nil {
		b.err = ours(err)
		close(b.started)
		return
	}
	defer run.end()
	b.ctx, b.pid, b.profile = run.ctx, run.pid, run.profile
	log.InfoContext(ctx, "browser started", "path", run.name, "pid", b.pid, "sandbox", run.sandbox, "took", time.Since(b.begin))
	close(b.started)
	every := time.NewTicker(inspection)
	defer every.Stop()
	for {
		select {
		case <-b.unused:
			return
		case <-b.ctx.Done():
			if ctx.Err() == nil {
				log.WarnContext(ctx, "browser ended by itself", "pid", b.pid, "lived", time.Since(b.begin))
			}
			return
		case <-every.C:
			inspect()
		}
	}
}

// ours makes an error of the browser's start unknown: it says nothing of the service.
func ours(err error) error {
	if errors.Is(err, results.ErrUnknown) {
		return err
	}
	if s, c := results.Judge(err); s == results.Unknown && c == results.CauseResources {
		return results.Blind(c, err)
	}
	return results.Blind(results.CauseBrowser, err)
}

// tail keeps the last lines of a long text: where a browser says why it gave up.
func tail(err error) error {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	if len(lines) <= 4 {
		return err
	}
	return errors.New(strings.Join(append(lines[:1], lines[len(lines)-3:]...), "; "))
}
