package faults_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/results"
)

// lacks puts an iptables before the real one that refuses a match, as a kernel without
// it does.
func lacks(t *testing.T, match string) {
	t.Helper()
	dir := t.TempDir()
	for _, command := range []string{"iptables", "ip6tables"} {
		path, err := exec.LookPath(command)
		must(t, err)
		plain := "#!/bin/sh\nexec " + path + " \"$@\"\n"
		refuses := `#!/bin/sh
in=$(cat; echo .)
in=${in%.}
case "$in" in *"-m ` + match + ` "*)
	echo "iptables-restore v1.8.9 (nf_tables): Couldn't load match '` + match + `': No such file or directory" >&2
	echo "Error occurred at line: 2" >&2
	exit 2
esac
printf %s "$in" | ` + path + `-restore "$@"
`
		must(t, os.WriteFile(filepath.Join(dir, command), []byte(plain), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, command+"-restore"), []byte(refuses), 0o755))
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH")) //nolint:forbidigo // tests alone ask
}

// A kernel that cannot keep a lease or a hard end is refused, unless the user accepts
// that by name; then the fault is armed and healed, the evidence, the list and the audit
// say what it lacks, and nothing is left.
func TestWithoutWhatTheKernelLacks(t *testing.T) {
	for match, word := range map[string]string{"recent": faults.WithoutLease, "time": faults.WithoutHardEnd} {
		t.Run(word, func(t *testing.T) {
			lacks(t, match)
			to := faulttest.Serve(t, "127.0.0.1")
			var audit bytes.Buffer
			in := &faults.Injector{Audit: faults.NewAudit(&audit, faults.Who{})}
			o := minute("lacks-" + word)
			_, err := in.Install(t.Context(), build(t, "reject", "to: "+to), o)
			if status, _ := results.Judge(err); status != results.Unknown || !strings.Contains(err.Error(), "--accept-missing "+word) {
				t.Fatalf("got %v: %v, want it refused with the words that accept it", status, err)
			}
			o.Without = []string{word}
			made, err := in.Install(t.Context(), build(t, "reject", "to: "+to), o)
			must(t, err)
			defer made.Close(t.Context())
			must(t, faulttest.Dial(to))
			for range 2 {
				must(t, made.Arm(t.Context()))
				if dials(to)() {
					t.Error("the fault does not bite")
				}
				if a, ok := find(t, o.Run); !ok || !a.Armed || (a.Lease == 0) != (word == faults.WithoutLease) {
					t.Errorf("list: got %+v, want it armed", a)
				}
				must(t, made.Disarm(t.Context()))
				must(t, faulttest.Dial(to))
				if a, ok := find(t, o.Run); !ok || a.Armed && word == faults.WithoutLease {
					t.Errorf("list: got %+v, want it disarmed", a)
				}
			}
			e, err := made.Evidence(t.Context())
			if err != nil || e.Packets != 2 || e.Attempts != 5 || e.Tampered != "" || len(e.Warnings) != 1 || !strings.Contains(e.Warnings[0], "accepted") {
				t.Errorf("evidence: got %+v, %v", e, err)
			}
			must(t, made.Close(t.Context()))
			if a, ok := find(t, o.Run); ok {
				t.Errorf("left %+v", a)
			}
			if !strings.Contains(audit.String(), `"lacks":["`+word+`"]`) {
				t.Errorf("audit: got %s", audit.String())
			}
		})
	}
}

// Of what only some faults need, the lack is told with those faults.
func TestProbeTellsWhatDoesNotWork(t *testing.T) {
	lacks(t, "connlimit")
	found := (&faults.Injector{}).Probe(t.Context())
	at := slices.IndexFunc(found, func(c faults.Capability) bool { return c.Name == "connlimit" })
	if at < 0 || found[at].OK || found[at].Needed || found[at].For != "connections" {
		t.Errorf("got %+v", found)
	}
	_, err := (&faults.Injector{}).Install(t.Context(), build(t, "connections", "{to: 127.0.0.1:9, most: 1}"), minute("connlimit"))
	if status, _ := results.Judge(err); status != results.Unknown || !strings.Contains(err.Error(), "missing here: connlimit") {
		t.Errorf("got %v: %v", status, err)
	}
}

// Rules in both backends are told, and faults are found and healed in both.
func TestBothBackends(t *testing.T) {
	legacy := &faults.Injector{Suffix: "legacy"}
	if _, err := legacy.List(t.Context()); err != nil {
		proof.Lacks(t, "iptables-legacy does not work here: "+err.Error())
	}
	rule := func(verb string) {
		out, err := exec.Command("iptables-legacy", verb, "FORWARD", "-s", "192.0.2.1", "-j", "ACCEPT").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	rule("-A")
	defer rule("-D")
	fault := build(t, "reject", "to: 127.0.0.1:9")
	made, err := (&faults.Injector{}).Install(t.Context(), fault, minute("both"))
	must(t, err)
	defer made.Close(t.Context())
	const says = "both backends of iptables hold rules"
	if e, err := made.Evidence(t.Context()); err != nil || len(e.Warnings) != 1 || !strings.Contains(e.Warnings[0], says) {
		t.Errorf("evidence: got %+v, %v", e, err)
	}
	if p, err := (&faults.Injector{}).Plan(t.Context(), fault, minute("both")); err != nil || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], says) {
		t.Errorf("plan: got %+v, %v", p.Warnings, err)
	}
	if found := (&faults.Injector{}).Probe(t.Context()); !slices.ContainsFunc(found, func(c faults.Capability) bool {
		return c.Name == "one backend" && !c.OK && strings.Contains(c.Detail, says)
	}) {
		t.Errorf("probe: got %+v", found)
	}
	theirs, err := legacy.Install(t.Context(), fault, minute("theirs"))
	must(t, err)
	defer theirs.Close(t.Context())
	must(t, theirs.Arm(t.Context()))
	if a, ok := find(t, "theirs"); !ok || !a.Armed || !a.Owned {
		t.Errorf("list: got %+v, want the fault of the other backend", a)
	}
	for n := range 2 {
		healed, err := (&faults.Injector{}).Heal(t.Context(), "theirs")
		must(t, err)
		if len(healed) != 1-n {
			t.Errorf("healed %+v", healed)
		}
	}
	if list, err := legacy.List(t.Context()); err != nil || slices.ContainsFunc(list, func(a faults.Active) bool { return a.Run == "theirs" }) {
		t.Errorf("left %+v, %v", list, err)
	}
}
