package journeys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"

	"github.com/foreshock/foreshock/results"
)

// PoolOptions says which browser to use and how; the zero value serves.
type PoolOptions struct {
	Browser   string            // path or name; empty looks for one, see [FindBrowser]
	Flags     map[string]string // added to the command line, without dashes; "" is a flag without a value
	Dir       string            // where temporary profiles go; empty is the system's directory
	Max       int               // journeys at once; 0 is one for each core
	NoSandbox bool              // for machines that do not allow Chromium's sandbox; of root it is always off
	Author    Authoring         // how somebody looks on
}

// A Pool holds the one browser that all journeys share. The browser starts with the
// first journey, and again when it has ended by itself; it dies with this process.
// A Pool may be used from several goroutines.
type Pool struct {
	opts   PoolOptions
	log    *slog.Logger
	slots  chan struct{}
	life   context.Context //nolint:containedctx // the browser outlives the run that starts it
	end    context.CancelFunc
	lookup func(ctx context.Context, host string) error

	mu      sync.Mutex
	current *browser // nil before the first
	closed  bool
	wg      sync.WaitGroup // browsers and pages
}

// NewPool returns a Pool; no browser is started or even looked for. Profiles that a
// killed process left in o.Dir are deleted. Close must be called.
func NewPool(o PoolOptions, log *slog.Logger) *Pool {
	if o.Dir == "" {
		o.Dir = os.TempDir()
	}
	if o.Max <= 0 {
		o.Max = slots()
	}
	p := &Pool{opts: o, log: log, slots: make(chan struct{}, o.Max), lookup: lookup}
	p.life, p.end = context.WithCancel(context.Background())
	p.wg.Go(func() {
		n, err := sweepProfiles(p.life, o.Dir)
		if err != nil {
			log.WarnContext(p.life, "old browser profiles could not be removed", "error", err)
		}
		if n > 0 {
			log.InfoContext(p.life, "old browser profiles removed", "count", n)
		}
	})
	return p
}

func lookup(ctx context.Context, host string) error {
	_, err := net.DefaultResolver.LookupHost(ctx, host)
	return err
}

// Close ends the browser and the journeys in it, deletes the profile, and waits for
// that until ctx ends. It may be called again.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.end()
	done := make(chan struct{})
	go func() {
		p.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("closing the browser: %w", ctx.Err())
	}
}

// page waits for a free place and opens a tab in a new profile. Its errors are unknown.
func (p *Pool) page(ctx context.Context) (*Page, error) {
	select {
	case p.slots <- struct{}{}:
	default:
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, waiting(ctx, results.CauseResources, "no browser page was free in time: %d journeys at once are allowed", cap(p.slots))
		}
	}
	page, err := p.open(ctx)
	if err != nil {
		<-p.slots
	}
	return page, err
}

// open tries a second time if the browser turns out to be dead: nothing was done yet.
func (p *Pool) open(ctx context.Context) (*Page, error) {
	for try := 1; ; try++ {
		b, err := p.browser(ctx)
		if err != nil {
			return nil, err
		}
		page, err := p.openIn(ctx, b)
		if err == nil || ctx.Err() != nil || try == 2 || !b.ends(ctx) {
			return page, err
		}
	}
}

// browser returns the running browser; if there is none it starts one.
func (p *Pool) browser(ctx context.Context) (*browser, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, results.Blind(results.CauseStopped, errors.New("the browser pool is closed"))
	}
	b := p.current
	if b == nil || b.over() {
		b = &browser{started: make(chan struct{})}
		p.current = b
		p.wg.Go(func() { b.live(p.life, p.opts, p.log) })
	}
	p.mu.Unlock()
	select {
	case <-b.started:
		return b, b.err
	case <-ctx.Done():
		return nil, waiting(ctx, results.CauseBrowser, "the browser did not start in time")
	}
}

// waiting is the error of a run that ended before it had a page.
func waiting(ctx context.Context, c results.Cause, format string, args ...any) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		c = results.CauseStopped
	}
	return results.Blind(c, fmt.Errorf(format, args...))
}

// openIn opens a tab. The tab lives until it is closed or lost, not until ctx ends.
func (p *Pool) openIn(ctx context.Context, b *browser) (*Page, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, results.Blind(results.CauseStopped, errors.New("the browser pool is closed"))
	}
	p.wg.Add(1)
	p.mu.Unlock()

	t := b.tab()
	giveBack := func() { // closing may take seconds, which are not the run's
		t.fail(nil)
		t.end()
		p.wg.Done()
	}
	stop := context.AfterFunc(ctx, func() { t.fail(nil) })
	err := t.attach()
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		go giveBack()
		if ctx.Err() != nil {
			return nil, waiting(ctx, results.CauseBrowser, "the browser did not open a page in time")
		}
		return nil, results.Blind(results.CauseBrowser, fmt.Errorf("browser page: %w", err))
	}
	page := &Page{
		tab: t, target: t.target(), lookup: p.lookup, log: p.log, values: map[string]string{}, headers: map[string]any{},
		author: p.opts.Author, profile: b.profile,
	}
	p.wg.Go(func() { page.answerDialogs(t) })
	page.close = func() {
		go func() {
			giveBack()
			<-p.slots
		}()
	}
	return page, nil
}
