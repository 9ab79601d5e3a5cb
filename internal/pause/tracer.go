package pause

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	settleLimit = 2 * time.Second
	settleTick  = time.Millisecond       // between two looks while threads are being stopped
	newcomers   = 100 * time.Millisecond // between two looks for processes that enter a container

	// settled is how many looks in a row must find nothing new: a thread that one
	// misses because others end meanwhile is found by the next.
	settled = 2
)

// A tracer holds the threads of a target. It belongs to one OS thread, and when that
// ends the kernel undoes whatever is left of it.
type tracer struct {
	target    *target
	tid       int
	processes map[int]*held
	threads   map[int]*thread
	strangers string         // why somebody who entered the container is not held
	events    chan os.Signal // SIGCHLD: something happened to a tracee, or to a child of ours
}

// held is a process of which threads are held.
type held struct {
	*pin
	child bool // of ours: whoever started it waits for its end
}

// A thread that is held. It is stopped, or will be before it leaves the kernel.
type thread struct {
	process int
	stopped bool
	signal  syscall.Signal // that it is about to get
}

func newTracer(t *target) *tracer {
	tr := &tracer{
		target: t, tid: unix.Gettid(), processes: map[int]*held{}, threads: map[int]*thread{},
		events: make(chan os.Signal, 1),
	}
	signal.Notify(tr.events, unix.SIGCHLD)
	return tr
}

// attach stops every thread of the target. No thread that stands can start another,
// so when all that are known stand, and no look finds one more, nothing runs.
func (t *tracer) attach(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, settleLimit, ErrEscape)
	defer cancel()
	tick := time.NewTicker(settleTick)
	defer tick.Stop()
	for quiet := 0; quiet < settled; {
		fresh, err := t.sweep()
		if err != nil {
			return err
		}
		t.stops()
		t.ends()
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%w%s", context.Cause(ctx), t.restless())
		case len(t.threads) == 0 && !fresh:
			return fmt.Errorf("%w: none is left to pause", ErrEnded)
		case fresh:
			quiet = 0
		case t.standing():
			quiet++
			continue
		}
		select {
		case <-ctx.Done():
		case <-t.events:
		case <-tick.C:
		}
	}
	return nil
}

// sweep takes hold of every thread of the target that it does not hold yet, and says
// whether there was one. The first process of a tree comes first: while it stands, the
// look at all others finds an end.
func (t *tracer) sweep() (fresh bool, err error) {
	if t.target.Tree {
		if fresh, err = t.takeAll([]int{t.target.PID}); err != nil {
			return false, err
		}
	}
	pids, err := t.target.members()
	if err != nil {
		return false, err
	}
	more, err := t.takeAll(pids)
	return fresh || more, err
}

func (t *tracer) takeAll(pids []int) (fresh bool, err error) {
	for _, pid := range pids {
		p, err := t.process(pid)
		if err != nil {
			return fresh, err
		}
		if p == nil {
			continue
		}
		taken, err := t.take(p)
		if err != nil {
			return fresh, err
		}
		fresh = fresh || taken
	}
	return fresh, nil
}

// process claims a process of the target once.
func (t *tracer) process(pid int) (*held, error) {
	if p := t.processes[pid]; p != nil && !p.ended() {
		return p, nil
	}
	p, err := t.target.claim(pid)
	if p == nil || err != nil {
		return nil, err
	}
	if err := t.may(p.stat); err != nil {
		p.close()
		return nil, err
	}
	return t.keep(p), nil
}

// may is mayTrace; a process that is ours already was attached when it was forked.
func (t *tracer) may(s stat) error {
	if st, err := readStatus(procDir(s.pid)); err == nil && st.tracer == t.tid {
		return nil
	}
	return mayTrace(s)
}

func (t *tracer) keep(p *pin) *held {
	if old := t.processes[p.pid]; old != nil {
		old.close()
	}
	h := &held{p, p.parent == unix.Getpid()}
	t.processes[p.pid] = h
	return h
}

// take seizes the threads of a process that are not held yet, and then stops them. A
// seized thread keeps its number, so what is ours after the seizure stays ours.
func (t *tracer) take(p *held) (fresh bool, err error) {
	tids, err := numbers(procDir(p.pid) + "/task")
	if err != nil {
		return false, nil //nolint:nilerr // it has just ended, which the end of its threads tells
	}
	var seized []int
	for _, tid := range tids {
		if t.threads[tid] != nil {
			continue
		}
		ok, err := t.seize(p, tid)
		if err != nil {
			return false, err
		}
		if ok {
			t.threads[tid] = &thread{process: p.pid}
			seized = append(seized, tid)
		}
	}
	if err := mine(p, seized); err != nil {
		return false, err
	}
	for _, tid := range seized {
		_ = interrupt(tid) // fails only if it has ended, which is told by an event
	}
	return len(seized) > 0, nil
}

// mine makes sure that seized threads are of the process. The number of one may have
// gone to a stranger just before; that one was not stopped, and the end of this OS
// thread lets go of it. Nor was it of a process that is gone: what we seized would be here.
func mine(p *held, tids []int) error {
	if len(tids) == 0 {
		return nil
	}
	s, err := readStat(procDir(p.pid))
	ours := err == nil && s.start == p.start
	for _, tid := range tids {
		if ours && unix.Access(taskDir(p.pid, tid), unix.F_OK) != nil {
			st, err := readStatus(procDir(tid))
			ours = err != nil || st.process == p.pid // gone, or called exec
		}
	}
	if !ours {
		return fmt.Errorf("%w: %s or a thread of it, just as it was to be paused", ErrEnded, p.stat)
	}
	return nil
}

func (t *tracer) seize(p *held, tid int) (bool, error) {
	err := seize(tid, t.target.many())
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.ESRCH):
		return false, nil
	}
	s, _ := readStat(taskDir(p.pid, tid))
	st, _ := readStatus(taskDir(p.pid, tid))
	switch {
	case s.pid == 0 || st.process == 0 || s.dead(): // it has just ended
		return false, nil
	case st.tracer == t.tid: // attached when it was made, or the heir of one that called exec
		return true, nil
	case st.tracer != 0:
		return false, tracedBy(tid)
	}
	return false, denied(p.stat, err)
}

// stops takes the stops of all tracees, and with them those that their makers brought
// along.
func (t *tracer) stops() {
	for {
		tid, sig, ok := stopEvent()
		if !ok {
			return
		}
		th := t.threads[tid]
		if th == nil {
			if th = t.adopt(tid); th == nil {
				_ = detach(tid, sig) // a process that the target forked and that is not of it
				continue
			}
			t.threads[tid] = th
		}
		th.stopped, th.signal = true, sig
	}
}

// adopt takes in a thread that was attached when it was made, unless its process is
// not of the target.
func (t *tracer) adopt(tid int) *thread {
	st, err := readStatus(procDir(tid))
	if err != nil {
		return nil
	}
	if t.processes[st.process] == nil {
		if !t.target.many() {
			return nil
		}
		p, err := pinPID(st.process)
		if err != nil {
			return nil
		}
		t.keep(p)
	}
	return &thread{process: st.process}
}

// ends forgets the threads that have ended. A child of this very process is left to
// whoever started and waits for it.
func (t *tracer) ends() {
	if !someEnded() {
		return
	}
	for tid, th := range t.threads {
		if endEvent(tid, tid == th.process && t.processes[tid].child) {
			delete(t.threads, tid)
		}
	}
}

// standing says whether no thread can run: it is stopped, or sleeps in the kernel
// where nothing wakes it, and stops when it leaves.
func (t *tracer) standing() bool {
	for tid, th := range t.threads {
		if th.stopped {
			continue
		}
		s, err := readStat(taskDir(th.process, tid))
		switch {
		case err != nil:
			delete(t.threads, tid) // an exec by another thread took its place
		case s.state != 'D':
			return false
		}
	}
	return true
}

// restless names the threads that do not stand, for an error.
func (t *tracer) restless() (text string) {
	for tid, th := range t.threads {
		if th.stopped {
			continue
		}
		s, _ := readStat(taskDir(th.process, tid))
		text += fmt.Sprintf("; thread %d of process %d is in state %c", tid, th.process, s.state)
	}
	return text
}

// wait holds the target until ctx ends, and says what ended it. Who enters a container
// meanwhile is held too, which more is told of.
func (t *tracer) wait(ctx context.Context, more func()) string {
	var look <-chan time.Time
	if t.target.id != "" {
		ticker := time.NewTicker(newcomers)
		defer ticker.Stop()
		look = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			switch cause := context.Cause(ctx); {
			case errors.Is(cause, errLimit):
				return ByLimit
			case errors.Is(cause, errOther):
				return ByOther
			}
			return ByOwner
		case <-look:
			fresh, err := t.sweep()
			if fresh {
				more()
			}
			if err != nil && !errors.Is(err, ErrEnded) {
				t.strangers = err.Error()
			}
		case <-t.events:
		}
		t.stops()
		t.ends()
		if len(t.threads) == 0 {
			return ByEnd
		}
	}
}

// escaped lists what of the target is not held. It looks at what is held alone: the
// target waits for it.
func (t *tracer) escaped() (found []string) {
	if t.strangers != "" {
		found = append(found, t.strangers)
	}
	count := map[int]int{}
	for _, th := range t.threads {
		count[th.process]++
	}
	for pid, held := range count {
		s, serr := readStat(procDir(pid))
		st, err := readStatus(procDir(pid))
		if err != nil || serr != nil {
			continue // it has just ended
		}
		want := st.threads
		if s.dead() {
			want-- // the first thread of a process may end before the others
		}
		if n := want - held; n > 0 {
			found = append(found, fmt.Sprintf("%s: %d of %d threads ran", s, n, want))
		}
	}
	return found
}

// release lets every thread run on, and says whether some are left to the end of this
// OS thread: those that are inside the kernel.
func (t *tracer) release() (left bool) {
	signal.Stop(t.events)
	t.stops()
	for tid, th := range t.threads {
		if !th.stopped || detach(tid, th.signal) != nil {
			left = true
		}
	}
	for _, p := range t.processes {
		p.close()
	}
	return left
}
