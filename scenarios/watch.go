package scenarios

import (
	"context"
	"sync"
	"time"

	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

// watchEvery is how often a check that a scenario names runs meanwhile.
const watchEvery = time.Second

// A watcher runs the checks that a scenario names, each on its own, until its context
// ends.
type watcher struct {
	runner *run.Runner
	run    string
	pulse  *pulse
	saw    func(r results.Result, starved time.Duration)
	wanted context.Context //nolint:containedctx // it ends the loops and not the runs
	wg     sync.WaitGroup
}

// start runs the named checks until no more are wanted; wait waits for the last runs.
// These end by themselves: one that is cut short would look like trouble. ctx cuts
// them short all the same.
func (w *watcher) start(ctx context.Context, names []string) {
	for _, name := range names {
		w.wg.Go(func() {
			for ctx.Err() == nil && w.wanted.Err() == nil {
				begin, before := time.Now(), w.pulse.hunger()
				// A result that could not be stored is still a result; the hub has said so.
				res, _ := w.runner.Run(ctx, w.runner.Now(name, w.run))
				if ctx.Err() == nil {
					w.saw(res, w.pulse.hunger().since(before))
				}
				if sleep(w.wanted, time.Until(begin.Add(watchEvery))) != nil { //nolint:contextcheck // it ends the waiting, ctx the runs
					return
				}
			}
		})
	}
}

func (w *watcher) wait() { w.wg.Wait() }
