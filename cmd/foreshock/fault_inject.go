package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/faults"
)

// A faultOrder is what the command line of inject asks for.
type faultOrder struct {
	settings map[string]string // keys of the kind's settings
	hold     time.Duration
	lease    time.Duration
	most     time.Duration
	dryRun   bool
	why      string
	audit    *string
	allow    string
	without  string
}

// settingFlags are the flags that become settings of the kind: the name of the flag,
// with _ for -, is the key. The kind says which of them it knows.
func settingFlags() []struct{ name, help string } {
	return []struct{ name, help string }{
		{"to", "the target: `HOST:PORT`, CIDR:PORT, or HOST with --ports; several with commas"},
		{"ports", "ports of hosts that name none, such as `5432,9000-9010`"},
		{"from", "source `ADDRESSES`, CIDRs or names"},
		{"protocol", "`tcp`, udp, icmp or all"},
		{"direction", "`out` (to the target), in (from it) or both"},
		{"user", "packets that this `USER`'s processes send"},
		{"cgroup", "packets that processes of this cgroup send (v2 `PATH`)"},
		{"netns", "network namespace: `NAME` under /run/netns, pid:N, container:ID or a path"},
		{"percent", "`PERCENTAGE` of the connections, each as a whole"},
		{"original-destination", "`true`: the target is a virtual address"},
		{"established", "drop: what open connections meet, `drop` or reset"},
		{"with", "reject: `REFUSAL` such as tcp-reset"},
		{"packets", "loss, corrupt, duplicate, reorder: `PERCENTAGE` of packets"},
		{"most", "connections: `NUMBER` that can be open"},
		{"beyond", "connections: what more of them meet, `drop` or reset"},
		{"answer", "dns: `refuse`, drop, nxdomain, servfail, rcode-refused, or addresses with commas"},
		{"answers", "dns: wrong answers by name, such as `db.example.com=192.0.2.7,*.example.org=nxdomain`"},
		{"latency", "latency: how `LONG` packets are held"},
		{"jitter", "latency: by how `MUCH` that varies"},
		{"distribution", "latency: of the jitter, `uniform` or normal"},
		{"rate", "bandwidth: `BYTES` or bits a second, such as 100kB/s or 1Mbit/s"},
		{"burst", "bandwidth: `BYTES` that pass at once after a silence"},
		{"queue", "bandwidth: `BYTES` that may wait in line"},
		{"by", "reorder: how `LONG` a packet waits to be overtaken"},
		{"between", "partition: one `GROUP` of hosts"},
		{"and", "partition: the other `GROUP`"},
		{"pid", "pause, kill: the process with this `NUMBER`"},
		{"container", "pause, kill: all processes of the container with this `ID`, or its beginning"},
		{"signal", "kill: `SIGNAL` to send, such as KILL or TERM"},
		{"ends-within", "kill: how `LONG` the processes may take to end"},
	}
}

// settingSwitches are flags without a value that become settings of the kind.
func settingSwitches() []struct{ name, help string } {
	return []struct{ name, help string }{
		{"tree", "pause, kill: the descendants of --pid too"},
		{"own-children", "pause, kill: processes that Foreshock started are meant too"},
		{"irreversible", "kill: needed, for nothing heals it: the processes stay dead unless somebody starts them again"},
	}
}

func faultInject(ctx context.Context, p *program, args []string) int {
	formats := []string{"text", "json"}
	f := p.newFlags("fault inject", "KIND (--to HOST:PORT | --pid NUMBER | --container ID) [--for 30s] [--lease 2s] [--dry-run] [--why TEXT]\n"+
		kindsOfFault(), formats...)
	o := faultOrder{settings: map[string]string{}, audit: f.auditFlag()}
	for _, s := range settingFlags() {
		f.Func(s.name, s.help, func(v string) error { o.settings[settingKey(s.name)] = v; return nil })
	}
	for _, s := range settingSwitches() {
		f.BoolFunc(s.name, s.help, func(v string) error { o.settings[settingKey(s.name)] = v; return nil })
	}
	const usual = 30 * time.Second
	f.DurationVar(&o.hold, "for", usual, "how `LONG` the fault lives at most")
	f.DurationVar(&o.lease, "lease", faults.DefaultLease, "how `LONG` it would outlive this command; a pause ends with it at once")
	f.DurationVar(&o.most, "max", faults.DefaultMaximum, "refuse faults that would live `LONGER`")
	f.BoolVar(&o.dryRun, "dry-run", false, "show rules and live connections, or processes and threads, and change nothing")
	f.StringVar(&o.why, "why", "", "`REASON`, for the audit")
	f.StringVar(&o.allow, "allow", "", "override `REFUSALS` of the guard: "+strings.Join(faults.Refusals(), ", "))
	f.StringVar(&o.without, "accept-missing", "", "inject although this kernel cannot keep `WORDS`: "+strings.Join(faults.Missables(), ", "))
	names, err := f.parse(args, formats...)
	if err == nil {
		err = o.times()
	}
	if err == nil && len(names) != 1 {
		err = fmt.Errorf("got %d kinds of fault %q, want one of %s", len(names), names, strings.Join(faults.Kinds().Names(), ", "))
	}
	if err != nil {
		return p.refused(err)
	}
	fault, err := faults.Kinds().BuildText(names[0], o.yaml())
	if err != nil {
		return p.wrong(err)
	}
	return p.inject(ctx, f, fault, o)
}

// times refuses what the kernel, which counts in whole seconds, could not keep.
func (o faultOrder) times() error {
	if o.hold < time.Second {
		return fmt.Errorf("--for: got %v, want at least 1s", o.hold)
	}
	if o.lease < time.Second || o.lease%time.Second != 0 {
		return fmt.Errorf("--lease: got %v, want whole seconds, at least 1s", o.lease)
	}
	return nil
}

// kindsOfFault says of each kind in a line what it does.
func kindsOfFault() string {
	var b strings.Builder
	for _, k := range faults.Kinds() {
		fmt.Fprintf(&b, "\n  %-11s  %s", k.Name, k.Summary)
	}
	return b.String()
}

// settingKey is the key of the settings that a flag is for.
func settingKey(flag string) string { return strings.ReplaceAll(flag, "-", "_") }

// yaml writes the flags as the settings of a scenario file.
func (o faultOrder) yaml() string {
	lists := []string{"to", "ports", "from", "between", "and", "answer"}
	var b strings.Builder
	for _, s := range slices.Concat(settingFlags(), settingSwitches()) {
		key := settingKey(s.name)
		v, ok := o.settings[key]
		if !ok {
			continue
		}
		text := strconv.Quote(v)
		if parts := strings.Split(v, ","); len(parts) > 1 && slices.Contains(lists, key) {
			for n := range parts {
				parts[n] = strconv.Quote(strings.TrimSpace(parts[n]))
			}
			text = "[" + strings.Join(parts, ", ") + "]"
		}
		if key == "answers" {
			text = answersYAML(v)
		}
		fmt.Fprintf(&b, "%s: %s\n", key, text)
	}
	return b.String()
}

func (p *program) inject(ctx context.Context, f *flags, fault faults.Fault, o faultOrder) int {
	guard, err := p.guardByHand(f.config)
	if err != nil {
		return p.wrong(err)
	}
	run := "by-hand-" + strings.ToLower(rand.Text()[:8])
	until := time.Now().Add(o.hold).Truncate(time.Second) // the kernel counts in whole seconds
	if time.Until(until) < o.hold/2 {
		until = until.Add(time.Second)
	}
	options := faults.Options{Run: run, Name: "by-hand", Until: until, Lease: o.lease, Why: o.why, Without: listed(o.without)}
	guard.Maximum, guard.Allow = o.most, listed(o.allow)
	asked := options
	asked.Until = time.Now().Add(o.hold) // the rounding is ours
	for _, word := range guard.Allow {
		if !slices.Contains(faults.Refusals(), word) {
			return p.wrong(fmt.Errorf("--allow: got %q, want one of %s", word, strings.Join(faults.Refusals(), ", ")))
		}
	}
	for _, word := range options.Without {
		if !slices.Contains(faults.Missables(), word) {
			return p.wrong(fmt.Errorf("--accept-missing: got %q, want one of %s", word, strings.Join(faults.Missables(), ", ")))
		}
	}
	if o.dryRun {
		return p.dryRun(ctx, f.output, fault, asked, guard)
	}
	if err := faults.Allowed(p.env, false); err != nil {
		return p.stopped(err)
	}
	if err := guard.Check(ctx, fault, asked); err != nil {
		return p.stopped(err)
	}
	audit, err := p.openAudit(*o.audit)
	if err != nil {
		return p.stopped(err)
	}
	in, err := (&faults.Injector{Audit: audit}).Install(ctx, fault, options)
	if err != nil {
		return p.stopped(err)
	}
	return p.hold(ctx, f.output, fault, in, options)
}

// listed cuts words at commas and spaces.
func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// guardByHand knows what the configuration, if one is named, says of Foreshock.
func (p *program) guardByHand(path string) (_ faults.Guard, err error) {
	a := p.bare(false)
	if path != "" {
		if a.cfg, err = a.load(path, p.env); err != nil {
			return faults.Guard{}, err
		}
	}
	return a.guard(p.env)
}

// stopped tells a refusal from what could not be done.
func (p *program) stopped(err error) int {
	fmt.Fprintln(p.stderr, "foreshock:", err)
	if errors.Is(err, faults.ErrRefused) || errors.Is(err, faults.ErrNotAllowed) {
		return exitStopped
	}
	return exitUnsure
}

func (p *program) dryRun(ctx context.Context, format string, fault faults.Fault, o faults.Options, guard faults.Guard) int {
	plan, err := (&faults.Injector{}).Plan(ctx, fault, o)
	if err != nil {
		return p.stopped(err)
	}
	if format == "json" {
		_ = json.NewEncoder(p.stdout).Encode(plan)
	} else {
		fmt.Fprintf(p.stdout, "%s of %s (%s), until %s\n", fault.Kind(), fault.Target(), strings.Join(plan.Resolved, ", "), o.Until.Format(time.RFC3339))
		writeFaultPlan(p.stdout, "", fault, plan)
	}
	if err := errors.Join(faults.Allowed(p.env, false), guard.Check(ctx, fault, o)); err != nil {
		return p.stopped(err)
	}
	return exitYes
}

// watchEvery is how often a held fault is looked at: somebody may have healed it.
const watchEvery = time.Second

// hold arms the fault, waits for its end, removes it and tells what it did.
func (p *program) hold(ctx context.Context, format string, fault faults.Fault, in faults.Injection, o faults.Options) int {
	if e, err := in.Evidence(ctx); err == nil {
		for _, w := range e.Warnings {
			fmt.Fprintln(p.stderr, "foreshock: warning:", w)
		}
	}
	armed := in.Arm(ctx)
	if armed == nil && !faults.Irreversible(fault) {
		if format == "text" {
			fmt.Fprintf(p.stdout, "armed until %s (run %s); Ctrl-C heals it\n", o.Until.Format(time.RFC3339), o.Run)
		}
		p.wait(ctx, in, o.Until)
	}
	late := context.WithoutCancel(ctx)
	closed := in.Close(late)
	e, err := in.Evidence(late)
	if closed != nil {
		fmt.Fprintln(p.stderr, "foreshock:", closed)
		return exitLeft
	}
	err = errors.Join(armed, err)
	if err == nil || e.Irreversible && !e.FirstHit.IsZero() { // what cannot be taken back is told in any case
		p.printEvidence(format, e)
	}
	if err != nil {
		return p.stopped(err)
	}
	switch {
	case e.Packets == 0 || e.Tampered != "":
		return exitNothing
	case ctx.Err() != nil:
		return exitStopped
	}
	return exitYes
}

func (p *program) wait(ctx context.Context, in faults.Injection, until time.Time) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if e, err := in.Evidence(ctx); err == nil && e.HealedBy != "" {
				return
			}
		}
	}
}
