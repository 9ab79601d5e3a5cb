package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/foreshock/foreshock/faults"
)

func runFault(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "fault command", []command{{"list", "", faultList}, {"heal", "", faultHeal}}, args)
}

func faultList(ctx context.Context, p *program, args []string) int {
	formats := []string{"text", "json"}
	f := p.newFlags("fault list", "[-o text|json]", formats...)
	if _, err := f.parse(args, formats...); err != nil {
		return p.refused(err)
	}
	found, err := (&faults.Injector{}).List(ctx)
	if err != nil {
		return p.unsure(err)
	}
	if f.output == "json" {
		for _, a := range found {
			if err := json.NewEncoder(p.stdout).Encode(a); err != nil {
				return p.unsure(err)
			}
		}
		return exitYes
	}
	if len(found) == 0 {
		fmt.Fprintln(p.stdout, "no faults")
		return exitYes
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tNAME\tKIND\tTO\tSTATE\tSINCE\tUNTIL\tPACKETS")
	for _, a := range found {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", a.Run, a.Name, a.Kind, a.To, state(a),
			a.Since.Format(time.RFC3339), a.Until.Format(time.RFC3339), a.Packets)
	}
	_ = w.Flush()
	return exitYes
}

func state(a faults.Active) string {
	switch {
	case a.Armed && a.Owned:
		return "armed"
	case a.Armed:
		return "armed, owner gone: ends with its lease"
	case a.Owned:
		return "disarmed"
	}
	return "left behind, inert"
}

func faultHeal(ctx context.Context, p *program, args []string) int {
	f := p.newFlags("fault heal", "NAME... | --all")
	all := f.Bool("all", false, "remove every trace of every run")
	names, err := f.parse(args)
	if err == nil && *all == (len(names) > 0) {
		err = errors.New("want the names or run ids of faults (see: foreshock fault list), or --all")
	}
	if err != nil {
		return p.refused(err)
	}
	in := &faults.Injector{}
	if _, err := in.List(ctx); err != nil { // without a look nobody knows whether something is left
		return p.unsure(err)
	}
	var healed []faults.Active
	if *all {
		healed, err = in.HealAll(ctx)
	}
	for _, name := range names {
		h, herr := in.Heal(ctx, name)
		healed = append(healed, h...)
		err = errors.Join(err, herr)
	}
	for _, a := range healed {
		fmt.Fprintf(p.stdout, "healed %s %s (run %s)\n", a.Kind, a.To, a.Run)
	}
	if err != nil {
		fmt.Fprintln(p.stderr, "foreshock:", err)
		return exitLeft
	}
	if len(healed) == 0 {
		fmt.Fprintln(p.stdout, "nothing to heal")
	}
	return exitYes
}
