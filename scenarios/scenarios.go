// Package scenarios tells a story about a system: it is well, it is hurt, it behaves
// as its owner declared while hurt, and it is well again. A scenario is itself a
// check. It must never leave a fault behind, nor give a verdict without evidence.
package scenarios

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

// An Injector puts faults into the kernel and finds those that are there;
// faults.Injector is one.
type Injector interface {
	Install(ctx context.Context, f faults.Fault, o faults.Options) (faults.Injection, error)
	List(ctx context.Context) ([]faults.Active, error)
}

// A Note is a line for the person who watches a run.
type Note struct {
	At    time.Duration // since the run's start
	Phase string
	Text  string
}

// An Engine runs scenarios. One at a time on a host: it refuses to run beside another.
type Engine struct {
	Runner   *run.Runner // of the checks that a scenario may name
	Injector Injector
	Allowed  func() error                                              // the guard: nil where faults may be injected
	Guard    func(context.Context, faults.Fault, faults.Options) error // refuses what would hurt us; may be nil
	Events   run.Publisher
	Log      *slog.Logger
	Version  string
	Host     string
	Progress func(Note)                     // may be nil
	Page     func(io.Writer, *Report) error // draws a report as HTML; may be nil
}

// Run runs the scenario and reports what it found. It ends early when ctx does; the
// fault is healed in any case. Instances of the target are judged one after another.
func (e *Engine) Run(ctx context.Context, s *Spec) *Report {
	id := strings.ToLower(rand.Text()[:10])
	if len(s.Target.Instances) == 0 {
		return e.run(ctx, s, id)
	}
	var all []*Report
	end := time.Now().Add(s.Limit)
	for i, address := range s.Target.Instances {
		if i > 0 && sleep(ctx, all[i-1].echo()) != nil {
			break
		}
		one := *s
		one.instance, one.Limit = address, min(time.Until(end), s.Limit/time.Duration(len(s.Target.Instances))).Truncate(time.Second)
		r := e.run(ctx, &one, id)
		all = append(all, r)
		if r.Verdict == verdict.Aborted || r.ExitCode == exitLeft {
			break
		}
	}
	return join(s, all)
}

func (e *Engine) run(ctx context.Context, s *Spec, id string) *Report {
	x := newExperiment(e, s, id)
	x.publishScenario(ctx, time.Time{})
	err := x.perform(ctx)
	return x.report(ctx, err)
}

// A stop ends a run early with a verdict of its own.
type stop struct {
	verdict verdict.Verdict
	reason  string
}

func (s *stop) Error() string { return s.verdict.String() + ": " + s.reason }

func inconclusive(format string, args ...any) error {
	return &stop{verdict.Inconclusive, fmt.Sprintf(format, args...)}
}

func aborted(format string, args ...any) error {
	return &stop{verdict.Aborted, fmt.Sprintf(format, args...)}
}

// errHeal marks a fault that could not be taken back.
var errHeal = errors.New("the fault could not be healed")

// Check makes the scenario a check: pass is ok, fail and a failed healing are
// critical, the rest is unknown.
func (e *Engine) Check(s *Spec) *Check { return &Check{e, s} }

// A Check is a scenario as a check.
type Check struct {
	engine *Engine
	spec   *Spec
}

// DefaultTimeout is longer than the scenario's own limit, which ends it first.
func (c *Check) DefaultTimeout() time.Duration {
	return c.spec.Limit + c.spec.teardownTime() + 30*time.Second
}

// Run implements [results.Check].
func (c *Check) Run(ctx context.Context, rec *results.Recorder) error {
	r := c.engine.Run(ctx, c.spec)
	return c.engine.Record(ctx, rec, r)
}

// Record turns a report into steps of a result: one named verdict, which carries the
// report, and one for each property. The error is what the run came to.
func (e *Engine) Record(ctx context.Context, rec *results.Recorder, r *Report) error {
	for _, p := range r.Properties {
		st := results.Step{
			Name: p.ID, Offset: duration(p.FromMS), Duration: duration(p.ToMS - p.FromMS),
			Values: map[string]float64{"verdict": float64(p.Verdict)},
		}
		if err := outcome(p.Verdict, 0, p.Detail); err != nil && p.Verdict != verdict.Skipped {
			st.Status, st.Cause = results.Judge(err)
			st.Error = err.Error()
		}
		rec.Add(st)
	}
	rec.Say(strings.TrimSuffix(r.Verdict.String()+": "+r.Reason+"; "+r.untidy(), "; "))
	return rec.Step(ctx, "verdict", func(_ context.Context, span *results.Span) error {
		span.Set("verdict", float64(r.Verdict))
		e.attach(ctx, span, r)
		return outcome(r.Verdict, r.ExitCode, r.Reason)
	})
}

// mostPage is the size in bytes of an HTML report that is kept beside a result.
const mostPage = 1 << 20

// attach keeps the report beside the result: as JSON, and as HTML unless that is huge.
func (e *Engine) attach(ctx context.Context, span *results.Span, r *Report) {
	var text, page bytes.Buffer
	if err := r.WriteJSON(&text); err == nil {
		span.Attach("report.json", "application/json", text.Bytes())
	}
	if e.Page == nil {
		return
	}
	switch err := e.Page(&page, r); {
	case err != nil:
		e.Log.WarnContext(ctx, "report not drawn", "scenario", r.Scenario, "error", err)
	case page.Len() > mostPage:
		e.Log.WarnContext(ctx, "report not kept as HTML: it is too large", "scenario", r.Scenario, "bytes", page.Len(), "most", mostPage)
	default:
		span.Attach("report.html", "text/html", page.Bytes())
	}
}

// outcome gives a verdict its status.
func outcome(v verdict.Verdict, exitCode int, text string) error {
	err := fmt.Errorf("%s: %s", v, text)
	switch {
	case exitCode == exitLeft:
		return results.Fault(results.CauseHeal, err)
	case v == verdict.Pass:
		return nil
	case v == verdict.Fail:
		return results.Fault(results.CauseBreaker, err)
	case v == verdict.Aborted:
		return results.Blind(results.CauseStopped, err)
	}
	return results.Blind(results.CauseInternal, err)
}

// exitLeft is the exit code of a run that left something behind.
const exitLeft = 6

func duration(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
