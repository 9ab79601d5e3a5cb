package results_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foreshock/foreshock/results"
)

func TestStepsNestAndKeepTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := results.NewRecorder()
		begin := time.Now()
		failed := errors.New("no button")
		err := rec.Step(t.Context(), "outer", func(ctx context.Context, s *results.Span) error {
			time.Sleep(time.Second)
			s.Set("bytes", 5)
			s.Attach("page.txt", "text/plain", []byte("hello"))
			return rec.Step(ctx, "inner", func(context.Context, *results.Span) error {
				time.Sleep(2 * time.Second)
				return failed
			})
		})
		rec.Add(results.Step{Name: "phase", Duration: 7})
		if !errors.Is(err, failed) || err.Error() != failed.Error() {
			t.Errorf("got %v, want the step's own error, unchanged", err)
		}
		res := rec.Finish(err)
		if !res.Start.Equal(begin) || res.Duration != 3*time.Second || res.Status != results.Critical || res.Message != "no button" || len(res.Steps) != 3 {
			t.Fatalf("got %+v", res)
		}
		outer, inner := res.Steps[0], res.Steps[1]
		if outer.Duration != 3*time.Second || outer.Offset != 0 || outer.Parent != 0 || outer.Values["bytes"] != 5 ||
			outer.Artifacts[0].ID != "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" {
			t.Errorf("outer: got %+v", outer)
		}
		if inner.Duration != 2*time.Second || inner.Offset != time.Second || inner.Parent != 1 || inner.Error != "no button" {
			t.Errorf("inner: got %+v", inner)
		}
		if res.Steps[2].Name != "phase" || res.Steps[2].Status != results.OK {
			t.Errorf("added: got %+v", res.Steps[2])
		}
	})
}

func TestSlowSteps(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		took   time.Duration
		err    error
		status results.Status
		cause  results.Cause
	}{
		{time.Second, nil, results.OK, ""}, // at the limit is within it
		{time.Second + 1, nil, results.Warning, results.CauseSlow},
		{2*time.Second + 1, nil, results.Critical, results.CauseSlow},
		{2*time.Second + 1, errors.New("what"), results.Critical, results.CauseAnswer},
		{2*time.Second + 1, results.Blind(results.CauseBrowser, errors.New("gone")), results.Unknown, results.CauseBrowser},
	} {
		synctest.Test(t, func(t *testing.T) {
			rec := results.NewRecorder()
			err := rec.Step(t.Context(), "pay", func(_ context.Context, s *results.Span) error {
				s.Limit(time.Second, 2*time.Second)
				time.Sleep(tc.took)
				return tc.err
			})
			if err != tc.err { //nolint:errorlint // unchanged means the same
				t.Errorf("%v: the step returned %v, want %v", tc.took, err, tc.err)
			}
			res := rec.Finish(err)
			if res.Status != tc.status || res.Cause != tc.cause || res.Steps[0].Status != tc.status {
				t.Errorf("%v: got %v (%s), step %v, want %v (%s)", tc.took, res.Status, res.Cause, res.Steps[0].Status, tc.status, tc.cause)
			}
		})
	}
}

func TestFinishWhileStepsRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := results.NewRecorder()
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 10 {
			wg.Go(func() {
				_ = rec.Step(ctx, fmt.Sprint(i), func(ctx context.Context, s *results.Span) error {
					s.Set("a", 1)
					<-ctx.Done()
					for k := range 100 {
						s.Set(fmt.Sprint(k), 1)
						s.Attach("x", "y", nil)
					}
					return nil
				})
			})
		}
		time.Sleep(time.Second)
		res := rec.Finish(results.Blind(results.CauseStalled, errors.New("abandoned")))
		check := func() {
			for _, s := range res.Steps {
				if len(s.Values) != 1 || len(s.Artifacts) != 0 || s.Status != results.Unknown || s.Duration != time.Second || s.Error == "" {
					t.Fatalf("got %+v, want the step as it stood after a second", s)
				}
			}
		}
		cancel()
		check() // while the steps go on: the race detector watches
		wg.Wait()
		check()
	})
}

func TestPanicKeepsItsStep(t *testing.T) {
	t.Parallel()
	rec := results.NewRecorder()
	func() {
		defer func() {
			if p := recover(); p != "oops" {
				t.Errorf("got %v, want the panic to go on", p)
			}
		}()
		_ = rec.Step(t.Context(), "click", func(context.Context, *results.Span) error { panic("oops") })
	}()
	s := rec.Finish(nil).Steps[0]
	if s.Status != results.Unknown || s.Cause != results.CauseInternal || !strings.Contains(s.Error, "panic") {
		t.Errorf("got %+v, want unknown (internal)", s)
	}
}

// A step that holds one that was too slow is no better than that, whatever else it is.
func TestSlowWithin(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                 string
		slow, outer          [2]time.Duration // limits of the inner and of the outer step
		err                  error
		inner, middle, whole results.Status
	}{
		{"none", [2]time.Duration{}, [2]time.Duration{}, nil, results.OK, results.OK, results.OK},
		{"warning within", [2]time.Duration{1, 1e12}, [2]time.Duration{}, nil, results.Warning, results.Warning, results.Warning},
		{"critical within", [2]time.Duration{0, 1}, [2]time.Duration{}, nil, results.Critical, results.Critical, results.Critical},
		{"critical within a warning", [2]time.Duration{0, 1}, [2]time.Duration{1, 1e12}, nil, results.Critical, results.Critical, results.Critical},
		{"warning within a critical", [2]time.Duration{1, 1e12}, [2]time.Duration{0, 1}, nil, results.Warning, results.Critical, results.Critical},
		{"critical within an unknown", [2]time.Duration{0, 1}, [2]time.Duration{}, results.ErrUnknown, results.Critical, results.Critical, results.Critical},
		{"warning within an unknown", [2]time.Duration{1, 1e12}, [2]time.Duration{}, results.ErrUnknown, results.Warning, results.Unknown, results.Unknown},
	} {
		synctest.Test(t, func(t *testing.T) {
			rec := results.NewRecorder()
			ctx, outer := rec.Begin(t.Context(), "suite")
			mid, middle := rec.Begin(ctx, "case")
			middle.Limit(tc.outer[0], tc.outer[1])
			_, inner := rec.Begin(mid, "1")
			inner.Rename("pay")
			inner.Limit(tc.slow[0], tc.slow[1])
			time.Sleep(time.Second)
			inner.End(nil)
			middle.Add(results.Step{Name: "never"})
			middle.End(tc.err)
			outer.End(tc.err)
			r := rec.Finish(tc.err)
			got := []results.Status{r.Steps[2].Status, r.Steps[1].Status, r.Steps[0].Status, r.Status}
			if want := []results.Status{tc.inner, tc.middle, tc.whole, tc.whole}; !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v of step, case, suite and result", tc.name, got, want)
			}
			if r.Steps[2].Name != "pay" || r.Steps[2].Parent != 2 || r.Steps[3].Parent != 2 || r.Steps[1].Parent != 1 {
				t.Errorf("got %+v", r.Steps)
			}
		})
	}
}
