package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
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

// work answers each line of "RUNS ATONCE JOURNEY" on standard input with the times that
// the runs took, in milliseconds, as one line of JSON.
func work(ctx context.Context, name, browser, base string) error {
	dir, err := os.MkdirTemp("", "foreshock-bench-journey-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	walks := map[string]*journeys.Journey{}
	for name, text := range map[string]string{"form": formJourney, "trivial": trivialJourney} {
		if walks[name], err = read(filepath.Join(dir, name+".yaml"), fmt.Sprintf(text, base)); err != nil { //nolint:contextcheck // reading has its own limits
			return err
		}
	}
	newPool := func() *journeys.Pool {
		return journeys.NewPool(journeys.PoolOptions{Browser: browser, Max: 8, Dir: dir}, slog.New(slog.DiscardHandler))
	}
	pool := newPool()
	defer func() { _ = pool.Close(context.WithoutCancel(ctx)) }()
	one := func(ctx context.Context, j *journeys.Journey) error { return run(ctx, j, pool) }
	if name == "fresh" {
		one = func(ctx context.Context, j *journeys.Journey) error {
			p := newPool()
			return errors.Join(run(ctx, j, p), p.Close(ctx))
		}
	}
	in, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for in.Scan() {
		var runs, atOnce int
		var journey string
		if _, err := fmt.Sscan(in.Text(), &runs, &atOnce, &journey); err != nil || walks[journey] == nil {
			return fmt.Errorf("got %q, want RUNS ATONCE JOURNEY: %w", in.Text(), err)
		}
		took, err := many(ctx, func(ctx context.Context) error { return one(ctx, walks[journey]) }, runs, atOnce)
		if err != nil {
			return err
		}
		if err := out.Encode(took); err != nil {
			return err
		}
	}
	return in.Err()
}

// read makes a journey out of a text.
func read(file, text string) (*journeys.Journey, error) {
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	none := func(string) (string, bool) { return "", false }
	return journeys.Load(file, &kind.Vars{Env: none, Secrets: &kind.Secrets{}}, nil)
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
