package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"text/tabwriter"
	"time"

	"github.com/foreshock/foreshock/faults"
)

func runFault(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "fault command", []command{{"inject", "", faultInject}, {"list", "", faultList}, {"heal", "", faultHeal}}, args)
}

func faultList(ctx context.Context, p *program, args []string) int {
	formats := []string{"text", "json"}
	f := p.newFlags("fault list", "[-o text|json]", formats...)
	netns := f.String("netns", "", "network namespace: `NAME` under /run/netns, pid:N, container:ID or a path (default: all that there is a way to)")
	if _, err := f.parse(args, formats...); err != nil {
		return p.refused(err)
	}
	var found []faults.Active
	err := everywhere(*netns, func(in *faults.Injector) error {
		list, err := in.List(ctx)
		found = append(found, list...)
		return err
	})
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
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", orNone(a.Run), orNone(a.Name), orNone(a.Kind), orNone(a.To), state(a),
			moment(a.Since), moment(a.Until), a.Packets)
	}
	_ = w.Flush()
	return exitYes
}

// orNone stands for what is not known: an owner may have died before its first rule.
func orNone(text string) string { return cmp.Or(text, "-") }

func moment(t time.Time) string {
	if t.IsZero() {
		return orNone("")
	}
	return t.Format(time.RFC3339)
}

func state(a faults.Active) string {
	switch {
	case a.Silent != "":
		return "unknown: " + a.Silent
	case a.Armed && a.Owned:
		return "armed"
	case a.Armed && a.Lease == 0:
		return "armed, owner gone, no lease: ends at its hard end"
	case a.Armed:
		return "armed, owner gone: ends with its lease"
	case a.Owned:
		return "disarmed"
	}
	return "left behind, inert"
}

// everywhere does something in a namespace, or in every one that there is a way to. Of
// those, only the first, which is our own, must be open to us: what we may not enter
// we cannot have broken.
func everywhere(netns string, do func(*faults.Injector) error) error {
	if netns != "" {
		return do(&faults.Injector{Netns: netns})
	}
	var errs []error
	for n, word := range faults.Namespaces() {
		err := do(&faults.Injector{Netns: word})
		if n > 0 && (errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)) {
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func faultHeal(ctx context.Context, p *program, args []string) int {
	f := p.newFlags("fault heal", "NAME... | --all")
	all := f.Bool("all", false, "remove every trace of every run")
	netns := f.String("netns", "", "network namespace: `NAME` under /run/netns, pid:N, container:ID or a path (default: all that there is a way to)")
	auditFile := f.auditFlag()
	names, err := f.parse(args)
	if err == nil && *all == (len(names) > 0) {
		err = errors.New("want the names or run ids of faults (see: foreshock fault list), or --all")
	}
	if err != nil {
		return p.refused(err)
	}
	look := func(in *faults.Injector) error { _, err := in.List(ctx); return err }
	if err := everywhere(*netns, look); err != nil { // without a look nobody knows whether something is left
		return p.unsure(err)
	}
	audit := p.auditIfPossible(*auditFile)
	var healed []faults.Active
	err = everywhere(*netns, func(in *faults.Injector) error {
		in.Audit = audit
		if *all {
			h, err := in.HealAll(ctx)
			healed = append(healed, h...)
			return err
		}
		var errs []error
		for _, name := range names {
			h, err := in.Heal(ctx, name)
			healed = append(healed, h...)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
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
