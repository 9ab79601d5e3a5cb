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
	saw    func(results.Result)
	wg     sync.WaitGroup
}

// start runs the named checks until ctx ends; wait waits for the last of them.
func (w *watcher) start(ctx context.Context, names []string) {
	for _, name := range names {
		w.wg.Go(func() {
			for ctx.Err() == nil {
				begin := time.Now()
				w.once(ctx, name)
				if sleep(ctx, time.Until(begin.Add(watchEvery))) != nil {
					return
				}
			}
		})
	}
}

func (w *watcher) wait() { w.wg.Wait() }

func (w *watcher) once(ctx context.Context, name string) {
	// A result that could not be stored is still a result; the hub has said so.
	res, _ := w.runner.Run(ctx, w.runner.Now(name, w.run))
	if ctx.Err() == nil {
		w.saw(res)
	}
}
