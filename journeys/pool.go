package journeys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/foreshock/foreshock/results"
)

// A Pool holds the one browser that all journeys share. The browser starts with the
// first journey, and again when it has ended by itself or has served for long enough;
// it dies with this process. A Pool may be used from several goroutines.
type Pool struct {
	opts   PoolOptions
	log    *slog.Logger
	places *admission
	life   context.Context //nolint:containedctx // the browser outlives the run that starts it
	end    context.CancelFunc
	lookup func(ctx context.Context, host string) error

	mu      sync.Mutex
	current *browser // nil before the first
	closed  bool
	wg      sync.WaitGroup // browsers and tabs
}

// NewPool returns a Pool; no browser is started or even looked for. Profiles that a
// killed process left in o.Dir are deleted. Close must be called.
func NewPool(o PoolOptions, log *slog.Logger) *Pool {
	o = o.withDefaults()
	p := &Pool{opts: o, log: log, places: newAdmission(o.Max, memoryOf(o)), lookup: lookup}
	p.life, p.end = context.WithCancel(context.Background())
	p.wg.Go(func() {
		n, err := sweepProfiles(p.life, o.Dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
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

// page waits for admission and opens a tab in a new profile. Its errors are unknown.
func (p *Pool) page(ctx context.Context) (*Page, error) {
	if err := p.places.enter(ctx); err != nil {
		return nil, err
	}
	t, err := p.open(ctx)
	if err != nil {
		p.places.leave()
		return nil, err
	}
	page := &Page{
		tab: t, target: t.target(), lookup: p.lookup, log: p.log, values: map[string]string{}, headers: map[string]any{},
		author: p.opts.Author, profile: t.browser.profile,
	}
	p.wg.Go(func() { page.answerDialogs(t) })
	page.close = func() {
		go func() { // closing may take seconds, which are not the run's
			p.shut(t)
			p.inspect(t.browser, 0)
			p.places.leave()
			p.prepare(t.browser)
		}()
	}
	p.prepare(t.browser)
	return page, nil
}

// open takes the tab that is ready, or opens one. It tries a second time if the
// browser turns out to be dead: nothing was done yet.
func (p *Pool) open(ctx context.Context) (tab, error) {
	for try := 1; ; try++ {
		b, err := p.browser(ctx)
		if err != nil {
			return tab{}, err
		}
		t, ready, err := p.reserve(b)
		switch {
		case err != nil:
		case ready:
			err = p.greet(ctx, t)
		default:
			err = p.attach(ctx, t)
		}
		if err == nil || ctx.Err() != nil || try == 2 || !b.ends(ctx) {
			return t, err
		}
	}
}

// browser returns the running browser; if there is none it starts one.
func (p *Pool) browser(ctx context.Context) (*browser, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed()
	}
	b := p.current
	if b == nil || b.over() {
		b = p.start()
		p.current = b
	}
	p.mu.Unlock()
	select {
	case <-b.started:
		return b, b.err
	case <-ctx.Done():
		return nil, waiting(ctx, results.CauseBrowser, "the browser did not start in time")
	}
}

// start begins the life of a browser; p.mu is held and p is not closed.
func (p *Pool) start() *browser {
	b := newBrowser()
	p.wg.Go(func() {
		b.live(p.life, p.opts, p.log, func() { p.inspect(b, groupMemory(b.pid)) })
		p.mu.Lock()
		defer p.mu.Unlock()
		p.retire(b)
	})
	return b
}

func errClosed() error {
	return results.Blind(results.CauseStopped, errors.New("the browser pool is closed"))
}

// waiting is the error of a run that ended before it had a page.
func waiting(ctx context.Context, c results.Cause, format string, args ...any) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		c = results.CauseStopped
	}
	return results.Blind(c, fmt.Errorf(format, args...))
}

// reserve takes the tab that b holds ready, or else one that is still to be attached.
func (p *Pool) reserve(b *browser) (t tab, ready bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return tab{}, false, errClosed()
	}
	b.runs++
	if t, ok := b.takeSpare(); ok {
		if t.lost() == nil {
			return t, true, nil
		}
		go p.shut(t)
	}
	return p.add(b), false, nil
}

// add begins a tab; p.mu is held and p is not closed.
func (p *Pool) add(b *browser) tab {
	p.wg.Add(1)
	b.tabs++
	return b.tab()
}

// shut closes a tab; the last one of a retired browser ends that.
func (p *Pool) shut(t tab) {
	t.discard(p.life)
	p.mu.Lock()
	t.browser.tabs--
	t.browser.endIfUnused()
	p.mu.Unlock()
	p.wg.Done()
}

// retire lets b end with its last run; p.mu is held.
func (p *Pool) retire(b *browser) {
	if t, ok := b.takeSpare(); ok {
		go p.shut(t)
	}
	b.retire()
}

// greet makes sure of a tab that was opened a while ago: that its browser was killed
// meanwhile may not be known yet.
func (p *Pool) greet(ctx context.Context, t tab) error {
	return p.opened(ctx, t, t.greet)
}

// attach opens a tab. The tab lives until it is closed or lost, not until ctx ends.
func (p *Pool) attach(ctx context.Context, t tab) error {
	return p.opened(ctx, t, t.attach)
}

// opened makes a tab usable, or closes it.
func (p *Pool) opened(ctx context.Context, t tab, how func() error) error {
	stop := context.AfterFunc(ctx, func() { t.fail(nil) })
	err := how()
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err == nil {
		return nil
	}
	go p.shut(t)
	if ctx.Err() != nil {
		return waiting(ctx, results.CauseBrowser, "the browser did not open a page in time")
	}
	return results.Blind(results.CauseBrowser, fmt.Errorf("browser page: %w", err))
}

// prepare opens the next run's tab while there is a place free for it: it takes a
// third of the time of a short journey, and a core that nothing else needs.
func (p *Pool) prepare(b *browser) {
	p.mu.Lock()
	if p.closed || b != p.current || b.over() || b.hasSpare || !p.places.free() {
		p.mu.Unlock()
		return
	}
	b.hasSpare = true
	t := p.add(b)
	p.mu.Unlock()
	go p.keepReady(p.life, t)
}

// keepReady opens a tab for whoever comes next.
func (p *Pool) keepReady(ctx context.Context, t tab) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	err := p.attach(ctx, t)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err != nil:
		t.browser.hasSpare = false
	case t.browser.retired || p.closed:
		go p.shut(t)
	default:
		t.browser.spare = &t
	}
}

// inspect replaces a browser of ours that has served for long enough, or holds so many
// bytes of memory that it should go; 0 is not known. Runs that are under way end where
// they are.
func (p *Pool) inspect(b *browser, memory int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	why := p.opts.Recycle.due(service{b.runs, time.Since(b.begin), memory})
	if why == "" || b.pid == 0 || b.replacing || p.closed || b != p.current {
		return
	}
	b.replacing = true
	next := p.start()
	p.wg.Go(func() {
		<-next.started
		p.mu.Lock()
		defer p.mu.Unlock()
		b.replacing = false
		if next.err != nil {
			p.log.WarnContext(p.life, "the browser should be replaced, and no other starts", "because", why, "error", next.err)
			return
		}
		if p.closed || b != p.current {
			next.retire()
			return
		}
		p.log.InfoContext(p.life, "browser replaced", "because", why, "pid", b.pid, "runs", b.runs, "lived", time.Since(b.begin))
		p.current = next
		p.retire(b)
	})
}
