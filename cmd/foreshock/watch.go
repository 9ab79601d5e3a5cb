package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/foreshock/foreshock/internal/schedule"
	"github.com/foreshock/foreshock/internal/web"
	"github.com/foreshock/foreshock/results"
)

// watch runs the checks on schedule and serves the dashboard on ln until ctx ends.
func (a *app) watch(ctx context.Context, ln net.Listener, log *slog.Logger) error {
	var jobs []schedule.Job
	var infos []web.CheckInfo
	for _, e := range a.runner.Entries() {
		jobs = append(jobs, schedule.Job{
			Name: e.Name, Class: class(e.Kind), Every: e.Every, Cron: e.Cron, Timezone: e.Timezone,
			FirstRun: e.Cron == "" && e.Kind != "scenario", // a start must not break anything
		})
		infos = append(infos, web.CheckInfo{Name: e.Name, Kind: e.Kind, Every: e.Every, Labels: e.Labels})
	}
	s, err := schedule.New(jobs, a.runner, schedule.Options{
		Location: a.cfg.Location, Log: log,
		Lateness: a.prom.ObserveLateness,
		Gap:      func(from, to time.Time) { a.publishDown(ctx, log, from, to) },
	})
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: web.New(web.Options{
			Store: a.store, Live: a.hub, Checks: infos, Metrics: a.prom.Handler(),
			Version: version(), Location: a.cfg.Location, Log: log,
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var served error
	wg.Go(func() {
		defer cancel() // without its dashboard the program would look dead: it ends
		served = server.Serve(ln)
	})
	scheduled := s.Run(ctx)
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer done()
	err = errors.Join(scheduled, server.Shutdown(stop))
	wg.Wait()
	if !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("dashboard: %w", served))
	}
	return err
}

// class says what a run of a kind mostly costs.
func class(kind string) string {
	switch kind {
	case "journey":
		return schedule.Browser
	case "contract", "scenario":
		return schedule.Process
	}
	return schedule.Network
}

// publishDown puts a time in which nothing ran on the timeline.
func (a *app) publishDown(ctx context.Context, log *slog.Logger, from, to time.Time) {
	err := a.hub.Publish(context.WithoutCancel(ctx), results.Record{Event: &results.Event{
		Kind: results.EventDown, Subject: "foreshock", Location: a.cfg.Location, Start: from.UTC(), End: to.UTC(),
		Text: "Foreshock did not run",
	}})
	if err != nil {
		log.WarnContext(ctx, "event not stored", "kind", results.EventDown, "error", err)
	}
}
