package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
)

// Two demos run side by side, one as an ordinary user and one as whoever runs the
// tests, with the dashboard's port taken: each ends by itself with its verdict, its
// report and nothing left.
func TestDemoVerdicts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	before := firewall(t)
	on := startDemo(t, true, "--exit", "--listen", taken.Addr().String())
	off := startDemo(t, false, "--exit", "--breaker=off", "--listen", taken.Addr().String())
	for _, d := range []*demoRun{on, off} {
		if line, _, _ := strings.Cut(d.until(`.*\n`), "\n"); !strings.HasPrefix(line, "Dashboard: http://127.0.0.1:") || strings.HasSuffix(line, taken.Addr().String()+"/") {
			t.Errorf("first line: got %q, want the dashboard on a port that is free", line)
		}
	}
	if a, b := on.until(`http://\S+`), off.until(`http://\S+`); a == b {
		t.Errorf("both dashboards are at %s", a)
	}
	on.until("fault armed")
	if now := firewall(t); now != before {
		t.Errorf("the host's firewall during the fault:\n%s", now)
	}
	onNS, offNS := on.inside(), off.inside()
	if code := on.end(); code != exitYes {
		t.Errorf("exit code with breakers: got %d, want %d", code, exitYes)
	}
	if code := off.end(); code != exitNo {
		t.Errorf("exit code without breakers: got %d, want %d", code, exitNo)
	}
	on.gone(onNS)
	off.gone(offNS)
	if os.Getuid() == 0 && !strings.Contains(on.out.String(), "made without root") {
		t.Error("an ordinary user is not told that root was not needed")
	}
	for _, d := range []*demoRun{on, off} {
		if m := regexp.MustCompile("level=|\x1b\\[|\n\n\n|[ \t]\n").FindString(d.out.String()); m != "" {
			t.Errorf("%q among the demo's own words, want no log lines, colours, gaps or trailing spaces", m)
		}
	}
	wantPass(t, on.report())
	wantFail(t, off.report())
	if after := firewall(t); after != before {
		t.Errorf("the host's firewall afterwards:\n%s", after)
	}
}

// wantPass holds a report of a good breaker to what other programs rely on.
func wantPass(t *testing.T, r *scenarios.Report) {
	t.Helper()
	if r.Schema != "foreshock.scenario/1" || r.Scenario != "payments-outage" || r.Verdict != verdict.Pass || r.ExitCode != 0 {
		t.Errorf("got schema %q, scenario %q, verdict %v (%s), exit code %d", r.Schema, r.Scenario, r.Verdict, r.Reason, r.ExitCode)
	}
	if r.Run == "" || r.Host == "" || len(r.SHA256) != 64 || time.Since(r.Started) > time.Hour || r.DurationMS <= 0 {
		t.Errorf("run %q on %q of %q at %v for %v ms", r.Run, r.Host, r.Definition, r.Started, r.DurationMS)
	}
	passed := verdicts(r, verdict.Pass)
	for _, id := range []string{
		"trips-at-threshold", "quiet-while-open", "fails-fast", "closes-on-success", "isolated", "answer-while-open",
		"not-before-threshold", "half-open-limit", "reopens-on-failed-probe", "no-herd-on-recovery", "self-report-agrees", "not-stuck", "retry-discipline",
	} {
		if !slices.Contains(passed, id) {
			t.Errorf("property %s is not among those that passed: %v", id, passed)
		}
	}
	if len(r.Faults) != 1 {
		t.Fatalf("faults: got %d, want 1", len(r.Faults))
	}
	f := r.Faults[0]
	if f.Kind != "drop" || f.To != "127.0.0.1:9002" || f.Packets == 0 || f.Attempts == 0 || f.HealedBy != "owner" || len(f.Rules) == 0 {
		t.Errorf("fault: got %+v", f)
	}
	if !(0 < f.ArmedMS && f.ArmedMS <= f.FirstHitMS && f.FirstHitMS < f.HealedMS && f.HealedMS < r.DurationMS) {
		t.Errorf("armed at %v ms, first hit %v, healed %v, of %v", f.ArmedMS, f.FirstHitMS, f.HealedMS, r.DurationMS)
	}
	if !slices.ContainsFunc(r.Checks, func(c scenarios.CheckLine) bool {
		return c.Name == "buy-a-mug" && c.Status == results.OK && c.AtMS > f.ArmedMS && c.AtMS < f.HealedMS &&
			(c.Phase == "open" || c.Phase == "half-open") && c.Message == "Order placed, we will charge you later"
	}) {
		t.Errorf("no customer was promised a later charge while the fault held: %+v", r.Checks)
	}
	var names []string
	for _, p := range r.Phases {
		names = append(names, p.Name)
		if p.Name == "open" && (p.Attempts != 0 || p.Calls == 0 || p.Rejected != p.Calls) {
			t.Errorf("while open: %+v", p)
		}
	}
	// It tries again and again while payments is away: how often depends on the machine.
	got := strings.ReplaceAll(strings.Join(names, " ")+" ", "open half-open ", "")
	if got != "idle baseline closed closed recovered " || len(names) < 9 {
		t.Errorf("phases: got %s", names)
	}
}

// wantFail holds a report without a breaker to what other programs rely on.
func wantFail(t *testing.T, r *scenarios.Report) {
	t.Helper()
	if r.Verdict != verdict.Fail || r.ExitCode != 1 {
		t.Errorf("got verdict %v (%s), exit code %d", r.Verdict, r.Reason, r.ExitCode)
	}
	failed := verdicts(r, verdict.Fail)
	for _, id := range []string{"trips-at-threshold", "quiet-while-open", "fails-fast"} {
		if !slices.Contains(failed, id) || !strings.Contains(r.Reason, id) {
			t.Errorf("property %s: want it among the failed %v and in the reason %q", id, failed, r.Reason)
		}
	}
	if len(r.Faults) != 1 || r.Faults[0].HealedBy != "owner" || r.Faults[0].Packets == 0 {
		t.Errorf("faults: got %+v", r.Faults)
	}
}

// verdicts lists the ids of the properties with a verdict.
func verdicts(r *scenarios.Report, v verdict.Verdict) (ids []string) {
	for _, p := range r.Properties {
		if p.Verdict == v {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// Without --exit the shop and the page stay up, journeys go on as scheduled, and
// Ctrl-C ends everything with the verdict's exit code.
func TestDemoStays(t *testing.T) {
	t.Parallel()
	d := startDemo(t, true)
	if page := d.get("/"); !strings.Contains(page, "<html") {
		t.Errorf("page: got %q", page)
	}
	d.until("Ctrl-C ends everything")
	ns := d.inside()
	checks := d.get("/api/v1/checks")
	for _, name := range []string{"storefront", "catalog", "payments-port", "buy-a-mug", "catalog-contract"} {
		if !strings.Contains(checks, `"`+name+`"`) {
			t.Errorf("the page knows no check %s: %s", name, checks)
		}
	}
	d.within(5*time.Second, "no report", func() bool { info, err := os.Stat(d.json); return err == nil && info.Size() > 0 })
	r := d.report()
	if want := `foreshock_scenario_verdict{scenario="payments-outage",verdict="` + r.Verdict.String() + `"} 1`; !strings.Contains(d.get("/metrics"), want) {
		t.Errorf("metrics: want %s", want)
	}
	count := func() string {
		for line := range strings.Lines(d.get("/metrics")) {
			if strings.HasPrefix(line, "foreshock_check_runs_total{check=\"buy-a-mug\"") && strings.Contains(line, `status="ok"`) {
				return line
			}
		}
		return ""
	}
	first := count()
	d.within(30*time.Second, "no more journeys than "+first, func() bool { return count() != first })
	d.signal(syscall.SIGINT)
	if code := d.end(); code != r.ExitCode {
		t.Errorf("exit code: got %d, want the verdict's, %d", code, r.ExitCode)
	}
	d.gone(ns)
}

// Ctrl-C under the fault heals it, and the report says so.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	d := startDemo(t, false, "--exit")
	d.until("fault armed")
	ns := d.inside()
	d.signal(syscall.SIGINT)
	if code := d.end(); code != exitStopped {
		t.Errorf("exit code: got %d, want %d", code, exitStopped)
	}
	d.gone(ns)
	r := d.report()
	if r.Verdict != verdict.Aborted || len(r.Faults) != 1 || r.Faults[0].HealedBy != "owner" {
		t.Errorf("got verdict %v (%s), faults %+v", r.Verdict, r.Reason, r.Faults)
	}
}

// kill -9 at any moment leaves nothing.
func TestDemoKilled(t *testing.T) {
	t.Parallel()
	for i, after := range []time.Duration{0, 3, 6, 12, 25, 50, 100, 200} {
		d := startDemo(t, i%2 == 0, "--exit")
		time.Sleep(after * time.Millisecond) //nolint:durationcheck // the list is in milliseconds; the moment is the case
		d.kill()
	}
	moments := []string{"1. The shop is watched", "fault armed", "4. The verdict"}
	demos := make([]*demoRun, len(moments))
	for i := range demos {
		demos[i] = startDemo(t, i == 1)
	}
	for i, d := range demos {
		d.until(moments[i])
		if ns := d.inside(); ns == "" || len(processes(ns, d.dir)) < 4 {
			t.Errorf("processes at %q in namespace %q: got %q, want the demo's", moments[i], ns, processes(ns, d.dir))
		}
		d.kill()
	}
}

// kill does it, and holds the demo to having left nothing.
func (d *demoRun) kill() {
	d.t.Helper()
	ns := d.inside()
	d.signal(syscall.SIGKILL)
	d.end()
	d.gone(ns)
}

// Without its tools the demo says which are missing and how to get them, goes on with
// what is there, and blames nobody.
func TestDemoWithoutTools(t *testing.T) {
	t.Parallel()
	needDemo(t)
	d := startDemoUnder(t, without(t, append(browserFiles(), iptablesFiles()...)...), "--exit")
	if code := d.end(); code != exitUnsure {
		t.Errorf("exit code without iptables: got %d, want %d", code, exitUnsure)
	}
	d.gone("")
	for _, want := range []string{"apt-get install iptables", "apt-get install chromium-headless-shell", "foreshock doctor"} {
		if !strings.Contains(d.out.String(), want) {
			t.Errorf("no word of %q", want)
		}
	}
	if r := d.report(); r.Verdict != verdict.Inconclusive || len(r.Faults) > 0 || !strings.Contains(r.Reason, "iptables is not installed") {
		t.Errorf("got verdict %v (%s), faults %+v", r.Verdict, r.Reason, r.Faults)
	}

	d = startDemoUnder(t, without(t, browserFiles()...), "--exit")
	if code := d.end(); code != exitUnsure {
		t.Errorf("exit code without a browser: got %d, want %d", code, exitUnsure)
	}
	d.gone("")
	r := d.report()
	if unsure := verdicts(r, verdict.Inconclusive); !slices.Equal(unsure, []string{"answer-while-open"}) || len(verdicts(r, verdict.Fail)) > 0 {
		t.Errorf("inconclusive: got %v, want answer-while-open alone, and none that failed", unsure)
	}
	if !regexp.MustCompile(`unknown +journey +buy-a-mug`).MatchString(d.out.String()) || !regexp.MustCompile(`ok +http +storefront`).MatchString(d.out.String()) {
		t.Error("want the journey unknown and the storefront ok")
	}
}

// Where namespaces are forbidden, the demo names the setting.
func TestDemoForbidden(t *testing.T) {
	t.Parallel()
	needDemo(t)
	forbid := "echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs \"$@\""
	d := startDemoUnder(t, []string{"unshare", "--user", "--map-root-user", "sh", "-euc", forbid, "sh"}, "--exit")
	if code := d.end(); code != exitUnsure || !strings.Contains(d.out.String(), "as root: sysctl user.max_user_namespaces=") {
		t.Errorf("exit code %d, want %d and the setting", code, exitUnsure)
	}
	d.gone("")
}

// What the inner demo tells goes to the files that were asked for, and half of it to none.
func TestDemoReport(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		`{"scenario": "outage", "verdict": "fail"}`: "<title>outage: fail</title>",
		`{"scenario": "outage", "ver`:               "",
		"":                                          "",
	} {
		dir := t.TempDir()
		d := demoFlags{html: filepath.Join(dir, "r.html"), json: filepath.Join(dir, "r.json")}
		if err := errors.Join(emptyFile(d.html), emptyFile(d.json)); err != nil {
			t.Fatal(err)
		}
		inner, written, err := takeReport(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := inner.WriteString(said); err != nil || inner.Close() != nil {
			t.Fatal(err)
		}
		if err := <-written; (err != nil) != (said != "" && want == "") {
			t.Errorf("%q: got %v", said, err)
		}
		page, _ := os.ReadFile(d.html)
		text, _ := os.ReadFile(d.json)
		if !strings.Contains(string(page), want) || (want == "") != (len(page) == 0) || want != "" && string(text) != said || want == "" && len(text) > 0 {
			t.Errorf("%q: got the page %.100q and the text %q", said, page, text)
		}
	}
}

// What cannot be written is said before anything starts.
func TestDemoRefuses(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(binaries(t), "foreshock")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"report":  {[]string{"--json", filepath.Join(t.TempDir(), "none", "r.json")}, "--json: open"},
		"page":    {[]string{"--report", filepath.Join(t.TempDir(), "none", "r.html")}, "--report: open"},
		"breaker": {[]string{"--breaker=maybe"}, `--breaker: got "maybe", want on or off`},
		"listen":  {[]string{"--listen", "8440"}, `--listen: got "8440", want HOST:PORT`},
		"word":    {[]string{"now"}, `demo: got "now", want flags only`},
		"flag":    {[]string{"--exits"}, "flag provided but not defined: -exits"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			cmd := exec.Command(bin, append([]string{"demo", "--exit"}, c.args...)...)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != exitUsage || !strings.Contains(stderr.String(), c.want) || stdout.Len() > 0 {
				t.Errorf("got exit code %d, %q on standard output, and %q, want %d, nothing and %q", code, stdout.String(), stderr.String(), exitUsage, c.want)
			}
		})
	}
}
