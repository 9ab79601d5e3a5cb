package nfqueue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/results"
)

const (
	readMax   = 512       // packets between two looks at the clock
	readSize  = 128 << 10 // more than any message of the kernel
	maxPool   = 4096      // packets kept for reuse
	retryWait = time.Millisecond
	farFuture = time.Hour // a wait that a poke, a packet or a signal ends
)

// An engine decides. It is one goroutine's alone, so that stages need no locks; the
// kernel's timer wakes it, which is more exact than the runtime's.
type engine struct {
	queue  *Queue
	stages []Stage
	out    verdicts
	sender *sender // nil when no stage needs one
	held   held
	limit  Options

	counters Counters
	next     uint32 // the id of the next packet
	buf      []byte
	pool     []*Packet
	waiting  bool // verdicts that could not be written yet
}

func newEngine(o Options) (_ *engine, err error) {
	need := Headers
	for _, s := range o.Stages {
		need = max(need, s.Need())
	}
	q := &Queue{mark: o.Mark, closed: make(chan struct{})}
	e := &engine{queue: q, stages: o.Stages, limit: o, buf: make([]byte, readSize), next: 1}
	if need == Whole { // who copies or answers has seen all of a packet
		if e.sender, err = openSender(o.Mark); err != nil {
			return nil, err
		}
	}
	if q.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
		e.out.fd, q.num, err = openQueue(need, o.MaxHeld)
		if err != nil {
			_ = unix.Close(q.wake)
		}
	}
	if err != nil {
		e.closeSender()
		return nil, err
	}
	e.out.num, e.out.mark = q.num, o.Mark
	for _, s := range o.Stages {
		e.counters.Stages = append(e.counters.Stages, StageCounters{Name: s.Name()})
	}
	q.publish(e.counters)
	return e, nil
}

func (e *engine) closeSender() {
	if e.sender != nil {
		e.sender.close()
	}
}

// run decides until the queue is closed, and gives everything back then.
func (e *engine) run() {
	defer close(e.queue.closed)
	var err error
	for err == nil && !e.queue.stop.Load() {
		err = e.turn()
	}
	if err == nil {
		err = e.drain()
	}
	_ = unix.Close(e.out.fd) // from here on the kernel does not ask
	e.closeSender()
	e.queue.publish(e.counters)
	if err != nil {
		e.queue.mu.Lock()
		e.queue.err = results.Blind(results.CauseTool, fmt.Errorf("nfqueue: %w", err))
		e.queue.mu.Unlock()
	}
}

// turn takes what the kernel asks, and answers.
func (e *engine) turn() error {
	more, err := e.read(false)
	if err != nil {
		return err
	}
	if e.queue.release.Swap(false) {
		e.releaseAll()
		if more { // what had come by then is not all read yet
			e.queue.release.Store(true)
		}
	}
	if err := e.releaseDue(time.Now()); err != nil {
		return err
	}
	if err := e.flush(); err != nil {
		return err
	}
	if more {
		return nil
	}
	return e.wait()
}

// drain lets everything go on. The kernel asks no more from the first message on, so
// that what is read then is the last.
func (e *engine) drain() error {
	e.releaseAll()
	if err := e.flush(); err != nil {
		return err
	}
	if _, err := unix.Write(e.out.fd, lengthMessage(e.queue.num, 0)); err != nil {
		return err
	}
	for more := true; more || e.waiting; {
		var err error
		if more, err = e.read(true); err != nil {
			return err
		}
		if err = e.flush(); err != nil {
			return err
		}
	}
	return nil
}

// flush counts first: whoever sees a packet arrive finds it counted.
func (e *engine) flush() (err error) {
	e.counters.Held = uint64(len(e.held.packets))
	e.queue.publish(e.counters)
	e.waiting, err = e.out.flush()
	return err
}

// wait ends with the next packet, the next one due, or a poke.
func (e *engine) wait() error {
	wait := farFuture
	if len(e.held.packets) > 0 {
		wait = max(0, time.Until(e.held.packets[0].due))
	}
	if e.waiting {
		wait = min(wait, retryWait)
	}
	limit := unix.NsecToTimespec(wait.Nanoseconds())
	ready := [2]unix.PollFd{
		{Fd: int32(e.out.fd), Events: unix.POLLIN},     //nolint:gosec // a file descriptor
		{Fd: int32(e.queue.wake), Events: unix.POLLIN}, //nolint:gosec // as above
	}
	if _, err := unix.Ppoll(ready[:], &limit, nil); err != nil && !errors.Is(err, unix.EINTR) {
		return err
	}
	if ready[1].Revents != 0 {
		var count [8]byte
		_, _ = unix.Read(e.queue.wake, count[:])
	}
	return nil
}

// read takes a bounded number of packets, and says whether there may be more. Those
// that are only to pass meet no stage.
func (e *engine) read(pass bool) (more bool, err error) {
	for range readMax {
		n, err := unix.Read(e.out.fd, e.buf)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return false, nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ENOBUFS):
			continue
		case err != nil:
			return false, err
		}
		e.messages(e.buf[:n], pass)
		if len(e.out.buf) > writeSize {
			if err := e.flush(); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// messages handles what one read gave; the kernel's own messages are whole.
func (e *engine) messages(b []byte, pass bool) {
	for len(b) >= nlHeader {
		length := int(binary.NativeEndian.Uint32(b))
		if length < nlHeader || length > len(b) {
			return
		}
		data := b[nlHeader:length]
		switch kind := binary.NativeEndian.Uint16(b[4:]); {
		case kind == unix.NLMSG_ERROR:
			if refusal(data) != nil {
				e.counters.Gone++
			}
		case kind == msgPacket && len(data) >= nfHeader:
			e.packet(data[nfHeader:], pass)
		}
		b = b[min(align(length), len(b)):]
	}
}

func (e *engine) packet(b []byte, pass bool) {
	p := e.take()
	if err := parsePacket(b, p); err != nil {
		e.keep(p)
		return
	}
	e.counters.Received++
	e.counters.Missed += uint64(p.id - e.next)
	e.next = p.id + 1
	if pass {
		p.plain = true
		e.pass(p)
		return
	}
	e.walk(p, time.Now())
}

func (e *engine) take() *Packet {
	last := len(e.pool) - 1
	if last < 0 {
		return &Packet{}
	}
	p := e.pool[last]
	e.pool = e.pool[:last]
	return p
}

func (e *engine) keep(p *Packet) {
	if len(e.pool) < maxPool {
		p.reset()
		e.pool = append(e.pool, p)
	}
}
