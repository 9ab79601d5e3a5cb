package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// flags is a flag set that takes flags and arguments in any order, as people type them.
type flags struct {
	*flag.FlagSet
	config string
	output string
	note   string // printed below the flags
}

// newFlags makes the flags of a command. formats are the values of -o, the first is
// the default; no formats, no -o.
func (p *program) newFlags(name, arguments string, formats ...string) *flags {
	f := &flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError)}
	f.SetOutput(p.stderr)
	f.StringVar(&f.config, "c", "", "configuration `FILE`; results go to its store")
	if len(formats) > 0 {
		f.StringVar(&f.output, "o", formats[0], "output `FORMAT`: "+strings.Join(formats, ", "))
	}
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "usage: foreshock %s\n\n", strings.TrimSpace(name+" "+arguments))
		f.describe()
	}
	return f
}

// describe lists the flags as people write them.
func (f *flags) describe() {
	w := tabwriter.NewWriter(f.Output(), 0, 0, 2, ' ', 0)
	f.VisitAll(func(x *flag.Flag) {
		if x.Usage == "" { // another name of a flag that is listed
			return
		}
		value, text := flag.UnquoteUsage(x)
		dashes := "--"
		if len(x.Name) == 1 {
			dashes = "-"
		}
		if x.DefValue != "" && x.DefValue != "false" && x.DefValue != "0" {
			text += " (default " + x.DefValue + ")"
		}
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(dashes+x.Name+" "+value), text)
	})
	_ = w.Flush()
	if f.note != "" {
		fmt.Fprintf(f.Output(), "\n%s\n", f.note)
	}
}

// also gives a flag other names, for those who come from another program.
func (f *flags) also(name string, others ...string) {
	for _, other := range others {
		f.Var(f.Lookup(name).Value, other, "")
	}
}

// errUsage is returned after the flag package has said what was wrong.
var errUsage = errors.New("usage")

// parse returns the arguments that are no flags.
func (f *flags) parse(args []string, formats ...string) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, flag.ErrHelp
			}
			return nil, errUsage
		}
		args = f.Args()
		if len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	if len(formats) > 0 && !slices.Contains(formats, f.output) {
		return nil, fmt.Errorf("-o: got %q, want one of %s", f.output, strings.Join(formats, ", "))
	}
	return rest, nil
}

// refused turns an error of parse into an exit code.
func (p *program) refused(err error) int {
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitYes
	case errors.Is(err, errUsage):
		return exitUsage
	}
	return p.wrong(err)
}

// span reads a duration that may count days, such as 30d.
func span(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err == nil && n > 0 {
			return time.Duration(n * 24 * float64(time.Hour)), nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("got %q, want a time such as 15m, 24h or 30d", s)
	}
	return d, nil
}
