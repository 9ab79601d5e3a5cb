package results

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	sendLimit = 500 // records in one Send
	sendTime  = 30 * time.Second
	// lookEvery is how soon records are seen that another process stored.
	lookEvery = 2 * time.Second
	// saveEvery is how often the cursor is saved at most: it costs a write to the disk.
	saveEvery = time.Second
)

// ErrRejected is what an error of a [Sink] matches to say that the batch will never be
// taken: it is dropped and counted. After any other error it is sent again.
var ErrRejected = errors.New("rejected")

// Cursors is what a [Store] also implements to remember how far each sink has read.
type Cursors interface {
	// Cursor returns the Seq that was set last; ok is false if none was.
	Cursor(ctx context.Context, sink string) (seq uint64, ok bool, err error)
	// SetCursor remembers that the sink has taken everything up to seq.
	SetCursor(ctx context.Context, sink string, seq uint64) error
}

// An outlet takes one sink through the store's feed.
type outlet struct {
	name    string
	sink    Sink
	store   Store
	log     *slog.Logger
	wake    chan struct{}
	last    <-chan struct{} // closed when the feed will not grow
	done    chan struct{}   // closed when the sink is
	err     error           // how it ended; read after done
	seq     atomic.Uint64   // what the sink has taken
	newest  atomic.Uint64   // what there is, as far as known
	dropped atomic.Uint64
	saved   uint64    // of seq, in the store
	savedAt time.Time // when
}

func newOutlet(h *Hub, name string, s Sink, after uint64) *outlet {
	o := &outlet{
		name: name, sink: s, store: h.store, log: h.log.With("sink", name),
		wake: make(chan struct{}, 1), last: h.last, done: make(chan struct{}), saved: after,
	}
	o.seq.Store(after)
	return o
}

// tell says what was stored; it never waits.
func (o *outlet) tell(fresh []Record) {
	if len(fresh) > 0 {
		o.newest.Store(fresh[len(fresh)-1].Seq)
		signal(o.wake)
	}
}

func (o *outlet) backlog() uint64 {
	newest, seq := o.newest.Load(), o.seq.Load()
	return max(newest, seq) - seq
}

// run sends until the feed has ended or ctx does, then closes the sink.
func (o *outlet) run(ctx context.Context) {
	defer close(o.done)
	err := o.follow(ctx)
	o.err = errors.Join(err, o.close())
}

func (o *outlet) follow(ctx context.Context) error {
	pause := backOff{first: time.Second, most: time.Minute, early: o.last}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	failed, ending := false, false
	for {
		err := o.drain(ctx)
		o.save(ctx, ending)
		switch {
		case err != nil:
			if !failed {
				o.log.ErrorContext(ctx, "sink fails; it is tried again", "error", err)
			}
			failed = true
			if !pause.wait(ctx) {
				return fmt.Errorf("close sink %s: %d records were not sent: %w", o.name, o.backlog(), err)
			}
			continue
		case failed:
			failed = false
			pause.reset()
			o.log.InfoContext(ctx, "sink works again")
		}
		if ending {
			return nil
		}
		select {
		case <-o.wake:
		case <-look.C:
		case <-o.last:
			ending = true // once more, for what was stored until then
		case <-ctx.Done():
			return fmt.Errorf("close sink %s: %w", o.name, ctx.Err())
		}
	}
}

// drain sends what the feed holds beyond the cursor.
func (o *outlet) drain(ctx context.Context) error {
	var batch []Record
	for r, err := range o.store.Feed(ctx, o.seq.Load()) {
		if err != nil {
			return err
		}
		if batch = append(batch, r); len(batch) < sendLimit {
			continue
		}
		if err := o.send(ctx, batch); err != nil {
			return err
		}
		batch = nil // the sink may keep what it was given
	}
	return o.send(ctx, batch)
}

func (o *outlet) send(ctx context.Context, batch []Record) error {
	if len(batch) == 0 {
		return nil
	}
	err := o.try(ctx, batch)
	if err != nil && !errors.Is(err, ErrRejected) {
		return err
	}
	if err != nil {
		o.dropped.Add(uint64(len(batch)))
		o.log.ErrorContext(ctx, "sink rejects records; they were dropped", "records", len(batch), "error", err)
	}
	o.seq.Store(batch[len(batch)-1].Seq)
	return nil
}

func (o *outlet) try(ctx context.Context, batch []Record) (err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	defer caught(&err)
	return o.sink.Send(ctx, batch)
}

// save remembers the cursor, if the store can. A sink that was not saved gets some
// records again after a crash, which is what the identity of records is for.
func (o *outlet) save(ctx context.Context, now bool) {
	c, ok := o.store.(Cursors)
	seq := o.seq.Load()
	if !ok || seq == o.saved || !now && time.Since(o.savedAt) < saveEvery {
		return
	}
	o.savedAt = time.Now()
	if err := c.SetCursor(ctx, o.name, seq); err != nil {
		o.log.WarnContext(ctx, "cursor of sink was not saved", "error", err)
		return
	}
	o.saved = seq
}

func (o *outlet) close() (err error) {
	defer caught(&err)
	if err := o.sink.Close(); err != nil {
		return fmt.Errorf("close sink %s: %w", o.name, err)
	}
	return nil
}

// await returns how the sink ended, unless it does not in time.
func (o *outlet) await(late <-chan struct{}) error {
	select {
	case <-o.done:
		return o.err
	case <-late:
		return fmt.Errorf("close sink %s: it does not end", o.name)
	}
}
