package results

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// backlogLimit is how many records may wait for a store that fails.
	backlogLimit = 10_000
	// publishLimit bounds a Publish whatever the store does.
	publishLimit = 30 * time.Second
	// closeGrace is how long Close waits, once its ctx has ended, for calls that were told to stop.
	closeGrace = time.Second
)

// ErrNotStored is the error of a Publish whose records are not in the store yet:
// they are kept and stored as soon as that is possible.
var ErrNotStored = errors.New("not stored yet")

// ErrClosed is the error of a Publish after Close.
var ErrClosed = errors.New("hub is closed")

// A Hub is the one road that records travel: into the store, from there to each
// sink, and what is fresh to whoever watches live. Publishers wait for the store
// alone; nobody waits for a sink or a subscriber.
type Hub struct {
	store  Store
	log    *slog.Logger
	ctx    context.Context //nolint:containedctx // the life of the hub's goroutines, which no call spans
	cancel context.CancelFunc

	wake    chan struct{} // tells the writer that something waits
	closing chan struct{} // closed when nothing more will be published
	written chan struct{} // closed when the writer has ended
	last    chan struct{} // closed when nothing more will be stored
	outlets []*outlet

	mu      sync.Mutex
	waiting []*pending
	records int   // how many records wait
	failing error // why the last Append failed; nil if it did not
	dropped uint64
	told    uint64 // of dropped, to the log
	closed  bool
	subs    map[chan Record]func() bool // with what ends the watch over its context
}

// pending is what one Publish waits for.
type pending struct {
	recs  []Record
	shown bool       // handed on live already, as not stored
	done  chan error // takes one value
}

// NewHub starts the writer of store; Close ends it.
func NewHub(store Store, log *slog.Logger) *Hub {
	ctx, cancel := context.WithCancel(context.Background())
	h := &Hub{
		store: store, log: log, ctx: ctx, cancel: cancel,
		wake: make(chan struct{}, 1), closing: make(chan struct{}), written: make(chan struct{}), last: make(chan struct{}),
		subs: map[chan Record]func() bool{},
	}
	go h.write()
	return h
}

// AddSink lets s read the feed after the given Seq, in a goroutine of its own that
// also closes it. name tells it from other sinks. It must be called before the first
// Publish.
func (h *Hub) AddSink(name string, s Sink, after uint64) {
	o := newOutlet(h, name, s, after)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.outlets = append(h.outlets, o)
	go o.run(h.ctx)
}

// Publish returns when recs are stored, with all that other goroutines publish
// meanwhile in one transaction. An error that is [ErrNotStored] says that they are
// kept and will be; any other that they are not. It returns after 30 s at the latest.
func (h *Hub) Publish(ctx context.Context, recs ...Record) error {
	for _, r := range recs {
		if err := r.Validate(); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	if len(recs) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishLimit)
	defer cancel()
	p := &pending{recs: slices.Clone(recs), done: make(chan error, 1)}
	if err := h.enqueue(p); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("publish: %w: %w", ErrNotStored, ctx.Err())
	}
}

// enqueue lets p wait for the writer. While the store fails nobody waits for it: p is
// shown live and its publisher is told at once.
func (h *Hub) enqueue(p *pending) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	h.waiting = append(h.waiting, p)
	h.records += len(p.recs)
	if h.failing != nil {
		h.bound()
		h.show(p)
		return notStored(h.failing)
	}
	signal(h.wake)
	return nil
}

func notStored(why error) error { return fmt.Errorf("%w: %w", ErrNotStored, why) }

// signal wakes the receiver of c, which finds all that has happened until then.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Backlog tells how many records wait: under "store" for the store, and under each
// sink's name for that sink, as far as this process has stored them.
func (h *Hub) Backlog() map[string]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := map[string]uint64{"store": uint64(h.records)} //nolint:gosec // never negative
	for _, o := range h.outlets {
		m[o.name] = o.backlog()
	}
	return m
}

// Dropped tells how many records were lost: under "store" those that waited too long
// for it, and under each sink's name those that it rejected.
func (h *Hub) Dropped() map[string]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := map[string]uint64{"store": h.dropped}
	for _, o := range h.outlets {
		m[o.name] = o.dropped.Load()
	}
	return m
}

// Close stores what waits, lets each sink read to the end of the feed and closes it.
// When ctx ends first, or a store or sink fails for 3 s more, it gives up and says what
// is left. The store stays open.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()
	close(h.closing)
	ended, late := make(chan struct{}), make(chan struct{})
	defer close(ended)
	go h.giveUp(ctx, ended, late)
	errs := []error{h.awaitWriter(late)}
	close(h.last)
	for _, o := range h.outlets {
		errs = append(errs, o.await(late))
	}
	h.closeSubs()
	h.cancel()
	return errors.Join(errs...)
}

// giveUp stops what still goes on when ctx ends, and closes late if it does not stop.
func (h *Hub) giveUp(ctx context.Context, ended <-chan struct{}, late chan<- struct{}) {
	select {
	case <-ctx.Done():
	case <-ended:
		return
	}
	h.cancel()
	t := time.NewTimer(closeGrace)
	defer t.Stop()
	select {
	case <-t.C:
		close(late)
	case <-ended:
	}
}

func (h *Hub) awaitWriter(late <-chan struct{}) error {
	select {
	case <-h.written:
	case <-late:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.records > 0 {
		return fmt.Errorf("close hub: %d records were not stored: %w", h.records, errors.Join(h.failing, h.ctx.Err()))
	}
	return nil
}
