package scenarios

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

// A protocol is how the target is spoken to. Calls may be made at the same time.
type protocol interface {
	// ready learns what calls need to be made; it may call the target, and not the
	// dependency. values are like those of a call.
	ready(ctx context.Context, values map[string]string) error
	// ask makes a call with the values of ${}. An error says that there was no answer:
	// context.DeadlineExceeded, that we lost patience.
	ask(ctx context.Context, values map[string]string) (answer, error)
	close()
}

// A caller calls the target as a user does.
type caller struct {
	protocol

	spec  *Spec
	run   string
	saved map[string]string // by the setup
	n     atomic.Int64
}

func newCaller(spec *Spec, runID string, saved map[string]string) *caller {
	c := &caller{spec: spec, run: runID, saved: saved}
	if t := spec.Target.GRPC; t != nil {
		c.protocol = newGRPCCalls(t, spec.instance)
	} else {
		c.protocol = newHTTPCalls(spec.Target.HTTP, spec.instance, spec.Load.MaxConcurrency)
	}
	return c
}

// values are what ${} stand for in the next call.
func (c *caller) values() map[string]string {
	values := maps.Clone(c.saved)
	values["call"] = c.run + "-" + strconv.FormatInt(c.n.Add(1), 10)
	return values
}

// call makes one call. At and Took are left to the run's clock; the outcome is read
// in the order rejected, fallback, success, else failed.
func (c *caller) call(ctx context.Context) verdict.Call {
	patience := c.spec.Target.timeout()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a, err := c.ask(ctx, c.values())
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return verdict.Call{Outcome: verdict.Failed, Error: fmt.Sprintf("no answer within %v", patience), GaveUp: true}
	case err != nil:
		return verdict.Call{Outcome: verdict.Failed, Error: err.Error()}
	}
	outcome, why := c.classify(a)
	return verdict.Call{Outcome: outcome, Error: why}
}

// classify reads an answer, and says of a failure what each expectation misses.
func (c *caller) classify(a answer) (verdict.Outcome, string) {
	b := &c.spec.Breaker
	var misses []string
	for _, e := range []struct {
		what    string
		want    *expected
		outcome verdict.Outcome
	}{{"rejected", &b.Rejected, verdict.Rejected}, {"fallback", &b.Fallback, verdict.Rejected}, {"success", &c.spec.Target.Success, verdict.Success}} {
		if e.want.IsZero() {
			continue
		}
		err := e.want.Check(a)
		if err == nil {
			return e.outcome, ""
		}
		misses = append(misses, "no "+e.what+" ("+strings.ReplaceAll(err.Error(), "\n", "; ")+")")
	}
	return verdict.Failed, strings.Join(misses, ", ")
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
