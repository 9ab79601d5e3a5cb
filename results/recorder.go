package results

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// A Recorder collects the steps of one run while it goes on. Steps may be recorded
// from several goroutines, and Finish may be called while some of them still run.
type Recorder struct {
	start time.Time
	mu    sync.Mutex
	steps []Step
	done  []bool  // by step: it has ended
	inner []error // by step: the worst slowness within it
	slow  []error
	said  string
	watch []func(n int, s Step, ended bool)
}

// NewRecorder starts recording now.
func NewRecorder() *Recorder { return &Recorder{start: time.Now()} }

// Start is when the run began; Step.Offset counts from it.
func (r *Recorder) Start() time.Time { return r.start }

// Watch has fn told of every step as it begins, when its limits are set, and as it
// ends; n is its position from 1, as in [Step.Parent]. fn runs in the goroutine of the
// step, which waits for it. Watch must be called before the first step.
func (r *Recorder) Watch(fn func(n int, s Step, ended bool)) { r.watch = append(r.watch, fn) }

// tell must be called without the lock.
func (r *Recorder) tell(i int) {
	if len(r.watch) == 0 {
		return
	}
	r.mu.Lock()
	s, ended := r.steps[i], r.done[i]
	s.Values, s.Artifacts = maps.Clone(s.Values), slices.Clone(s.Artifacts)
	r.mu.Unlock()
	for _, fn := range r.watch {
		fn(i+1, s, ended)
	}
}

type parentKey struct{}

// Step times fn, records how it ended and returns its error unchanged. A step that
// fn begins with the context it is given becomes part of this one. A step that took
// longer than its [Span.Limit] keeps its error nil, and Finish counts it all the same.
func (r *Recorder) Step(ctx context.Context, name string, fn func(context.Context, *Span) error) error {
	ctx, span := r.Begin(ctx, name)
	panicked := true
	defer func() {
		if panicked {
			span.End(Blind(CauseInternal, errors.New("panicked")))
		}
	}()
	err := fn(ctx, span)
	panicked = false
	span.End(err)
	return err
}

// Begin begins a step that is not the time of one function: [Span.End] ends it. Steps
// that are begun with the context it returns become part of it, and one of them that
// was too slow makes it no better than that.
func (r *Recorder) Begin(ctx context.Context, name string) (context.Context, *Span) {
	parent, _ := ctx.Value(parentKey{}).(int)
	begin := time.Now()
	// Until it ends, the step is what a reader should believe if it never does.
	i := r.add(Step{
		Parent: parent, Name: name, Offset: begin.Sub(r.start),
		Status: Unknown, Cause: CauseInternal, Error: "did not end",
	}, false)
	return context.WithValue(ctx, parentKey{}, i+1), &Span{rec: r, i: i, begin: begin}
}

func (r *Recorder) add(s Step, done bool) int {
	r.mu.Lock()
	i := len(r.steps)
	r.steps = append(r.steps, s)
	r.done, r.inner = append(r.done, done), append(r.inner, nil)
	r.mu.Unlock()
	r.tell(i)
	return i
}

// Add records a step that is known only afterwards, such as a phase of a request.
func (r *Recorder) Add(s Step) { r.add(s, true) }

// Say keeps a line that tells what was seen, for the Result of a run that ends well.
// The last one counts.
func (r *Recorder) Say(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = text
}

// Finish makes the Result of a run that ended with err: its status is the worst of
// err and of the steps that overran their limits. A step still running is kept as
// it stands. What is recorded later is not seen.
func (r *Recorder) Finish(err error) Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	took := time.Since(r.start)
	err = errors.Join(append([]error{err}, r.slow...)...)
	res := Result{Start: r.start, Duration: took, Steps: slices.Clone(r.steps)}
	for i := range res.Steps {
		res.Steps[i].Values = maps.Clone(res.Steps[i].Values)
		res.Steps[i].Artifacts = slices.Clone(res.Steps[i].Artifacts)
		if !r.done[i] {
			res.Steps[i].Duration = took - res.Steps[i].Offset
		}
	}
	res.Status, res.Cause = Judge(err)
	res.Message = r.said
	if err != nil {
		res.Message = err.Error()
	}
	return res
}

// A Span is a step while it goes on. Its methods may be called from several goroutines.
type Span struct {
	rec   *Recorder
	i     int
	begin time.Time
}

// Rename gives the step another name than it began with.
func (s *Span) Rename(name string) {
	s.change(func(st *Step) { st.Name = name })
	s.rec.tell(s.i)
}

// Add is [Recorder.Add] of a part of this step.
func (s *Span) Add(st Step) {
	st.Parent = s.i + 1
	s.rec.Add(st)
}

// Set records a number of the step, in base units: seconds, bytes, a count.
func (s *Span) Set(name string, v float64) {
	s.change(func(st *Step) {
		if st.Values == nil {
			st.Values = map[string]float64{}
		}
		st.Values[name] = v
	})
}

// Limit makes the step a warning or critical when it takes longer; 0 is no limit.
func (s *Span) Limit(warning, critical time.Duration) {
	s.change(func(st *Step) { st.Warning, st.Critical = warning, critical })
	s.rec.tell(s.i)
}

// Say is [Recorder.Say] of the run that the step belongs to.
func (s *Span) Say(text string) { s.rec.Say(text) }

// Attach keeps data as evidence of the step. data must not be changed afterwards.
func (s *Span) Attach(name, mediaType string, data []byte) {
	sum := sha256.Sum256(data)
	a := Artifact{ID: hex.EncodeToString(sum[:]), Name: name, MediaType: mediaType, Data: data}
	s.change(func(st *Step) { st.Artifacts = append(st.Artifacts, a) })
}

func (s *Span) change(fn func(*Step)) {
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	fn(&s.rec.steps[s.i])
}

// End ends a step of [Recorder.Begin], once; a nil err is well.
func (s *Span) End(err error) {
	took := time.Since(s.begin)
	defer s.rec.tell(s.i)
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	st := &s.rec.steps[s.i]
	s.rec.done[s.i] = true
	st.Duration = took
	inner := s.rec.inner[s.i]
	if slow := TooSlow(st.Name, took, st.Warning, st.Critical); slow != nil && err == nil {
		s.rec.slow = append(s.rec.slow, slow)
		err = slow
		s.rec.within(st.Parent, slow)
	}
	s.rec.within(st.Parent, inner)
	if worse(inner, err) {
		err = errors.Join(err, inner)
	}
	st.Status, st.Cause = Judge(err)
	st.Error = ""
	if err != nil {
		st.Error = err.Error()
	}
}

// within notes that a part of the step at position parent was too slow.
func (r *Recorder) within(parent int, slow error) {
	if parent > 0 && worse(slow, r.inner[parent-1]) {
		r.inner[parent-1] = slow
	}
}

func worse(a, b error) bool {
	sa, _ := Judge(a)
	sb, _ := Judge(b)
	return sa.Worse(sb)
}

// TooSlow returns the warning or critical error of something that took longer than
// its limits, or nil; a limit of 0 is none.
func TooSlow(name string, took, warning, critical time.Duration) error {
	slow := func(limit time.Duration) error {
		return fmt.Errorf("%s: took %v, want at most %v", name, took.Round(time.Millisecond), limit)
	}
	switch {
	case critical > 0 && took > critical:
		return Fault(CauseSlow, slow(critical))
	case warning > 0 && took > warning:
		return Warn(CauseSlow, slow(warning))
	}
	return nil
}
