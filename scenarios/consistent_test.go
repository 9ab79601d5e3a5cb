package scenarios_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/junit"
	"github.com/foreshock/foreshock/scenarios"
	"github.com/foreshock/foreshock/scenarios/page"
)

// consistent holds what must be so in every report, whatever the run came to.
func (r *rig) consistent(t *testing.T, rep *scenarios.Report) {
	t.Helper()
	if r.records.bad != nil {
		t.Errorf("published records: %v", r.records.bad)
	}
	if rep.Schema != scenarios.Schema || rep.Run == "" || rep.Reason == "" || strings.Contains(rep.Reason, "\n") || len(rep.SHA256) != 64 {
		t.Errorf("got schema %q, run %q, reason %q, sha256 %q", rep.Schema, rep.Run, rep.Reason, rep.SHA256)
	}
	phasesAgree(t, rep)
	timelineAgrees(t, rep)
	faultsAgree(t, rep)
	eventsAgree(t, r.records.events(), rep)
	keysAgree(t, rep)
	junitAgrees(t, rep)
	markdownAgrees(t, rep)
	recoveryAgrees(t, rep)
	if err := page.Write(io.Discard, rep); err != nil {
		t.Error(err)
	}
}

// phasesAgree: phases follow one another without a gap, and their sums are those of
// the timeline.
func phasesAgree(t *testing.T, rep *scenarios.Report) {
	t.Helper()
	at := 0.0
	follows := map[string]string{
		"": "idle", "idle": "baseline", "baseline": "closed", "closed": "open half-open recovered closed",
		"open": "half-open recovered closed", "half-open": "open recovered closed", "recovered": "closed open",
	}
	last := ""
	for i, p := range rep.Phases {
		if !slices.Contains(strings.Fields(follows[last]), p.Name) {
			t.Errorf("phase %s stands after %q", p.Name, last)
		}
		last = p.Name
		if i > 0 && p.FromMS != at || p.ToMS < p.FromMS {
			t.Errorf("phase %s: from %v to %v, after one that ended at %v", p.Name, p.FromMS, p.ToMS, at)
		}
		at = p.ToMS
		in := func(ms float64) bool { return ms >= p.FromMS && ms < p.ToMS }
		got := scenarios.PhaseLine{Name: p.Name, FromMS: p.FromMS, ToMS: p.ToMS, P50MS: p.P50MS, P99MS: p.P99MS}
		for _, e := range rep.Timeline {
			switch {
			case !in(e.AtMS):
			case e.Type == "attempt":
				got.Attempts++
			case e.Type == "call":
				got.Calls++
				got.MaxMS = max(got.MaxMS, e.DurationMS)
				switch e.Outcome {
				case "success":
					got.Success++
				case "rejected":
					got.Rejected++
				case "failed":
					got.Failed++
				}
			}
		}
		if diff := cmp.Diff(got, p); diff != "" {
			t.Errorf("phase %s (-timeline +phase):\n%s", p.Name, diff)
		}
		if p.P50MS > p.P99MS || p.P99MS > p.MaxMS || p.Calls != p.Success+p.Rejected+p.Failed {
			t.Errorf("phase %s: %+v", p.Name, p)
		}
	}
	if at > rep.DurationMS {
		t.Errorf("the last phase ends at %v, the run at %v", at, rep.DurationMS)
	}
}

func timelineAgrees(t *testing.T, rep *scenarios.Report) {
	t.Helper()
	if !slices.IsSortedFunc(rep.Timeline, func(a, b scenarios.Entry) int { return int(1000*a.AtMS) - int(1000*b.AtMS) }) {
		t.Error("the timeline is not in order")
	}
	state, checks := "closed", 0
	for _, e := range rep.Timeline {
		if e.AtMS < 0 || e.AtMS > rep.DurationMS {
			t.Errorf("%s at %v of a run of %v", e.Type, e.AtMS, rep.DurationMS)
		}
		switch e.Type {
		case "state":
			if e.From != state {
				t.Errorf("state from %s to %s after it was %s", e.From, e.To, state)
			}
			state = e.To
		case "check":
			c := rep.Checks[checks]
			if e.Name != c.Name || e.AtMS != c.AtMS || e.Status != c.Status.String() {
				t.Errorf("check %d: timeline has %+v, checks %+v", checks, e, c)
			}
			checks++
		}
	}
	if checks != len(rep.Checks) {
		t.Errorf("checks: timeline has %d, checks %d", checks, len(rep.Checks))
	}
	for _, c := range rep.Checks {
		if !slices.ContainsFunc(rep.Phases, func(p scenarios.PhaseLine) bool {
			return p.Name == c.Phase && c.AtMS >= p.FromMS && c.AtMS <= p.ToMS
		}) {
			t.Errorf("check %s at %v is said to be in %q", c.Name, c.AtMS, c.Phase)
		}
	}
}

func faultsAgree(t *testing.T, rep *scenarios.Report) {
	t.Helper()
	for _, f := range rep.Faults {
		switch acted := f.HealedBy != ""; {
		case f.Kind == "" || f.To == "" || len(f.Resolved) == 0 || len(f.Rules) == 0:
			t.Errorf("fault without its figures: %+v", f)
		case f.Irreversible && (f.HealedBy != "" || f.HealedMS != 0 || f.FirstHitMS < f.ArmedMS):
			t.Errorf("irreversible fault that was healed: %+v", f)
		case f.Irreversible:
		case acted && !(f.ArmedMS > 0 && f.HealedMS >= f.ArmedMS && f.HealedMS <= rep.DurationMS):
			t.Errorf("fault armed at %v, healed at %v of %v", f.ArmedMS, f.HealedMS, rep.DurationMS)
		case !acted && (f.ArmedMS != 0 || f.HealedMS != 0 || f.Packets != 0 || f.FirstHitMS != 0):
			t.Errorf("fault that never acted: %+v", f)
		case f.Packets > 0 && (f.FirstHitMS < f.ArmedMS || f.FirstHitMS > f.HealedMS):
			t.Errorf("fault armed at %v and healed at %v hit first at %v", f.ArmedMS, f.HealedMS, f.FirstHitMS)
		}
		total := uint64(0)
		for _, e := range rep.Timeline {
			if e.Type == "attempt" {
				total++
			}
		}
		// Those of a call that was cut off, because the run was stopped, say nothing.
		if len(rep.Faults) == 1 && (total > f.Attempts || total+1 < f.Attempts) {
			t.Errorf("attempts: timeline has %d, the fault %d", total, f.Attempts)
		}
	}
}

// eventsAgree: what is opened is closed, and transitions are those of the timeline.
func eventsAgree(t *testing.T, got []string, rep *scenarios.Report) {
	t.Helper()
	var want []string
	for _, e := range rep.Timeline {
		switch {
		case e.Type == "state" && rep.Verdict != verdict.Invalid:
			want = append(want, "breaker "+e.From+" to "+e.To)
		case e.Type == "fault":
			want = append(want, map[string]string{"armed": "fault opens", "healed": "fault closes"}[e.Action])
		}
	}
	for _, f := range rep.Faults {
		if f.Irreversible { // the plan goes on as if it were healed
			want = append(want, "fault closes")
		}
	}
	want = append([]string{"scenario opens"}, append(want, "scenario closes")...)
	if rep.Verdict == verdict.Invalid {
		got = slices.DeleteFunc(slices.Clone(got), func(e string) bool { return strings.HasPrefix(e, "breaker") })
	}
	// A transition that is known only later is told later.
	place := func(es []string) (out []string) {
		for _, e := range es {
			if !strings.HasPrefix(e, "breaker") {
				out = append(out, e)
			}
		}
		for _, e := range es {
			if strings.HasPrefix(e, "breaker") {
				out = append(out, e)
			}
		}
		return out
	}
	if diff := cmp.Diff(place(want), place(got)); diff != "" {
		t.Errorf("events (-timeline +published):\n%s", diff)
	}
	if n := len(got); n < 2 || got[0] != "scenario opens" || got[n-1] != "scenario closes" {
		t.Errorf("got %v, want the scenario's event around all others", got)
	}
}

// keysAgree holds the keys of the JSON to those that are fixed, and lists to lists.
func keysAgree(t *testing.T, rep *scenarios.Report) {
	t.Helper()
	var b bytes.Buffer
	if err := rep.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "null") {
		t.Errorf("null in the report:\n%s", b.String())
	}
	for where, want := range map[string]string{
		"":           "schema scenario run foreshock host target definition_sha256 definition verdict exit_code reason started duration_ms properties measured faults phases timeline checks",
		"properties": "id verdict expected observed detail from_ms to_ms",
		"faults":     "kind to resolved rules packets unit attempts armed_ms first_hit_ms healed_ms healed_by irreversible spans",
		"phases":     "name from_ms to_ms calls success rejected failed attempts p50_ms p99_ms max_ms",
		"measured":   "name declared measured",
		"checks":     "name status phase at_ms duration_ms message",
	} {
		objects := []any{doc}
		if where != "" {
			objects = doc[where].([]any)
		}
		for _, o := range objects {
			var got []string
			for k := range o.(map[string]any) {
				if !slices.Contains([]string{"summary", "recovery", "teardown_failed", "fix"}, k) { // where there is one
					got = append(got, k)
				}
			}
			fixed := strings.Fields(want)
			slices.Sort(got)
			slices.Sort(fixed)
			if diff := cmp.Diff(fixed, got); diff != "" {
				t.Errorf("keys of %q (-fixed +got):\n%s", where, diff)
			}
		}
	}
	var back scenarios.Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || !reflect.DeepEqual(back.Timeline, rep.Timeline) || back.Verdict != rep.Verdict {
		t.Errorf("the report does not survive being written: %v", err)
	}
}

// recoveryAgrees holds the recovery to its parts, and to the properties.
func recoveryAgrees(t *testing.T, rep *scenarios.Report) {
	t.Helper()
	closed := slices.ContainsFunc(rep.Properties, func(p scenarios.PropertyLine) bool {
		return p.ID == "closes-on-success" && p.Verdict == verdict.Pass
	})
	r := rep.Recovery
	if r == nil {
		if closed {
			t.Error("it closed, and there is no recovery")
		}
		return
	}
	whole, parts := r.SteadyMS-r.HealedMS, r.BreakerOpenMS+r.TCPTailMS+r.RestMS
	if math.Abs(whole-parts) > 0.01 || min(r.BreakerOpenMS, r.TCPTailMS, r.RestMS) < 0 || !slices.IsSorted([]float64{r.HealedMS, r.TriedMS, r.SuccessMS, r.SteadyMS}) {
		t.Errorf("recovery of %v ms: %+v", whole, *r)
	}
}

func junitAgrees(t *testing.T, rep *scenarios.Report) {
	t.Helper()
	var b bytes.Buffer
	if err := rep.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var s junit.Suite
	if err := xml.Unmarshal(b.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if s.Tests != len(rep.Properties)+1 || len(s.Cases) != s.Tests {
		t.Errorf("JUnit: got %d tests and %d cases, want %d", s.Tests, len(s.Cases), len(rep.Properties)+1)
	}
	whole := s.Cases[len(s.Cases)-1]
	if (whole.Failure != nil) != (rep.Verdict == verdict.Fail) || (whole.Failure == nil && whole.Error == nil) != (rep.Verdict == verdict.Pass) {
		t.Errorf("JUnit of %v: failure %v, error %v", rep.Verdict, whole.Failure, whole.Error)
	}
}
