package results_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

// Whoever watches sees each step begin, learn its limits and end, and may ask the
// recorder meanwhile.
func TestWatch(t *testing.T) {
	t.Parallel()
	rec := results.NewRecorder()
	var seen []string
	rec.Watch(func(n int, s results.Step, ended bool) {
		seen = append(seen, fmt.Sprintf("%d in %d %s %v %v %v", n, s.Parent, s.Name, s.Warning, ended, s.Status))
		if got := len(rec.Finish(nil).Steps); got < n {
			t.Errorf("the recorder has %d steps, want at least %d", got, n)
		}
	})
	err := rec.Step(t.Context(), "outer", func(ctx context.Context, s *results.Span) error {
		s.Limit(time.Hour, 0)
		return rec.Step(ctx, "inner", func(context.Context, *results.Span) error { return errors.New("no") })
	})
	rec.Add(results.Step{Name: "later"})
	want := []string{
		"1 in 0 outer 0s false unknown", "1 in 0 outer 1h0m0s false unknown",
		"2 in 1 inner 0s false unknown", "2 in 1 inner 0s true critical",
		"1 in 0 outer 1h0m0s true critical", "3 in 0 later 0s true ok",
	}
	if err == nil || !slices.Equal(seen, want) {
		t.Errorf("got %q\nwant %q", seen, want)
	}
}
