package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/foreshock/foreshock/results"
)

const (
	minSince     = time.Minute
	maxSince     = 31 * 24 * time.Hour
	defaultSince = 15 * time.Minute
	defaultRuns  = 50
	mostRuns     = 200 // in one answer of /results
)

// checkView is one row of the page.
type checkView struct {
	Name    string            `json:"name"`
	Kind    string            `json:"kind"`
	EveryMS int64             `json:"every_ms,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	Last    *runView          `json:"last,omitempty"`
	summary
}

// summary is what the runs of a check in the range came to. An availability is
// absent when nothing was seen that could count.
type summary struct {
	Counts              countsView `json:"counts"`
	Planned             countsView `json:"planned"` // inside a planned fault, or for a scenario
	Availability        *float64   `json:"availability,omitempty"`
	PlannedAvailability *float64   `json:"planned_availability,omitempty"`
	P50MS               float64    `json:"p50_ms"`
	P95MS               float64    `json:"p95_ms"`
}

type countsView struct {
	OK       int `json:"ok"`
	Warning  int `json:"warning"`
	Critical int `json:"critical"`
	Unknown  int `json:"unknown"`
}

// runView is a Result without its steps: a tick on the time axis.
type runView struct {
	StartMS int64   `json:"start_ms"`
	MS      float64 `json:"ms"`
	Status  string  `json:"status"`
	Cause   string  `json:"cause,omitempty"`
	Message string  `json:"message,omitempty"`
	Run     string  `json:"run,omitempty"`
}

func viewRun(r *results.Result) runView {
	return runView{
		StartMS: r.Start.UnixMilli(), MS: millis(r.Duration), Status: r.Status.String(),
		Cause: string(r.Cause), Message: shorten(r.Message), Run: r.Run,
	}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// shorten keeps a tick's message to what a tooltip can show; /results has the whole.
func shorten(s string) string {
	const most = 300
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

func viewSummary(b results.Bucket) summary {
	return summary{
		Counts: countsView(b.Counts), Planned: countsView(b.Planned),
		Availability: availability(b.Counts), PlannedAvailability: availability(b.Planned),
		P50MS: millis(b.P50), P95MS: millis(b.P95),
	}
}

func availability(c results.Counts) *float64 {
	a, ok := c.Availability()
	if !ok {
		return nil
	}
	return &a
}

// checks answers with every configured check, and those that only the store knows,
// each with its newest run and a summary of the range.
func (s *server) checks(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerLimit)
	defer cancel()
	now := time.Now()
	since, err := sinceOf(r.URL.Query())
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err.Error(), nil)
		return
	}
	rows, err := s.rows(ctx, now.Add(-since))
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, "the store does not answer", err)
		return
	}
	s.write(w, r, map[string]any{
		"title": s.Title, "version": s.Version, "location": s.Location,
		"now_ms": now.UnixMilli(), "since_ms": since.Milliseconds(), "checks": rows,
	})
}

func (s *server) rows(ctx context.Context, from time.Time) ([]checkView, error) {
	buckets, err := s.Store.Summarize(ctx, results.Query{Since: from}, 0)
	if err != nil {
		return nil, fmt.Errorf("summarize: %w", err)
	}
	rows := make([]checkView, 0, len(s.Checks))
	place := map[string]int{}
	for _, c := range s.Checks {
		place[c.Name] = len(rows)
		rows = append(rows, checkView{Name: c.Name, Kind: c.Kind, EveryMS: c.Every.Milliseconds(), Labels: c.Labels})
	}
	for _, b := range buckets {
		i, known := place[b.Check]
		if !known { // run by hand, or no longer configured
			i = len(rows)
			place[b.Check] = i
			rows = append(rows, checkView{Name: b.Check})
		}
		rows[i].summary = viewSummary(b)
	}
	for i := range rows {
		for r, err := range s.Store.Select(ctx, results.Query{Check: rows[i].Name, Limit: 1}) {
			if err != nil {
				return nil, fmt.Errorf("newest run of %s: %w", rows[i].Name, err)
			}
			last := viewRun(&r)
			rows[i].Last = &last
			if rows[i].Kind == "" {
				rows[i].Kind, rows[i].Labels = r.Kind, r.Labels
			}
		}
	}
	return rows, nil
}

// results answers with the newest runs of one check, whole.
func (s *server) results(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerLimit)
	defer cancel()
	q, err := runsQuery(r.URL.Query())
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err.Error(), nil)
		return
	}
	runs := []results.Result{}
	for res, err := range s.Store.Select(ctx, q) {
		if err != nil {
			s.fail(w, r, http.StatusInternalServerError, "the store does not answer", err)
			return
		}
		runs = append(runs, res)
	}
	s.write(w, r, map[string]any{"results": runs})
}

func runsQuery(v url.Values) (results.Query, error) {
	q := results.Query{Check: v.Get("check"), Limit: defaultRuns}
	if q.Check == "" {
		return q, errors.New("check: got none, want the name of a check")
	}
	if text := v.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostRuns {
			return q, fmt.Errorf("limit: got %q, want 1 to %d", text, mostRuns)
		}
		q.Limit = n
	}
	if text := v.Get("until_ms"); text != "" {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return q, fmt.Errorf("until_ms: got %q, want milliseconds since 1970", text)
		}
		q.Until = time.UnixMilli(ms)
	}
	return q, nil
}

func sinceOf(v url.Values) (time.Duration, error) {
	text := v.Get("since")
	if text == "" {
		return defaultSince, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < minSince || d > maxSince {
		return 0, fmt.Errorf("since: got %q, want %v to %v, such as 15m", text, minSince, maxSince)
	}
	return d, nil
}
