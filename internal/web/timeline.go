package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/foreshock/foreshock/results"
)

const (
	mostTicks   = 10_000 // runs in one timeline; beyond it, or an hour, it is cut into buckets
	mostEvents  = 1000
	bucketCount = 288 // 24 hours in buckets of 5 minutes
)

// timelineView is what happened on one axis: runs one by one, or in buckets of
// WidthMS where they would be too many.
type timelineView struct {
	FromMS  int64                   `json:"from_ms"`
	ToMS    int64                   `json:"to_ms"`
	WidthMS int64                   `json:"width_ms,omitempty"`
	Runs    map[string][]runView    `json:"runs,omitempty"`    // by check, oldest first
	Buckets map[string][]bucketView `json:"buckets,omitempty"` // by check, oldest first
	Events  []results.Event         `json:"events"`            // oldest first
}

type bucketView struct {
	StartMS int64 `json:"start_ms"`
	EndMS   int64 `json:"end_ms"`
	summary
}

// timeline answers with everything of the range that is drawn on the time axis.
func (s *server) timeline(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerLimit)
	defer cancel()
	since, err := sinceOf(r.URL.Query())
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err.Error(), nil)
		return
	}
	now := time.Now()
	view, err := s.lay(ctx, now.Add(-since), now)
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, "the store does not answer", err)
		return
	}
	s.write(w, r, view)
}

func (s *server) lay(ctx context.Context, from, to time.Time) (timelineView, error) {
	view := timelineView{FromMS: from.UnixMilli(), ToMS: to.UnixMilli(), Events: []results.Event{}}
	for e, err := range s.Store.Events(ctx, results.Query{Since: from, Limit: mostEvents}) {
		if err != nil {
			return view, fmt.Errorf("events: %w", err)
		}
		view.Events = append(view.Events, e)
	}
	slices.Reverse(view.Events)
	if to.Sub(from) <= time.Hour {
		few, err := s.ticks(ctx, &view, from)
		if few || err != nil {
			return view, err
		}
	}
	return view, s.buckets(ctx, &view, from, to)
}

// ticks puts the single runs into view, unless they are too many.
func (s *server) ticks(ctx context.Context, view *timelineView, from time.Time) (few bool, err error) {
	runs, n := map[string][]runView{}, 0
	for r, err := range s.Store.Select(ctx, results.Query{Since: from, Limit: mostTicks + 1}) {
		if err != nil {
			return false, fmt.Errorf("runs: %w", err)
		}
		if n++; n > mostTicks {
			return false, nil
		}
		runs[r.Check] = append(runs[r.Check], viewRun(&r))
	}
	for _, of := range runs {
		slices.Reverse(of)
	}
	view.Runs = runs
	return true, nil
}

func (s *server) buckets(ctx context.Context, view *timelineView, from, to time.Time) error {
	width := max(to.Sub(from)/bucketCount, time.Second).Truncate(time.Second)
	found, err := s.Store.Summarize(ctx, results.Query{Since: from.Truncate(width)}, width)
	if err != nil {
		return fmt.Errorf("buckets: %w", err)
	}
	view.WidthMS = width.Milliseconds()
	view.Buckets = map[string][]bucketView{}
	for _, b := range found {
		view.Buckets[b.Check] = append(view.Buckets[b.Check],
			bucketView{StartMS: b.Start.UnixMilli(), EndMS: b.End.UnixMilli(), summary: viewSummary(b)})
	}
	return nil
}
