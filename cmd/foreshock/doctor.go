package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/journeys"
)

// doctorLimit is how long the whole look may take.
const doctorLimit = 30 * time.Second

// A finding is one thing that this machine has or lacks.
type finding struct {
	For    string `json:"for"` // what needs it
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Some   bool   `json:"optional,omitempty"` // only some checks or faults need it
	Detail string `json:"detail"`             // what was found, or how to get it
}

func runDoctor(ctx context.Context, p *program, args []string) int {
	if len(args) > 0 && args[0] == insideWord {
		return p.tryInside(ctx)
	}
	formats := []string{"text", "json"}
	f := p.newFlags("doctor", "[-o text|json]", formats...)
	if _, err := f.parse(args, formats...); err != nil {
		return p.refused(err)
	}
	ctx, cancel := context.WithTimeout(ctx, doctorLimit)
	defer cancel()
	var found []finding
	for _, look := range []func(context.Context) []finding{lookBrowser, lookContracts, lookFaults, p.lookAllowed, lookNamespaces} {
		found = append(found, look(ctx)...)
	}
	code := exitYes
	for _, x := range found {
		if !x.OK && !x.Some {
			code = exitNo
		}
	}
	if f.output == "json" {
		for _, x := range found {
			if err := json.NewEncoder(p.stdout).Encode(x); err != nil {
				return p.wrong(err)
			}
		}
		return code
	}
	p.printFindings(found)
	if code != exitYes {
		fmt.Fprintln(p.stdout, "\nWhat needs something that is missing is reported as unknown, never as an outage.")
	}
	return code
}

func (p *program) printFindings(found []finding) {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, x := range found {
		word := "ok"
		if x.Detail == "" {
			x.Detail = "there"
		}
		switch {
		case !x.OK && x.Some:
			word = "lacks"
		case !x.OK:
			word = "MISSING"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", word, x.For, x.Name, strings.Join(strings.Fields(x.Detail), " "))
	}
	_ = w.Flush()
}

func lookBrowser(ctx context.Context) []finding {
	x := finding{For: "journeys", Name: "browser"}
	path, err := journeys.FindBrowser(exec.LookPath)
	if err == nil {
		x.Detail, err = journeys.BrowserVersion(ctx, path)
		x.Detail = path + ", " + x.Detail
	}
	if err != nil {
		x.Detail = err.Error()
	}
	x.OK = err == nil
	if !x.OK {
		return []finding{x}
	}
	box := finding{For: "journeys", Name: "sandbox", OK: true, Detail: "on: pages are kept from this machine's files and processes"}
	if err := journeys.TrySandbox(ctx, path); err != nil {
		box.OK, box.Detail = false, err.Error()
	}
	return []finding{x, box}
}

func lookContracts(ctx context.Context) []finding {
	probe, err := (&contracts.Worker{}).Probe(ctx)
	x := finding{For: "contracts", Name: "libpact_ffi", OK: err == nil}
	x.Detail = fmt.Sprintf("%s in %s, by %s", probe.Library.Version, probe.Library.Path, probe.Worker)
	if err != nil {
		x.Detail = err.Error()
	}
	return []finding{x}
}

func lookFaults(ctx context.Context) []finding {
	var out []finding
	for _, c := range (&faults.Injector{}).Probe(ctx) {
		x := finding{For: "faults", Name: c.Name, OK: c.OK, Some: !c.Needed, Detail: c.Detail}
		if !c.OK && c.For != "" {
			x.Detail = "without it no " + c.For + ": " + x.Detail
		}
		out = append(out, x)
	}
	c := faults.ProbeProcesses()
	return append(out, finding{For: "faults", Name: c.Name, OK: c.OK, Detail: c.Detail})
}

// lookAllowed says whether the operator allows faults here. That they are not allowed
// is a choice, not a lack.
func (p *program) lookAllowed(context.Context) []finding {
	x := finding{For: "faults", Name: "operator's mark", OK: true, Detail: "faults on this host are allowed"}
	if err := faults.Allowed(p.env, false); err != nil {
		x.Detail = "none: faults on this host are refused; FORESHOCK_CHAOS=allowed or " + faults.AllowedFile + " allows them"
	}
	return []finding{x}
}

// lookNamespaces tries to start a program in namespaces of its own, as the demo does.
func lookNamespaces(ctx context.Context) []finding {
	x := finding{For: "demo", Name: "namespaces", OK: true, Detail: "can be made"}
	if os.Geteuid() != 0 {
		x.Detail = "can be made without root"
	}
	if err := isolate.Try(ctx, "doctor", insideWord); err != nil {
		x.OK, x.Detail = false, err.Error()
	}
	return []finding{x}
}

// tryInside enters namespaces and leaves them.
func (p *program) tryInside(ctx context.Context) int {
	if _, _, err := isolate.Enter(ctx); err != nil {
		fmt.Fprintln(p.stderr, err)
		return exitNo
	}
	return exitYes
}
