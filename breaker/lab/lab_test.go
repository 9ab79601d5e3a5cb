package lab_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/breaker/lab"
	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/scenarios"
)

// One right and one wrong breaker, in real processes behind a real rule.
func TestVerdictsOnTheKernel(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("iptables"); err != nil {
		proof.Lacks(t, "iptables is missing: apt-get install iptables")
	}
	for name, failed := range map[string]string{"gobreaker-v2": "", "wrong-opens-at-twice": "trips-at-threshold"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var row lab.Row
			for range 5 { // a machine short of CPU may come to no verdict
				if row = verdict(t, name); row.Outcome != lab.NoVerdict {
					break
				}
				t.Logf("no verdict: %s", row.Reason)
			}
			if row.Outcome != lab.Hit || !strings.HasPrefix(strings.Join(row.Failed, " "), failed) {
				t.Errorf("got %s (%s, failed %v), want a hit and %q failed", row.Outcome, row.Reason, row.Failed, failed)
			}
			if r := row.Report; r == nil || len(r.Faults) != 1 || r.Faults[0].Packets == 0 {
				t.Errorf("got report %+v, want the evidence of a fault that bit", r)
			}
			if row.Seconds <= 0 || row.Seconds > 30 {
				t.Errorf("the verdict took %.1f s, want less than 30", row.Seconds)
			}
		})
	}
}

func verdict(t *testing.T, name string) (row lab.Row) {
	t.Helper()
	var out, said bytes.Buffer
	code, err := isolate.Run(t.Context(), isolate.Command{Args: []string{insideWord, name}, Stdout: &out, Stderr: &said})
	if err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, said.String())
	}
	if err := json.Unmarshal(out.Bytes(), &row); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	return row
}

// What every case says must be true of it.
func TestCasesAreWellFormed(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range lab.Cases() {
		wrong := strings.HasPrefix(c.Name, "wrong-")
		if names[c.Name] || c.Summary == "" || c.Language == "" || c.Service.Breaker == "" || wrong != (len(c.Names) > 0) {
			t.Errorf("%+v: want a name of its own, all of it told, and of a wrong one alone what names it", c)
		}
		names[c.Name] = true
	}
	if _, err := lab.Find([]string{"plain", "no-such"}); err == nil || !strings.Contains(err.Error(), `got "no-such"`) {
		t.Errorf("got %v, want word of the name that is not known", err)
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcomes []lab.Outcome
		want     int
	}{
		{nil, 3},
		{[]lab.Outcome{lab.Hit, lab.Hit}, 0},
		{[]lab.Outcome{lab.Hit, lab.NoVerdict}, 3},
		{[]lab.Outcome{lab.NotLooked, lab.Hit}, 3},
		{[]lab.Outcome{lab.NoVerdict, lab.Miss, lab.Hit}, 1},
		{[]lab.Outcome{lab.FalseAlarm}, 1},
		{[]lab.Outcome{lab.Misnamed, lab.NotLooked}, 1},
	} {
		var rows []lab.Row
		for _, o := range c.outcomes {
			rows = append(rows, lab.Row{Outcome: o})
		}
		if got := lab.Worst(rows); got != c.want {
			t.Errorf("%v: got exit code %d, want %d", c.outcomes, got, c.want)
		}
	}
}

func TestMatrix(t *testing.T) {
	t.Parallel()
	rows := []lab.Row{
		{Case: "plain", Right: true, Language: "Go", Verdict: "pass", Outcome: lab.Hit, Seconds: 7.9, Report: &scenarios.Report{}},
		{Case: "plain", Right: true, Language: "Go", Verdict: "fail", Failed: []string{"fails-fast"}, Reason: "failed: fails-fast", Outcome: lab.FalseAlarm, Seconds: 8.2},
		{Case: "wrong-leaks-tenth", Language: "Go", Expected: []string{"quiet-while-open"}, Verdict: "pass", Reason: "6 of 6", Outcome: lab.Miss, Seconds: 7},
	}
	var text, table strings.Builder
	for _, r := range rows {
		lab.WriteRow(&text, r)
	}
	lab.WriteSummary(&text, rows)
	lab.WriteMarkdown(&table, rows)
	for _, want := range []string{
		"hit          plain ", "want pass; failed: fails-fast", "want fail of quiet-while-open; 6 of 6",
		"3 verdicts: hit 1, miss 1, false alarm 1. The longest took 8.2 s (plain).",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("want %q in\n%s", want, text.String())
		}
	}
	for _, want := range []string{
		"| plain | the model that the wrong ones are made of | Go | - | fails-fast | hit 1/2, false alarm 1/2 | 8.2 |",
		"| Go | quiet-while-open | - | miss 1/1 | 7.0 |",
	} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("want %q in\n%s", want, table.String())
		}
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"50", "x%", "-1%", "1601%"} {
		if _, err := lab.Share(bad); err == nil || !strings.Contains(err.Error(), "want 0% to 1600%") {
			t.Errorf("%q: got %v, want word of what a share is", bad, err)
		}
	}
	half, err := lab.Share("50%")
	whole, werr := lab.Share("100%")
	if err != nil || werr != nil || 2*half != whole || whole < 1 {
		t.Errorf("got %v and %v cores (%v, %v), want the half and the whole of them", half, whole, err, werr)
	}
}
