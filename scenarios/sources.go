package scenarios

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
)

// A try is a connection attempt that the kernel saw, whoever made it.
type try struct {
	at       time.Duration
	from, to netip.Addr
}

func newTry(a faults.Attempt, started time.Time) try {
	return try{a.At.Sub(started), a.Source.Addr(), a.Target.Addr()}
}

// ours picks the attempts of the service that is judged out of those of everybody. A
// source that calls the dependency while nobody calls the service is somebody else. If
// several are left, each may be a replica with a breaker of its own: doubt says so.
func ours(tries []try, o *verdict.Observed, shared bool) (at []time.Duration, doubt string) {
	sources := addresses(tries, func(t try) netip.Addr { return t.from })
	if len(sources) > 1 {
		quiet := slices.DeleteFunc(slices.Clone(sources), func(s netip.Addr) bool { return idles(tries, s, o.Idle) })
		if len(quiet) > 0 {
			sources = quiet
		}
		if len(sources) > 1 && !shared {
			sources, doubt = mostly(tries, sources, o)
		}
		tries = slices.DeleteFunc(slices.Clone(tries), func(t try) bool { return !slices.Contains(sources, t.from) })
	}
	if len(addresses(tries, func(t try) netip.Addr { return t.to })) > 1 {
		tries = oneAddress(tries, o)
	}
	for _, t := range tries {
		at = append(at, t.at)
	}
	return at, doubt
}

func addresses(tries []try, of func(try) netip.Addr) (out []netip.Addr) {
	for _, t := range tries {
		if a := of(t); !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

func idles(tries []try, source netip.Addr, idle verdict.Span) bool {
	return slices.ContainsFunc(tries, func(t try) bool { return t.from == source && idle.Has(t.at) })
}

// mostly is the source that tries with nearly every call under the fault that tries at
// all, if there is one and the others hardly ever do.
func mostly(tries []try, sources []netip.Addr, o *verdict.Observed) (of []netip.Addr, doubt string) {
	if o.Armed.Start == 0 && o.Tried.Start == 0 {
		return sources, "" // there is nothing yet to tell them by
	}
	calls, by := 0, map[netip.Addr]int{}
	for _, w := range windows(o) {
		in := addresses(slices.DeleteFunc(slices.Clone(tries), func(t try) bool { return !w.Has(t.at) }), func(t try) netip.Addr { return t.from })
		if len(in) > 0 {
			calls++
		}
		for _, s := range in {
			by[s]++
		}
	}
	var often []netip.Addr
	for _, s := range sources {
		if by[s] > 0 && 10*by[s] >= 3*calls {
			often = append(often, s)
		}
	}
	if len(often) == 1 && 10*by[often[0]] >= 8*calls {
		return often, ""
	}
	var names []string
	for _, s := range sources {
		names = append(names, s.String())
	}
	return sources, fmt.Sprintf("they came from %d addresses (%s), and replicas have a breaker each: name them in target.instances, or declare scope: shared", len(sources), strings.Join(names, ", "))
}

// windows are the times of calls under a fault, and of all since the run went on after the
// recovery, each up to the next call.
func windows(o *verdict.Observed) (out []verdict.Span) {
	for i, c := range o.Calls {
		end := o.Ended
		if i+1 < len(o.Calls) {
			end = o.Calls[i+1].At
		}
		outage := o.Armed.Start > 0 && c.At >= o.Armed.Start && (o.Armed.End == 0 || c.At < o.Armed.End)
		under := outage || o.Tried.Has(c.At) || o.Later > 0 && c.At >= o.Later
		if under && !c.Apart {
			out = append(out, verdict.Span{Start: c.At, End: end})
		}
	}
	return out
}

// oneAddress leaves out the attempts of a call at other addresses of the same
// dependency: a client tries IPv6 and IPv4 side by side (RFC 8305) and means one call.
func oneAddress(tries []try, o *verdict.Observed) []try {
	spans := append(windows(o), o.Probe, o.Left, o.Crowd)
	out := slices.Clone(tries)
	for _, w := range spans {
		most, count := netip.Addr{}, map[netip.Addr]int{}
		for _, t := range out {
			if w.Has(t.at) {
				if count[t.to]++; count[t.to] > count[most] {
					most = t.to
				}
			}
		}
		out = slices.DeleteFunc(out, func(t try) bool { return w.Has(t.at) && t.to != most })
	}
	return out
}
