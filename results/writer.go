package results

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	batchLimit = 1000 // records in one transaction
	// evidenceLimit is how many bytes of evidence may wait for a store that fails.
	evidenceLimit = 64 << 20
	appendLimit   = 20 * time.Second
	// lastPatience is how long Close waits for a store or a sink that fails to work again:
	// a disk that is full stays full, and who stops us waits.
	lastPatience = 3 * time.Second
)

// write commits whatever waits, again and again: one transaction for all that was
// published while the last one went on.
func (h *Hub) write() {
	defer close(h.written)
	pause := backOff{first: 100 * time.Millisecond, most: 5 * time.Second, early: h.closing}
	for {
		batch, closed := h.take()
		switch {
		case len(batch) == 0 && closed:
			return
		case len(batch) == 0:
			select {
			case <-h.wake:
			case <-h.closing:
			}
		case h.commit(batch):
			pause.reset()
		case !pause.wait(h.ctx):
			return
		}
	}
}

// take removes the oldest that wait, as many as fit into one transaction. Those that
// were shown live already are never mixed with those that were not.
func (h *Hub) take() (batch []*pending, closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, records := 0, 0
	for _, p := range h.waiting {
		if n > 0 && (records+len(p.recs) > batchLimit || p.shown != h.waiting[0].shown) {
			break
		}
		n++
		records += len(p.recs)
	}
	batch = slices.Clone(h.waiting[:n])
	h.waiting = slices.Delete(h.waiting, 0, n)
	return batch, h.closed
}

// commit stores the batch and hands on what is fresh, or puts the batch back.
func (h *Hub) commit(batch []*pending) bool {
	var recs []Record
	for _, p := range batch {
		recs = append(recs, p.recs...)
	}
	ctx, cancel := context.WithTimeout(h.ctx, appendLimit)
	defer cancel()
	fresh, err := h.append(ctx, recs)
	if err != nil {
		h.putBack(batch, err)
		return false
	}
	h.handOn(batch, len(recs), fresh)
	return true
}

// append keeps a store that panics from ending the process.
func (h *Hub) append(ctx context.Context, recs []Record) (fresh []Record, err error) {
	defer caught(&err)
	return h.store.Append(ctx, recs)
}

func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
	}
}

func (h *Hub) handOn(batch []*pending, records int, fresh []Record) {
	h.mu.Lock()
	recovered := h.failing != nil
	h.failing = nil
	h.records -= records
	if !batch[0].shown {
		h.live(fresh)
	}
	outlets := h.outlets
	h.mu.Unlock()
	for _, p := range batch {
		p.answer(nil)
	}
	for _, o := range outlets {
		o.tell(fresh)
	}
	if recovered {
		h.log.InfoContext(h.ctx, "store works again")
	}
}

// putBack keeps a batch that could not be stored, and tells all who wait.
func (h *Hub) putBack(batch []*pending, why error) {
	h.mu.Lock()
	first := h.failing == nil
	h.failing = why
	h.waiting = slices.Concat(batch, h.waiting)
	h.bound()
	for _, p := range h.waiting {
		h.show(p)
	}
	dropped, kept := h.dropped, h.records
	news := dropped > h.told
	h.told = dropped
	h.mu.Unlock()
	if first {
		h.log.ErrorContext(h.ctx, "store fails; records are kept and tried again", "error", why)
	}
	if news {
		h.log.ErrorContext(h.ctx, "store fails; the oldest records were dropped", "error", why, "dropped", dropped, "kept", kept)
	}
}

// show hands p on as not stored, and tells its publisher. The lock is held.
func (h *Hub) show(p *pending) {
	if p.shown {
		return
	}
	p.shown = true
	h.live(p.recs)
	p.answer(notStored(h.failing))
}

// answer ends the wait of p's publisher, unless it was told already.
func (p *pending) answer(err error) {
	select {
	case p.done <- err:
	default:
	}
}

// bound drops the oldest beyond what may wait, and the evidence of all but the newest.
// The lock is held.
func (h *Hub) bound() {
	size := 0
	for _, p := range slices.Backward(h.waiting) {
		size += p.lighten(evidenceLimit - size)
	}
	for h.records > backlogLimit {
		p := h.waiting[0]
		h.waiting = slices.Delete(h.waiting, 0, 1)
		h.records -= len(p.recs)
		h.dropped += uint64(len(p.recs))
		h.show(p)
	}
}

// lighten takes the evidence from the results of p if it is more than left, in bytes,
// and returns how much of it stays.
func (p *pending) lighten(left int) int {
	size := 0
	for i, rec := range p.recs {
		if rec.Result == nil {
			continue
		}
		n := rec.Result.Size()
		if size+n > left {
			p.recs[i].Result = rec.Result.WithoutEvidence("the store fails, and too much waits for it")
			n = 0
		}
		size += n
	}
	return size
}

// A backOff waits longer each time, up to most. Once early is closed it begins anew, and
// ends when it has waited for lastPatience.
type backOff struct {
	first, most time.Duration
	early       <-chan struct{}
	next        time.Duration
	left        time.Duration // of lastPatience
}

func (b *backOff) reset() { b.next = 0 }

// wait returns false if ctx ended first, or if there is no patience left.
func (b *backOff) wait(ctx context.Context) bool {
	b.next = min(max(2*b.next, b.first), b.most)
	if b.early == nil {
		if b.left <= 0 {
			return false
		}
		b.next = min(b.next, b.left)
		b.left -= b.next
	}
	t := time.NewTimer(b.next)
	defer t.Stop()
	select {
	case <-t.C:
	case <-b.early:
		b.early, b.left = nil, lastPatience
		b.reset()
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
