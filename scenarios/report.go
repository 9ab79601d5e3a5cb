package scenarios

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/junit"
	"github.com/foreshock/foreshock/results"
)

// Schema names the format of the JSON report.
const Schema = "foreshock.scenario/1"

// A Report is what one run of a scenario found. Times in it count from Started.
type Report struct {
	Schema     string          `json:"schema"`
	Scenario   string          `json:"scenario"`
	Run        string          `json:"run"`
	Foreshock  string          `json:"foreshock"` // version of the program
	Host       string          `json:"host"`
	Summary    string          `json:"summary,omitempty"` // what its owner says it is for
	Target     string          `json:"target,omitempty"`  // how the judged service is called
	SHA256     string          `json:"definition_sha256"`
	Definition string          `json:"definition"` // the scenario file, secrets masked; empty if it was changed since
	Verdict    verdict.Verdict `json:"verdict"`
	ExitCode   int             `json:"exit_code"`
	Reason     string          `json:"reason"`
	Untidy     string          `json:"teardown_failed,omitempty"` // what went wrong in the teardown, which is no part of the verdict
	Started    time.Time       `json:"started"`
	DurationMS float64         `json:"duration_ms"`
	Properties []PropertyLine  `json:"properties"`
	Measured   []Measure       `json:"measured"` // empty if the run told nothing
	Faults     []FaultLine     `json:"faults"`
	Phases     []PhaseLine     `json:"phases"`
	Recovery   *Recovery       `json:"recovery,omitempty"` // absent if the service did not recover, or had nothing to recover from
	Timeline   []Entry         `json:"timeline"`
	Checks     []CheckLine     `json:"checks"`
	Instances  []InstanceLine  `json:"instances,omitempty"` // of the target, where several are judged
}

// An InstanceLine is what one replica of the target came to.
type InstanceLine struct {
	Address string          `json:"address"`
	Verdict verdict.Verdict `json:"verdict"`
	Reason  string          `json:"reason"`
	FromMS  float64         `json:"from_ms"`
	ToMS    float64         `json:"to_ms"`
}

// A PropertyLine is one judged property.
type PropertyLine struct {
	ID       string          `json:"id"`
	Verdict  verdict.Verdict `json:"verdict"`
	Expected string          `json:"expected"`
	Observed string          `json:"observed"`
	Detail   string          `json:"detail"`
	Fix      string          `json:"fix,omitempty"` // what to mend first, of one that failed
	FromMS   float64         `json:"from_ms"`
	ToMS     float64         `json:"to_ms"`
}

// A FaultLine is one fault with its evidence.
type FaultLine struct {
	Kind       string   `json:"kind"`
	To         string   `json:"to"`
	Resolved   []string `json:"resolved"`
	Rules      []string `json:"rules"`
	Packets    uint64   `json:"packets"` // or what Unit says
	Unit       string   `json:"unit"`    // packets, threads that were stopped, or processes that have ended
	Attempts   uint64   `json:"attempts"`
	ArmedMS    float64  `json:"armed_ms"`
	FirstHitMS float64  `json:"first_hit_ms"` // 0 if it met no packet
	HealedMS   float64  `json:"healed_ms"`
	HealedBy   string   `json:"healed_by"`
	// Irreversible says that nothing heals it; then healed_by is empty.
	Irreversible bool    `json:"irreversible"`
	Spans        []Acted `json:"spans"`
}

// Acted is one time in which a fault acted.
type Acted struct {
	FromMS float64 `json:"from_ms"`
	ToMS   float64 `json:"to_ms"`
	By     string  `json:"by"` // what ended it
}

// A PhaseLine sums up the calls of one phase.
type PhaseLine struct {
	Name     string  `json:"name"`
	FromMS   float64 `json:"from_ms"`
	ToMS     float64 `json:"to_ms"`
	Calls    int     `json:"calls"`
	Success  int     `json:"success"`
	Rejected int     `json:"rejected"`
	Failed   int     `json:"failed"`
	Attempts int     `json:"attempts"`
	P50MS    float64 `json:"p50_ms"`
	P99MS    float64 `json:"p99_ms"`
	MaxMS    float64 `json:"max_ms"`
}

// An Entry is one thing on the timeline. Of its fields those of its type are set.
type Entry struct {
	AtMS       float64 `json:"at_ms"`
	Type       string  `json:"type"` // call, attempt, state, reported, fault, check
	DurationMS float64 `json:"duration_ms,omitempty"`
	Outcome    string  `json:"outcome,omitempty"` // of a call
	Error      string  `json:"error,omitempty"`
	From       string  `json:"from,omitempty"` // of a state
	To         string  `json:"to,omitempty"`   // of a state, seen or reported, or the target of a fault
	Action     string  `json:"action,omitempty"`
	Name       string  `json:"name,omitempty"` // of a check
	Status     string  `json:"status,omitempty"`
}

// A CheckLine is one run of a check meanwhile.
type CheckLine struct {
	Name       string         `json:"name"`
	Status     results.Status `json:"status"`
	Phase      string         `json:"phase"`
	AtMS       float64        `json:"at_ms"`
	DurationMS float64        `json:"duration_ms"`
	Message    string         `json:"message"`
}

// WriteJSON writes the report as indented JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// WriteJUnit writes a test case for each property, and one for the whole verdict:
// fail is a failure, skipped is skipped, what could not be told is an error.
func (r *Report) WriteJUnit(w io.Writer) error {
	s := &junit.Suite{Name: r.Scenario, Time: r.DurationMS / 1000}
	for _, p := range r.Properties {
		s.Add(r.Scenario, p.ID, duration(p.ToMS-p.FromMS), junitOutcome(p.Verdict), p.Detail, p.note())
	}
	s.Add(r.Scenario, "verdict", duration(r.DurationMS), junitOutcome(r.Verdict), r.Reason, "")
	return s.Write(w)
}

// note is what was expected and seen, and what to do.
func (p PropertyLine) note() string {
	var parts []string
	for _, s := range [][2]string{{"want ", p.Expected}, {"got ", p.Observed}, {"mend: ", p.Fix}} {
		if s[1] != "" {
			parts = append(parts, s[0]+s[1])
		}
	}
	return strings.Join(parts, "; ")
}

func junitOutcome(v verdict.Verdict) junit.Outcome {
	switch v {
	case verdict.Pass:
		return junit.Passed
	case verdict.Fail:
		return junit.Failed
	case verdict.Skipped:
		return junit.Skipped
	case verdict.Inconclusive, verdict.Invalid, verdict.Aborted:
	}
	return junit.Errored
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// phaseLine sums up what happened in a phase.
func phaseLine(p phase, o *verdict.Observed) PhaseLine {
	l := PhaseLine{Name: p.name, FromMS: ms(p.Start), ToMS: ms(p.End)}
	var took []time.Duration
	for _, c := range o.Calls {
		if !p.Has(c.At) {
			continue
		}
		took = append(took, c.Took)
		switch c.Outcome {
		case verdict.Success:
			l.Success++
		case verdict.Rejected:
			l.Rejected++
		case verdict.Failed:
			l.Failed++
		}
	}
	for _, a := range o.Attempts {
		if p.Has(a) {
			l.Attempts++
		}
	}
	l.Calls = len(took)
	if len(took) > 0 {
		slices.Sort(took)
		l.P50MS, l.P99MS, l.MaxMS = ms(rank(took, 50)), ms(rank(took, 99)), ms(took[len(took)-1])
	}
	return l
}

// rank is the nearest-rank percentile of sorted times.
func rank(sorted []time.Duration, percent int) time.Duration {
	i := (len(sorted)*percent + 99) / 100
	return sorted[max(i, 1)-1]
}

// timeline merges all that happened, in order.
func timeline(o *verdict.Observed, states []transition, fs []FaultLine) []Entry {
	var out []Entry
	for _, c := range o.Calls {
		out = append(out, Entry{AtMS: ms(c.At), Type: "call", DurationMS: ms(c.Took), Outcome: c.Outcome.String(), Error: c.Error})
	}
	for _, a := range o.Attempts {
		out = append(out, Entry{AtMS: ms(a), Type: "attempt"})
	}
	for _, s := range states {
		out = append(out, Entry{AtMS: ms(s.at), Type: "state", From: s.from, To: s.to})
	}
	out = append(out, said(o.Reports)...)
	for _, f := range fs {
		for _, s := range f.Spans {
			out = append(out, Entry{AtMS: s.FromMS, Type: "fault", Action: "armed", To: f.To})
			if !f.Irreversible {
				out = append(out, Entry{AtMS: s.ToMS, Type: "fault", Action: "healed", To: f.To})
			}
		}
	}
	for _, c := range o.Checks {
		out = append(out, Entry{AtMS: ms(c.At), Type: "check", Name: c.Name, Status: c.Status.String(), DurationMS: ms(c.Took)})
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return cmp.Compare(a.AtMS, b.AtMS) })
	return out
}

func faultLine(ev faults.Evidence, started time.Time) FaultLine {
	since := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return ms(t.Sub(started))
	}
	l := FaultLine{
		Kind: ev.Kind, To: ev.To, Resolved: list(ev.Resolved), Rules: list(ev.Rules), Packets: ev.Packets, Unit: ev.Unit, Attempts: ev.Attempts,
		FirstHitMS: since(ev.FirstHit), HealedBy: ev.HealedBy, Irreversible: ev.Irreversible, Spans: []Acted{},
	}
	for _, s := range ev.Spans {
		l.Spans = append(l.Spans, Acted{since(s.From), since(s.To), s.By})
	}
	if len(ev.Spans) > 0 {
		l.ArmedMS, l.HealedMS = since(ev.Spans[0].From), since(ev.Spans[len(ev.Spans)-1].To)
	}
	return l
}

// list is ss, and an empty list in JSON where it is nil.
func list(ss []string) []string { return append([]string{}, ss...) }
