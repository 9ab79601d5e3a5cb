package scenarios

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
)

// met notes of the last call whether the fault met packets of it. It is of use until
// the first attempt: that one's repetitions are packets too.
func (x *experiment) met(ctx context.Context) error {
	last := len(x.obs.Attempts) - 1
	if last >= 0 && x.obs.Attempts[last] >= x.armed.Start && !x.lives {
		return nil
	}
	before := x.packets
	if err := x.rest(ctx); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	c := &x.obs.Calls[len(x.obs.Calls)-1]
	c.Met = x.packets > before && (x.lingers == 0 || c.Took >= x.waits())
	if c.Met && x.lives && x.armed == &x.obs.Armed {
		w := verdict.Span{Start: c.At, End: x.now()}
		x.obs.Survive = x.obs.Survive || !slices.ContainsFunc(x.obs.Attempts, w.Has)
	}
	return nil
}

// waits is how long a call at least takes that reaches the dependency under the fault: it
// has to wait for late packets, or for its service to lose patience.
func (x *experiment) waits() time.Duration {
	most := x.spec.Breaker.CallTimeout
	if x.lingers > 0 {
		most = min(most, x.lingers)
	}
	return most * 7 / 10
}

// restLimit is how long packets of a call may follow it.
const restLimit = 5 * time.Second

// rest reads what the faults have met so far. Where connections live on, it waits until
// the packets of the call before have all come, so that they are not taken for the next.
func (x *experiment) rest(ctx context.Context) error {
	for limit := x.now() + restLimit; ; {
		before := x.packets
		if err := x.look(ctx); err != nil || !x.lives || x.lingers > 0 { // of a delay, time tells
			return err
		}
		if x.packets == before || x.now() > limit {
			return nil
		}
		if err := sleep(ctx, mostPause); err != nil {
			return err
		}
	}
}

// look reads what the faults have met so far, and ends the run if somebody took them away.
func (x *experiment) look(ctx context.Context) error {
	var packets, bitten uint64
	for n, in := range x.injections {
		ev, err := in.Evidence(ctx)
		if err != nil {
			return err
		}
		if ev.Tampered != "" {
			return &stop{verdict.Invalid, touched(ev)}
		}
		if faults.Counts(x.faults[n]) {
			packets += ev.Packets
		}
		if faults.Breaks(x.faults[n]) {
			bitten += ev.Packets
		}
	}
	x.packets, x.bitten = packets, bitten
	return nil
}

func touched(ev faults.Evidence) string {
	if ev.Chain == "" {
		return fmt.Sprintf("%s of %s did not hold during the run: %s", ev.Kind, ev.To, ev.Tampered)
	}
	return fmt.Sprintf("the rules of %s %s were touched during the run: %s", ev.Kind, ev.To, ev.Tampered)
}

// bites ends a run whose fault met no packet: there is nothing to learn from it.
func (x *experiment) bites(ctx context.Context) error {
	if err := x.look(ctx); err != nil {
		return err
	}
	if x.bitten > 0 {
		return nil
	}
	return &stop{verdict.Invalid, x.missed()}
}

func (x *experiment) missed() string {
	calls := 0
	for _, c := range x.obs.Calls {
		if c.At >= x.armed.Start {
			calls++
		}
	}
	return fmt.Sprintf("the fault met no packet in %d calls: does the service use %s, and from this network namespace?", calls, x.dependency())
}
