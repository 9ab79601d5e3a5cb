package sakuli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/foreshock/foreshock/results"
)

// actionsKept is how many actions of a case are recorded as steps of their own.
const actionsKept = 200

// A recording is the steps of one case. Sakuli names a step when it ends, so it has no
// name before that.
type recording struct {
	rec     *results.Recorder
	ctx     context.Context //nolint:containedctx // it names the case's step, in which all others are
	span    *results.Span   // of the case
	name    string
	planned []plannedStep
	past    []string // names of the steps that have ended
	actions int
	failed  error // the first exception
	over    bool  // saveResult was called

	step    *results.Span   // nil between two steps
	stepCtx context.Context //nolint:containedctx // the same for the step
	ahead   plannedStep     // what startStep said of it
}

func record(ctx context.Context, rec *results.Recorder, name string, planned []plannedStep) *recording {
	r := &recording{rec: rec, name: name, planned: planned}
	r.ctx, r.span = rec.Begin(ctx, name)
	return r
}

// begin begins a step if none is under way, and returns its context.
func (r *recording) begin() context.Context {
	if r.step == nil {
		r.stepCtx, r.step = r.rec.Begin(r.ctx, fmt.Sprintf("step %d", len(r.past)+1))
	}
	return r.stepCtx
}

// action records one action of the step that is under way.
func (r *recording) action(name string, do func(context.Context, *results.Span) error) error {
	ctx := r.begin()
	if r.actions++; r.actions > actionsKept {
		return do(ctx, r.step)
	}
	return r.rec.Step(ctx, name, do)
}

// start says what the step is called that is under way.
func (r *recording) start(p plannedStep) {
	r.begin()
	r.ahead = p
}

// end ends the step; err is what failed in it.
func (r *recording) end(p plannedStep, err error) {
	r.begin()
	if p.name == "" {
		p = r.ahead
	}
	if p.name != "" {
		r.step.Rename(p.name)
		r.past = append(r.past, p.name)
	} else {
		r.past = append(r.past, fmt.Sprintf("step %d", len(r.past)+1))
	}
	r.step.Limit(p.warning, p.critical)
	r.step.End(err)
	r.step, r.ahead = nil, plannedStep{}
}

// fail ends the step that is under way, or that would be next, with err.
func (r *recording) fail(err error, at place) {
	if r.failed == nil {
		r.failed = err
	}
	p := r.ahead
	if p.name == "" {
		p = r.next(at)
	}
	r.end(p, err)
}

// next is the step that the source names next: behind at, if there is one, or else the
// first that has not ended.
func (r *recording) next(at place) plannedStep {
	var first plannedStep
	for _, p := range r.planned {
		if r.ended(p.name) {
			continue
		}
		if p.file == at.file && p.line >= at.line {
			return p
		}
		if first.name == "" {
			first = p
		}
	}
	return first
}

func (r *recording) ended(name string) bool { return slices.Contains(r.past, name) }

// save ends the case. After a failure, the steps that the source names and that were
// not reached are recorded as such.
func (r *recording) save() {
	if r.over {
		return
	}
	r.over = true
	if r.step != nil {
		r.end(plannedStep{}, nil)
	}
	if r.failed != nil {
		for _, p := range r.planned {
			if !r.ended(p.name) {
				r.span.Add(notReached(r.rec, p))
			}
		}
	}
	r.span.End(r.failed)
}

func notReached(rec *results.Recorder, p plannedStep) results.Step {
	return results.Step{
		Name: p.name, Offset: time.Since(rec.Start()), Warning: p.warning, Critical: p.critical,
		Status: results.Unknown, Cause: results.CauseStopped, Error: "not reached",
	}
}
