package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/kind"
)

func runConfig(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "config command", []command{{"validate", "", configValidate}, {"schema", "", configSchema}, {"kinds", "", configKinds}}, args)
}

func configValidate(_ context.Context, p *program, args []string) int {
	f := p.newFlags("config validate", "[-c foreshock.yaml]")
	rest, err := f.parse(args)
	if err != nil {
		return p.refused(err)
	}
	if f.config == "" {
		f.config = "foreshock.yaml"
	}
	for _, path := range append(rest, f.config)[:max(1, len(rest))] {
		cfg, err := p.bare(false).load(path, p.env)
		if err != nil {
			return p.wrong(err)
		}
		fmt.Fprintf(p.stdout, "%s: valid, %d checks\n", path, len(cfg.Entries))
	}
	return exitYes
}

func configKinds(_ context.Context, p *program, args []string) int {
	f := p.newFlags("config kinds", "")
	if _, err := f.parse(args); err != nil {
		return p.refused(err)
	}
	kinds := p.bare(false).kinds()
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, k := range kinds.Checks(&kind.Vars{Env: p.env}) {
		fmt.Fprintf(w, "check\t%s\t%s\n", k.Name, k.Summary)
	}
	for _, k := range faults.ScenarioKinds() {
		fmt.Fprintf(w, "fault\t%s\t%s\n", k.Name, k.Summary)
	}
	for _, k := range kinds.Sinks {
		fmt.Fprintf(w, "sink\t%s\t%s\n", k.Name, k.Summary)
	}
	_ = w.Flush()
	return exitYes
}
