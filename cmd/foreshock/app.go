package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/config"
	"github.com/foreshock/foreshock/internal/kind"
	runner "github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/journeys/sakuli"
	"github.com/foreshock/foreshock/probes"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/export"
	"github.com/foreshock/foreshock/results/sqlite"
	"github.com/foreshock/foreshock/scenarios"
	"github.com/foreshock/foreshock/scenarios/page"
)

// closeLimit is how long storing what is left and ending the browser may take.
const closeLimit = 10 * time.Second

// An app is everything that a configuration asks for, wired.
type app struct {
	cfg     *config.Config
	store   *sqlite.Store // nil without a configuration
	hub     *results.Hub  // nil without a configuration
	prom    *export.Prometheus
	pool    *journeys.Pool // nil until it is asked for, see pages
	pages   func() *journeys.Pool
	browser journeys.PoolOptions
	runner  *runner.Runner
	engine  *scenarios.Engine
	loader  scenarios.Loader
	audit   string // file that faults are written down in; empty is the default
}

// nowhere takes records where no configuration names a store.
type nowhere struct{}

func (nowhere) Publish(context.Context, ...results.Record) error { return nil }

// newApp wires what the configuration at path asks for; an empty path asks for
// nothing. ownNamespace says that we made the network namespace that we are in.
func (p *program) newApp(ctx context.Context, path string, ownNamespace bool) (*app, error) {
	a := p.bare(ownNamespace)
	var pub runner.Publisher = nowhere{}
	if path != "" {
		cfg, err := a.load(path, p.env)
		if err != nil {
			return nil, err
		}
		a.cfg, a.loader.Secrets = cfg, cfg.Secrets
		if err := a.openStore(ctx, p); err != nil {
			return nil, err
		}
		pub = a.hub
	}
	a.engine.Events = pub
	a.runner = runner.New(a.cfg.Location, pub, a.cfg.Secrets, p.log)
	a.engine.Runner = a.runner
	for _, e := range a.cfg.Entries {
		p.author.tune(&e)
		if err := a.runner.Add(e); err != nil {
			return nil, errors.Join(err, a.close(ctx))
		}
	}
	return a, nil
}

// openStore opens the store and puts the sinks behind it, each where it stopped.
func (a *app) openStore(ctx context.Context, p *program) (err error) {
	if a.store, err = sqlite.OpenKeeping(ctx, a.cfg.Store, a.cfg.Evidence); err != nil {
		return err
	}
	after := map[string]uint64{}
	for _, s := range a.cfg.Sinks {
		seq, known, err := a.store.Cursor(ctx, s.Name)
		if err == nil && !known {
			seq, err = a.store.Last(ctx)
		}
		if err != nil {
			return errors.Join(err, a.store.Close())
		}
		after[s.Name] = seq
	}
	a.hub = results.NewHub(a.store, p.log)
	for _, s := range a.cfg.Sinks {
		a.hub.AddSink(s.Name, s.Sink, after[s.Name])
	}
	return nil
}

// bare wires what needs no configuration.
func (p *program) bare(ownNamespace bool) *app {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	a := &app{cfg: &config.Config{Location: "local", Listen: config.DefaultListen, Secrets: &kind.Secrets{}}}
	a.prom = export.NewPrometheus(export.PrometheusOptions{Version: version(), Dropped: func() map[string]uint64 {
		if a.hub == nil {
			return nil
		}
		return a.hub.Dropped()
	}})
	a.browser = journeys.PoolOptions{NoSandbox: ownNamespace, Author: p.author.Authoring} // the demo's pages are our own
	a.pages = func() *journeys.Pool {
		if a.pool == nil {
			a.pool = journeys.NewPool(a.browser, p.log)
		}
		return a.pool
	}
	// What happens in a namespace that we made and that ends with us is nobody else's concern.
	audit := func() (*faults.Audit, error) { return nil, nil }
	if !ownNamespace {
		audit = func() (*faults.Audit, error) { return p.openAudit(a.audit) }
	}
	a.engine = &scenarios.Engine{
		Injector: &audited{open: audit}, Log: p.log, Version: version(), Host: host,
		Page:    func(w io.Writer, r *scenarios.Report) error { return page.Write(w, r) },
		Allowed: func() error { return faults.Allowed(p.env, ownNamespace) },
		Guard: func(ctx context.Context, f faults.Fault, o faults.Options) error {
			g, err := a.guard(p.env)
			if err != nil {
				return err
			}
			return g.Check(ctx, f, o)
		},
	}
	a.loader = scenarios.Loader{Checks: a.looks, Env: p.env, Secrets: a.cfg.Secrets}
	return a
}

// guard refuses faults that would cut off ssh or Foreshock itself.
func (a *app) guard(env func(string) (string, bool)) (faults.Guard, error) {
	shell, _ := env("SSH_CONNECTION")
	own, err := a.own()
	return faults.Guard{SSH: shell, Own: own}, err
}

// own are the addresses that Foreshock cannot do without: of its dashboard and API.
// Its store is a file, and Prometheus comes to fetch from that same address.
func (a *app) own() ([]netip.AddrPort, error) {
	addr, err := net.ResolveTCPAddr("tcp", a.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	own := addr.AddrPort()
	if !own.Addr().IsValid() { // :8440 is every address
		return []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Unspecified(), own.Port())}, nil
	}
	return []netip.AddrPort{netip.AddrPortFrom(own.Addr().Unmap(), own.Port())}, nil
}

// looks are the kinds of checks that look at something; a scenario may name them.
func (a *app) looks(vars *kind.Vars) kind.Table[results.Check] {
	return slices.Concat(
		probes.Kinds(),
		journeys.Kinds(a.pages(), vars.Dir, vars, sakuli.Format(a.pages(), a.engine.Log)),
		kind.Table[results.Check]{contracts.Kind(vars.Dir, &contracts.Worker{})},
	)
}

// kinds is everything that a configuration can name.
func (a *app) kinds() config.Kinds {
	return config.Kinds{
		Checks: func(vars *kind.Vars) kind.Table[results.Check] {
			loader := a.loader
			loader.Secrets = vars.Secrets
			return append(a.looks(vars), scenarios.Kind(a.engine, loader))
		},
		Sinks: export.Kinds(a.prom),
		Browser: func(n kind.Node) error {
			o, err := journeys.Options(n)
			o.NoSandbox, o.Author = o.NoSandbox || a.browser.NoSandbox, a.browser.Author
			a.browser = o
			return err
		},
		BrowserSchema: journeys.OptionsSchema,
	}
}

func (a *app) load(path string, env func(string) (string, bool)) (*config.Config, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("configuration: %w; -c FILE names another", err)
	}
	return config.Load(path, a.kinds(), env)
}

// close stores what is left, ends the browser and closes the store, even if ctx has ended.
func (a *app) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	var err error
	if a.pool != nil {
		err = a.pool.Close(ctx)
	}
	if a.hub != nil {
		err = errors.Join(err, a.hub.Close(ctx))
	}
	if a.store != nil {
		err = errors.Join(err, a.store.Close())
	}
	return err
}
