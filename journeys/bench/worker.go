package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

const formJourney = `
name: form
steps:
  - step: log in
    do:
      - open: "%[1]s/"
      - wait_for: "#user"
      - type: {into: "#user", text: "ada@example.test"}
      - type: {into: "#password", text: "correct horse"}
      - click: "#go"
      - see: {text: "Welcome, ada@example.test", in: "#welcome"}
      - screenshot: welcome
`

const trivialJourney = `
name: trivial
steps:
  - step: look
    do: [{open: "%[1]s/"}, {see: Shop}]
`

// work answers each line of "RUNS ATONCE" on standard input with the times that the
// runs took, in milliseconds, as one line of JSON.
func work(ctx context.Context, name, browser, base string, trivial bool) error {
	text := formJourney
	if trivial {
		text = trivialJourney
	}
	dir, err := os.MkdirTemp("", "foreshock-bench-journey-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "form.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, text, base), 0o600); err != nil {
		return err
	}
	none := func(string) (string, bool) { return "", false }
	j, err := journeys.Load(file, &kind.Vars{Env: none, Secrets: &kind.Secrets{}}, nil)
	if err != nil {
		return err
	}
	newPool := func() *journeys.Pool {
		return journeys.NewPool(journeys.PoolOptions{Browser: browser, Max: 8, Dir: dir}, slog.New(slog.DiscardHandler))
	}
	pool := newPool()
	defer func() { _ = pool.Close(context.WithoutCancel(ctx)) }()
	one := func(ctx context.Context) error { return run(ctx, j, pool) }
	if name == "fresh" {
		one = func(ctx context.Context) error {
			p := newPool()
			err := run(ctx, j, p)
			if closeErr := p.Close(ctx); err == nil {
				err = closeErr
			}
			return err
		}
	}
	in, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for in.Scan() {
		var runs, atOnce int
		if _, err := fmt.Sscan(in.Text(), &runs, &atOnce); err != nil {
			return fmt.Errorf("got %q, want RUNS ATONCE: %w", in.Text(), err)
		}
		took, err := many(ctx, one, runs, atOnce)
		if err != nil {
			return err
		}
		if err := out.Encode(took); err != nil {
			return err
		}
	}
	return in.Err()
}

func run(ctx context.Context, j *journeys.Journey, pool *journeys.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rec := results.NewRecorder()
	r := rec.Finish(journeys.NewCheck(j, pool).Run(ctx, rec))
	if r.Status != results.OK {
		return fmt.Errorf("the journey is %v: %s", r.Status, r.Message)
	}
	return nil
}

// many does one runs times, atOnce at a time.
func many(ctx context.Context, one func(context.Context) error, runs, atOnce int) ([]float64, error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		took  []float64
		first error
	)
	left := make(chan struct{}, runs)
	for range runs {
		left <- struct{}{}
	}
	close(left)
	for range atOnce {
		wg.Go(func() {
			for range left {
				begin := time.Now()
				err := one(ctx)
				mu.Lock()
				took = append(took, float64(time.Since(begin))/float64(time.Millisecond))
				if first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return took, first
}
