package scenarios

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	beat     = 5 * time.Millisecond    // between two looks at the clock
	beatSlip = beat + time.Millisecond // later than this is no jitter
)

// A pulse measures how long work on this machine waits for a core: by the kernel's
// pressure stall information where there is some, and by how late it wakes itself.
type pulse struct {
	born time.Time
	last atomic.Int64 // when it beat last, since born
	late atomic.Int64 // by how much it was late, all in all
	jolt atomic.Int64 // the longest of these times
}

func newPulse() *pulse { return &pulse{born: time.Now()} }

// run beats until ctx ends.
func (p *pulse) run(ctx context.Context) {
	t := time.NewTicker(beat)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			now := time.Since(p.born)
			slipped := int64(slip(now, time.Duration(p.last.Swap(int64(now)))))
			p.late.Add(slipped)
			p.jolt.Store(max(p.jolt.Load(), slipped))
		}
	}
}

func slip(now, last time.Duration) time.Duration {
	if gap := now - last; gap > beatSlip {
		return gap - beat
	}
	return 0
}

// hunger is how long work has waited for a core since some time in the past, by each
// of the two witnesses.
type hunger struct{ kernel, own time.Duration }

func (p *pulse) hunger() hunger {
	now, last := time.Since(p.born), time.Duration(p.last.Load())
	return hunger{waitedForCPU(), time.Duration(p.late.Load()) + slip(now, last)}
}

// since is the larger of what the witnesses say of the time between two looks.
func (h hunger) since(before hunger) time.Duration {
	return max(h.kernel-before.kernel, h.own-before.own, 0)
}

// waitedForCPU is how long, since the machine started, some work on it waited for a
// core, by the kernel's pressure stall information (Documentation/accounting/psi.rst);
// 0 where the kernel does not tell.
func waitedForCPU() time.Duration {
	b, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	some, _, _ := strings.Cut(string(b), "\n")
	_, total, _ := strings.Cut(some, "total=")
	us, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}
