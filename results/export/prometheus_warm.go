package export

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/foreshock/foreshock/results"
)

const (
	// warmResults is how many results of a check are looked at: slots may have been
	// missed since its last run, and it may be looked at from several locations.
	warmResults = 30
	// warmTime is how far back scenarios and faults are looked for.
	warmTime = 30 * 24 * time.Hour
)

// Warm takes from the store what a restart does not change: the newest states of the
// named checks, and of the scenarios and faults of the last 30 days. Counters and
// histograms start at zero, as after every restart. Records that come in meanwhile
// wait, so that none is overtaken by its past. What cannot be read is left out, and
// why is in the error.
func (p *Prometheus) Warm(ctx context.Context, store results.Store, checks []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := slices.Clone(checks)
	var errs []error
	for e, err := range store.Events(ctx, results.Query{Since: time.Now().Add(-warmTime)}) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case e.Kind == results.EventScenario && !slices.Contains(names, e.Subject): // run by hand
			names = append(names, e.Subject)
		case e.Kind == results.EventFault:
			p.fault(&e)
		}
	}
	for _, name := range names {
		errs = append(errs, p.warm(ctx, store, name))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("metrics from before the start: %w", err)
	}
	return nil
}

// warm moves the gauges to the last results of a check, oldest first.
func (p *Prometheus) warm(ctx context.Context, store results.Store, check string) error {
	var recent []results.Result
	for r, err := range store.Select(ctx, results.Query{Check: check, Limit: warmResults}) {
		if err != nil {
			return err
		}
		recent = append(recent, r)
	}
	for _, r := range slices.Backward(recent) {
		if c, late := p.of(&r); !late {
			p.newest(c, &r)
		}
	}
	return nil
}
