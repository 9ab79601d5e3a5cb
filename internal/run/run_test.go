package run_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type checkFunc func(context.Context, *results.Recorder) error

func (f checkFunc) Run(ctx context.Context, rec *results.Recorder) error { return f(ctx, rec) }

type published struct {
	mu   sync.Mutex
	recs []results.Record
}

func (p *published) Publish(_ context.Context, recs ...results.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recs = append(p.recs, recs...)
	return nil
}

func one(ctx context.Context, t *testing.T, e run.Entry, secrets *kind.Secrets) (results.Result, *published) {
	t.Helper()
	pub := &published{}
	r := run.New("here", pub, secrets, slog.New(slog.DiscardHandler))
	if err := r.Add(e); err != nil {
		t.Fatal(err)
	}
	res, err := r.Run(ctx, r.Now(e.Name, "r1"))
	if err != nil {
		t.Fatal(err)
	}
	return res, pub
}

func TestHowARunEnds(t *testing.T) {
	t.Parallel()
	step := func(ctx context.Context, rec *results.Recorder, fn func(context.Context) error) error {
		return rec.Step(ctx, "work", func(ctx context.Context, _ *results.Span) error { return fn(ctx) })
	}
	for name, c := range map[string]struct {
		check  checkFunc
		status results.Status
		cause  results.Cause
		says   string
	}{
		"well":            {func(context.Context, *results.Recorder) error { return nil }, results.OK, "", ""},
		"slow is warning": {func(context.Context, *results.Recorder) error { time.Sleep(3 * time.Second); return nil }, results.Warning, results.CauseSlow, "want at most 2s"},
		"slower critical": {func(context.Context, *results.Recorder) error { time.Sleep(6 * time.Second); return nil }, results.Critical, results.CauseSlow, "want at most 5s"},
		"deadline":        {func(ctx context.Context, _ *results.Recorder) error { <-ctx.Done(); return ctx.Err() }, results.Critical, results.CauseTimeout, "timeout of 10s"},
		"ignores deadline": {func(ctx context.Context, rec *results.Recorder) error {
			return step(ctx, rec, func(context.Context) error { time.Sleep(time.Minute); return nil })
		}, results.Unknown, results.CauseStalled, "did not end"},
		"panics": {func(ctx context.Context, rec *results.Recorder) error {
			return step(ctx, rec, func(context.Context) error { panic("oops") })
		}, results.Unknown, results.CauseInternal, "oops"},
		"says secret": {func(context.Context, *results.Recorder) error { return errors.New("login with hunter2 refused") }, results.Critical, results.CauseAnswer, "login with *** refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				secrets := &kind.Secrets{}
				secrets.Add("hunter2")
				e := run.Entry{Name: "c", Kind: "k", Timeout: 10 * time.Second, Warning: 2 * time.Second, Critical: 5 * time.Second, Check: c.check}
				res, pub := one(t.Context(), t, e, secrets)
				if res.Status != c.status || res.Cause != c.cause || !strings.Contains(res.Message, c.says) {
					t.Errorf("got %v %q %q, want %v %q and %q", res.Status, res.Cause, res.Message, c.status, c.cause, c.says)
				}
				if res.Check != "c" || res.Location != "here" || res.Run != "r1" || res.Slot.IsZero() || res.Kind != "k" {
					t.Errorf("identity: got %+v", res.Key)
				}
				if len(pub.recs) != 1 {
					t.Errorf("published %d records, want 1", len(pub.recs))
				}
				for _, s := range res.Steps {
					if s.Name != "work" || s.Status != results.Unknown {
						t.Errorf("step: got %q %v, want the step it was in as unknown", s.Name, s.Status)
					}
				}
				time.Sleep(2 * time.Minute) // let what ignores its deadline end
			})
		})
	}
}

func TestStoppedFromOutsideIsNoOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		res, pub := one(ctx, t, run.Entry{Name: "c", Timeout: time.Minute, Check: checkFunc(func(ctx context.Context, _ *results.Recorder) error {
			<-ctx.Done()
			return errors.New("connection refused because we went away")
		})}, nil)
		if res.Status != results.Unknown || res.Cause != results.CauseStopped {
			t.Errorf("got %v %q, want unknown stopped", res.Status, res.Cause)
		}
		if len(pub.recs) != 1 {
			t.Error("a stopped run must still be published")
		}
	})
}

func TestTwoChecksOfOneName(t *testing.T) {
	t.Parallel()
	r := run.New("here", &published{}, nil, slog.New(slog.DiscardHandler))
	_ = r.Add(run.Entry{Name: "a"})
	if err := r.Add(run.Entry{Name: "a"}); err == nil {
		t.Error("the second check called a was taken")
	}
	if _, err := r.With(run.Entry{Name: "a"}); err == nil {
		t.Error("With took a second check called a")
	}
}
