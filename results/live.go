package results

import "context"

// liveBuffer is how many records a subscriber may be behind.
const liveBuffer = 256

// Subscribe gives the live view: each fresh record once, in commit order, with Seq 0
// if the store did not take it yet. The channel is closed when ctx ends, when the hub
// closes, and when its reader falls too far behind: nobody waits for it.
func (h *Hub) Subscribe(ctx context.Context) <-chan Record {
	c := make(chan Record, liveBuffer)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(c)
		return c
	}
	h.subs[c] = context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.unsubscribe(c)
	})
	return c
}

// unsubscribe closes c unless that was done. The lock is held, so that nothing sends.
func (h *Hub) unsubscribe(c chan Record) {
	if unwatch, ok := h.subs[c]; ok {
		delete(h.subs, c)
		close(c)
		unwatch()
	}
}

// live offers recs to all subscribers. The lock is held.
func (h *Hub) live(recs []Record) {
	for c := range h.subs {
		for _, r := range recs {
			select {
			case c <- r:
				continue
			default:
			}
			h.unsubscribe(c)
			break
		}
	}
}

func (h *Hub) closeSubs() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs {
		h.unsubscribe(c)
	}
}
