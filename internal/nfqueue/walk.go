package nfqueue

import "time"

// walk leads a packet through the stages that it has not met, until one drops or holds
// it or all are done.
func (e *engine) walk(p *Packet, now time.Time) {
	for p.stage < len(e.stages) {
		at := p.stage
		p.stage++
		d := e.stages[at].Decide(p, now)
		held := d.Until.After(now)
		e.count(at, p, d, held, now)
		switch {
		case d.Answer != nil:
			e.answer(p, d.Answer)
			return
		case d.Drop:
			e.drop(p)
			return
		case held && e.full(p):
			e.counters.Overflow++
			p.plain = true
			e.pass(p)
			return
		case held:
			p.due = d.Until
			e.held.add(p)
			e.counters.MaxHeld = max(e.counters.MaxHeld, uint64(len(e.held.packets)))
			return
		}
	}
	e.pass(p)
}

func (e *engine) full(p *Packet) bool {
	return len(e.held.packets) >= e.limit.MaxHeld || e.held.bytes+p.Length > e.limit.MaxBytes
}

func (e *engine) count(at int, p *Packet, d Decision, held bool, now time.Time) {
	c := &e.counters.Stages[at]
	c.Seen++
	dropped := d.Drop || d.Answer != nil
	if dropped {
		c.Dropped++
	}
	if p.hit || dropped || held {
		c.Hit++
		if e.counters.FirstHit.IsZero() {
			e.counters.FirstHit = now
		}
	}
	p.hit = false
}

// releaseDue leads on what has waited long enough.
func (e *engine) releaseDue(now time.Time) error {
	for len(e.held.packets) > 0 && !e.held.packets[0].due.After(now) {
		e.walk(e.held.take(), now)
		if len(e.out.buf) >= writeSize {
			if err := e.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// releaseAll lets everything go on untouched, in the order in which it was due.
func (e *engine) releaseAll() {
	for len(e.held.packets) > 0 {
		p := e.held.take()
		p.plain = true
		e.pass(p)
	}
}

func (e *engine) pass(p *Packet) {
	var changed []byte
	if !p.plain {
		if p.changed {
			changed = p.Data
		}
		e.sendAll(p)
	}
	e.out.pass(p.id, p.mark, changed)
	e.counters.Passed++
	e.keep(p)
}

func (e *engine) drop(p *Packet) {
	e.sendAll(p)
	e.out.drop(p.id)
	e.counters.Dropped++
	e.keep(p)
}

// answer drops a packet for an answer; without one it goes on, for a fault that did
// not work must not look like another.
func (e *engine) answer(p *Packet, packet []byte) {
	if e.send(packet, p.device) {
		e.drop(p)
		return
	}
	p.plain = true
	e.pass(p)
}

func (e *engine) sendAll(p *Packet) {
	for _, b := range p.send {
		e.send(b, p.device)
	}
}

func (e *engine) send(packet []byte, device uint32) bool {
	e.queue.publish(e.counters)
	if e.sender == nil || e.sender.send(packet, device) != nil {
		e.counters.Failed++
		return false
	}
	e.counters.Sent++
	return true
}
