package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/proof"
)

func TestWords(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.foreshock(2).out("").err("usage: foreshock COMMAND")
	s.foreshock(0, "--help").out("usage: foreshock COMMAND").err("")
	s.foreshock(0, "version").out("^foreshock ")
	s.foreshock(2, "demmo").err(`unknown command "demmo"; did you mean "demo"\?`)
	s.foreshock(2, "fault", "lst").err(`unknown fault command "lst"; did you mean "list"\?`)
	s.foreshock(2, "report").err("got no report, want one of availability")
	s.foreshock(0, "scenario", "-h").out("run, plan, validate")
	s.foreshock(0, "demo", "-h").err("--exit +end after one round").err("Ctrl-C before the verdict ends with 5")
	s.foreshock(2, "doctor", "-o", "xml").err(`-o: got "xml", want one of text, json`)
	s.foreshock(2, "config", "validate", "-c", "nowhere.yaml").err("nowhere.yaml: no such file or directory; -c FILE names another")
	s.foreshock(2, "config", "schema", "jurney").out("").err(`unknown kind of file "jurney"; did you mean "journey"\?`)
	s.foreshock(0, "config", "schema", "journey").out(`"\$schema": "https://json-schema.org/draft/2020-12/schema"`).err("")
	// check speaks as monitoring plugins do, where 2 is critical.
	s.foreshock(3, "check", "-o", "xml")
	s.foreshock(3, "check", "--bad")
	s.foreshock(3, "check", "-c", "nowhere.yaml")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s := newShell(t, "SITE="+startSite(t))
	s.file("foreshock.yaml", `
store: {sqlite: {path: checks.db}}
checks:
  - {name: ok, every: 10s, http: {url: "${env:SITE}/ok"}}
  - {name: slow, every: 10s, warning: 50ms, http: {url: "${env:SITE}/slow"}}
  - {name: bad, every: 10s, http: {url: "${env:SITE}/bad", expect: {status: [200]}}}
  - {name: refused, every: 10s, tcp: {address: "127.0.0.1:1"}}
  - {name: contract, every: 10s, contract: {provider: catalog, url: "${env:SITE}", files: [pact.json]}}
`)
	s.file("pact.json", `{"consumer": {"name": "storefront"}, "provider": {"name": "other"}, "interactions": []}`)
	s.foreshock(0, "check", "ok").out("^ok +ok ")
	s.foreshock(1, "check", "slow")
	s.foreshock(2, "check", "bad")
	s.foreshock(2, "check", "refused").out("refused")
	s.foreshock(3, "check", "contract")
	// Of several: critical, else unknown, else warning, else ok.
	s.foreshock(2, "check")
	s.foreshock(3, "check", "ok", "slow", "contract")
	s.foreshock(1, "check", "ok", "slow")
	s.foreshock(3, "check", "slwo").out("").err(`unknown check "slwo"; did you mean "slow"\?`)

	s.foreshock(2, "check", "-o", "json", "ok", "bad").json().out(`"check":"bad".*"status":"critical"`)
	s.foreshock(2, "check", "-o", "nagios", "bad").out("CRITICAL.* bad")
	s.foreshock(2, "check", "-o", "junit", "ok", "bad").out("<failure")
	s.foreshock(0, "report", "availability", "-o", "json").json().out(`"check":"bad".*"availability":0,.*"unknown":0`)
}

func TestReport(t *testing.T) {
	t.Parallel()
	s := newShell(t, "SITE="+startSite(t))
	s.file("foreshock.yaml", `
store: {sqlite: {path: results.db}}
checks:
  - {name: ok, every: 10s, http: {url: "${env:SITE}/ok"}}
`)
	store := filepath.Join(s.dir, "results.db")
	s.foreshock(3, "report", "availability").err("results.db: no such file or directory; serve and check make it")
	if _, err := os.Stat(store); err == nil {
		t.Error("a report made a store: it may only look")
	}
	const diary = "The diary of another program.\n"
	s.file("results.db", diary)
	s.foreshock(3, "report", "availability").err("not made by Foreshock")
	if b, err := os.ReadFile(store); err != nil || string(b) != diary {
		t.Errorf("the file of another program is now %q, %v", b, err)
	}
	if err := os.Remove(store); err != nil {
		t.Fatal(err)
	}
	s.foreshock(0, "check")
	s.foreshock(4, "report", "availability", "--since", "1ms").out("").err("no result since")
	s.foreshock(4, "report", "availability", "--since", "1ms", "-o", "json").out("")
	s.foreshock(2, "report", "availability", "--since", "soon").err(`--since: got "soon", want a time such as 15m, 24h or 30d`)
	s.foreshock(0, "report", "availability", "--since", "1d").out("ok +100.000%")
}

func TestFaultCommands(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.foreshock(2, "fault", "heal").err("want the names or run ids of faults")
	s.foreshock(2, "fault", "heal", "--all", "one")
	if os.Getuid() != 0 {
		s.foreshock(3, "fault", "list").out("")
		return
	}
	need(t, "iptables", "apt-get install iptables")
	// In processes of its own too: the commands reach all network namespaces that a process holds,
	// and would find and heal what the demos of other tests have armed.
	own := []string{"unshare", "--net", "--pid", "--fork", "--mount-proc", "foreshock", "fault"}
	s.exits(0, append(own, "list")...).out("^no faults$")
	s.exits(0, append(own, "list", "-o", "json")...).out("")
	s.exits(0, append(own, "heal", "--all")...).out("nothing to heal")
	// Who may not look, or has no iptables, cannot tell whether something is left.
	for _, under := range [][]string{asNobody(), without(t, iptablesFiles()...)} {
		want := "CAP_NET_ADMIN"
		if under[0] == "unshare" {
			want = "apt-get install iptables"
		}
		s.exits(3, append(under, "foreshock", "fault", "list")...).out("").err(want)
		s.exits(3, append(under, "foreshock", "fault", "heal", "--all")...).out("").err(want)
	}
}

func TestContractVerify(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	site, catalog := startSite(t), startCatalog(t, s.bin)
	pacts, err := filepath.Abs("../../examples/shop/pacts")
	if err != nil {
		t.Fatal(err)
	}
	verify := func(code int, url string, more ...string) *said {
		t.Helper()
		return s.foreshock(code, append([]string{"contract", "verify", "--provider", "catalog", "--provider-base-url", url}, more...)...)
	}
	s.foreshock(2, "contract", "verify").err("--provider: got none")
	verify(2, catalog, "nowhere").err("nowhere: no such file or directory")
	verify(2, catalog, pacts, "--header", "X").err("--header: got no NAME=VALUE")
	if _, err := os.Stat(pactLibrary(t)); err != nil {
		proof.Lacks(t, "libpact_ffi is missing: scripts/setup-pact.sh")
	}
	verify(0, catalog, pacts).out("3")
	verify(0, catalog, pacts, "-o", "json").json()
	verify(1, site, pacts)
	verify(1, site, pacts, "-o", "json").json()
	verify(3, "http://127.0.0.1:1", pacts)
	verify(4, catalog, pacts, "--provider", "other")
	s.env = append(s.env, "FORESHOCK_PACT_LIB="+filepath.Join(s.dir, "none.so"))
	verify(3, catalog, pacts, "-o", "json").out("").err("libpact_ffi")
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.exits(0, "sh", "-c", `"$0" doctor -o json || test $? = 1`, "foreshock").json().out(`"for":"demo","name":"namespaces"`)
	if os.Getuid() != 0 {
		return // hiding programs needs root
	}
	s.env = append(s.env, "FORESHOCK_PACT_LIB="+filepath.Join(s.dir, "none.so"))
	s.exits(1, append(without(t, append(browserFiles(), iptablesFiles()...)...), "foreshock", "doctor")...).
		out("MISSING +journeys +browser .*apt-get install chromium-headless-shell").
		out("MISSING +contracts +libpact_ffi .*none.so").
		out("MISSING +faults +iptables .*apt-get install iptables").
		out("reported as unknown, never as an outage")
}

// A scenario that is refused, for whatever reason, breaks nothing.
func TestScenarioRefuses(t *testing.T) {
	t.Parallel()
	s := newShell(t, "SHOP_URL=http://127.0.0.1:1", "PAYMENTS_ADDRESS=127.0.0.1:2")
	s.copy("testdata/thread.yaml")
	s.foreshock(2, "scenario", "run").err("got no scenario")
	s.foreshock(2, "scenario", "run", "nowhere.yaml").err("nowhere.yaml")
	s.foreshock(2, "scenario", "run", "thread.yaml", "--json", "none/r.json").err("none/r.json")
	s.foreshock(2, "scenario", "run", "thread.yaml", "--report", "none/r.html").err("open none/r.html: no such file")
	s.foreshock(2, "scenario", "run", "thread.yaml", "thread.yaml", "--junit", "r.xml").err("--junit: got 2 scenarios, want one")
	// Without the operator's mark: stopped by a guard.
	a := s.foreshock(5, "scenario", "run", "thread.yaml", "-o", "json", "--json", "r.json").json().out(`"verdict":"aborted"`)
	if !strings.Contains(a.stdout, "FORESHOCK_CHAOS") {
		t.Errorf("got %s, want how to allow it", a.stdout)
	}
	// The page of several scenarios has them all.
	s.foreshock(5, "scenario", "run", "thread.yaml", "thread.yaml", "--report", "r.html")
	if page, err := os.ReadFile(filepath.Join(s.dir, "r.html")); err != nil || strings.Count(string(page), "<article") != 2 || !strings.Contains(string(page), "FORESHOCK_CHAOS") {
		t.Errorf("got %d reports on the page, error %v, want 2 with the reason", strings.Count(string(page), "<article"), err)
	}
	s.foreshock(0, "scenario", "validate", "thread.yaml").out("thread: valid")
	s.foreshock(0, "scenario", "plan", "thread.yaml").out("scenario thread:")
}
