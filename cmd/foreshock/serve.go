package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/config"
	runner "github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
)

// downAfter is the silence from which a restart counts as having been down.
const downAfter = 30 * time.Second

func runServe(ctx context.Context, p *program, args []string) int {
	f := p.newFlags("serve", "[-c foreshock.yaml] [--listen HOST:PORT]")
	listen := f.String("listen", "", "`address` of the dashboard, instead of the configuration's")
	audit := f.auditFlag()
	if _, err := f.parse(args); err != nil {
		return p.refused(err)
	}
	if f.config == "" {
		f.config = "foreshock.yaml"
	}
	a, err := p.newApp(ctx, f.config, false)
	if err != nil {
		return p.wrong(err)
	}
	a.audit = *audit
	if *listen != "" {
		a.cfg.Listen = *listen
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Listen)
	if err != nil {
		return p.wrong(errors.Join(fmt.Errorf("listen: %w; another address: --listen HOST:PORT", err), a.close(ctx)))
	}
	a.cfg.Listen = ln.Addr().String() // the guard must know it, also of port 0
	err = p.serve(ctx, a, ln)
	if err = errors.Join(err, a.close(ctx)); err != nil {
		p.log.ErrorContext(ctx, "ended", "error", err)
		return exitUnsure
	}
	return exitYes
}

func (p *program) serve(ctx context.Context, a *app, ln net.Listener) error {
	p.sweep(ctx, p.auditTo(a.audit))
	if err := p.auditsScenarios(a); err != nil {
		p.log.WarnContext(ctx, "scheduled scenarios will be refused", "error", err)
	}
	a.closeOrphans(ctx, p.log)
	a.warmMetrics(ctx, p.log)
	if last := a.lastResult(ctx); !last.IsZero() && time.Since(last) > downAfter {
		a.publishDown(ctx, p.log, last, time.Now())
	}
	p.log.InfoContext(ctx, "serving", "dashboard", "http://"+ln.Addr().String()+"/", "checks", len(a.cfg.Entries), "store", a.cfg.Store)
	return a.watch(ctx, ln, p.log)
}

// auditsScenarios returns why the audit of the scenarios cannot be written, if there
// are any: what would be refused at night is better known at the start.
func (p *program) auditsScenarios(a *app) error {
	if !slices.ContainsFunc(a.cfg.Entries, func(e runner.Entry) bool { return e.Kind == "scenario" }) {
		return nil
	}
	_, err := p.openAudit(a.audit)
	return err
}

// sweep removes the rules that a crash left, before anything else.
func (p *program) sweep(ctx context.Context, audit *faults.Audit) {
	swept, err := (&faults.Injector{Audit: audit}).Sweep(ctx)
	for _, f := range swept {
		p.log.WarnContext(ctx, "removed the rules of a fault whose owner is gone", "run", f.Run, "kind", f.Kind, "to", f.To)
	}
	switch {
	case err != nil && len(swept) > 0: // not all could be removed, or written down
		p.log.ErrorContext(ctx, "left faults", "error", err)
	case err != nil:
		// Without iptables, or the right to use it, there is nothing of ours either.
		p.log.DebugContext(ctx, "no look for left faults", "error", err)
	}
}

// closeOrphans ends the events of faults and scenarios whose process was killed: the
// kernel ended those at their hard end at the latest.
func (a *app) closeOrphans(ctx context.Context, log *slog.Logger) {
	for ev, err := range a.store.Events(ctx, results.Query{}) {
		until, perr := time.Parse(time.RFC3339, ev.Labels[scenarios.UntilLabel])
		if err != nil || perr != nil || !ev.End.IsZero() || ev.Location != a.cfg.Location || time.Now().Before(until) {
			continue
		}
		ev.End = until.UTC()
		if err := a.hub.Publish(ctx, results.Record{Event: &ev}); err != nil {
			log.WarnContext(ctx, "event not stored", "kind", ev.Kind, "error", err)
		}
	}
}

// warmMetrics shows in the metrics what the store knows already: alerts must not end
// because we restart.
func (a *app) warmMetrics(ctx context.Context, log *slog.Logger) {
	if !slices.ContainsFunc(a.cfg.Sinks, func(s config.Sink) bool { return s.Sink == a.prom }) {
		return
	}
	var names []string
	for _, e := range a.cfg.Entries {
		names = append(names, e.Name)
	}
	if err := a.prom.Warm(ctx, a.store, names); err != nil {
		log.WarnContext(ctx, "metrics begin empty", "error", err)
	}
}

// lastResult is when the newest result in the store began.
func (a *app) lastResult(ctx context.Context) time.Time {
	for r, err := range a.store.Select(ctx, results.Query{Limit: 1}) {
		if err == nil {
			return r.Start.Add(r.Duration)
		}
	}
	return time.Time{}
}
