package page_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/scenarios"
	"github.com/foreshock/foreshock/scenarios/page"
)

// sample is the report of a real run of the demo, with or without a breaker.
func sample(t *testing.T, name string) *scenarios.Report {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	r := &scenarios.Report{}
	if err := json.Unmarshal(b, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// unsure is a report of a run whose baseline was not well.
func unsure(t *testing.T) *scenarios.Report {
	t.Helper()
	r := sample(t, "pass")
	r.Verdict, r.ExitCode, r.Recovery = verdict.Inconclusive, 3, nil
	r.Measured = nil
	r.Reason, r.DurationMS = "unhealthy baseline: 3 of 5 calls succeeded, want 100%", 2600
	for i := range r.Properties {
		if p := &r.Properties[i]; p.Verdict != verdict.Skipped {
			*p = scenarios.PropertyLine{ID: p.ID, Verdict: verdict.Inconclusive, Expected: p.Expected, Detail: "No fault was armed."}
		}
	}
	r.Faults[0].Spans, r.Faults[0].ArmedMS, r.Faults[0].HealedMS, r.Faults[0].HealedBy = nil, 0, 0, ""
	r.Phases, r.Checks = r.Phases[:2], r.Checks[:1]
	r.Timeline = slices.DeleteFunc(r.Timeline, func(e scenarios.Entry) bool { return e.AtMS > r.DurationMS || e.Type == "fault" || e.Type == "state" })
	return r
}

// stormy is a long run with much of everything.
func stormy(t *testing.T) *scenarios.Report {
	t.Helper()
	r := sample(t, "fail")
	r.Timeline, r.Phases, r.Faults[0].Spans, r.DurationMS = nil, nil, nil, 120_000
	outcomes := []string{"success", "failed", "rejected", "rejected"}
	for at := 0.0; at < r.DurationMS; at += 10 {
		n := int(at / 5000)
		r.Timeline = append(r.Timeline, scenarios.Entry{AtMS: at, Type: "call", Outcome: outcomes[n%4], DurationMS: 0.3 + float64(int(at*7919)%2000)})
		if n%4 < 2 {
			r.Timeline = append(r.Timeline, scenarios.Entry{AtMS: at + 1, Type: "attempt"})
		}
		if int(at)%100 == 0 {
			r.Timeline = append(r.Timeline, scenarios.Entry{AtMS: at, Type: "reported", To: []string{"closed", "closed", "open", "half-open"}[n%4]})
		}
	}
	for n := range 6 {
		from := float64(n) * 20_000
		r.Faults[0].Spans = append(r.Faults[0].Spans, scenarios.Acted{FromMS: from + 5000, ToMS: from + 15_000, By: "owner"})
		for i, name := range []string{"recovered", "closed", "open", "half-open"} {
			r.Phases = append(r.Phases, scenarios.PhaseLine{Name: name, FromMS: from + float64(i)*5000, ToMS: from + float64(i+1)*5000, Attempts: 500, Calls: 500})
		}
	}
	return r
}

func draw(t *testing.T, rs ...*scenarios.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, rs...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func parse(t *testing.T, text string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// words is all that a node says.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func element(root *html.Node, want func(*html.Node) bool) *html.Node {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && want(n) {
			return n
		}
	}
	return nil
}

// The verdict comes first, then its reason, then the timeline, then every property
// once, those that failed first, then recovery, rules and configuration.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := sample(t, "fail")
	root := parse(t, draw(t, r))
	body := element(root, func(n *html.Node) bool { return n.Data == "body" })
	if says := words(body); !strings.HasPrefix(says, "fail payments-outage The circuit breaker did not do what its owner declares: 3 properties failed. The breaker never opened in 26 failed calls in a row.") {
		t.Errorf("the page begins with %.200s", says)
	}
	var heads, ids, verdicts []string
	for n := range root.Descendants() {
		if n.Data == "h2" {
			heads = append(heads, words(n))
		}
		if id := attr(n, "data-property"); id != "" {
			ids, verdicts = append(ids, id), append(verdicts, attr(n, "data-verdict"))
		}
	}
	if want := []string{"What happened", "Recovery", "Properties", "Journeys and checks meanwhile", "Rules and configuration"}; !slices.Equal(heads, want) {
		t.Errorf("sections: got %q, want %q", heads, want)
	}
	if order := slices.Compact(slices.Clone(verdicts)); !slices.Equal(order, []string{"fail", "inconclusive", "pass", "skipped"}) {
		t.Errorf("verdicts in the order %q", order)
	}
	slices.Sort(ids)
	if len(ids) != len(r.Properties) || len(slices.Compact(ids)) != len(r.Properties) {
		t.Errorf("got the properties %q, want each of %d once", ids, len(r.Properties))
	}
}

// What the report knows is on the page: HTML and JSON say the same.
func TestAllIsThere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"pass", "fail"} {
		r := sample(t, name)
		says := words(parse(t, draw(t, r)))
		want := []string{r.SHA256, r.Run, r.Host, r.Target, r.Summary, r.Lead(), "half_open_calls: 1", "2026-11-22"}
		for _, p := range r.Properties {
			want = append(want, p.ID, p.Expected, p.Observed, p.Detail, p.Fix)
		}
		if len(r.Measured) != 5 {
			t.Errorf("%s: got %d measured values, want 5", name, len(r.Measured))
		}
		for _, m := range r.Measured {
			want = append(want, m.Name, m.Declared, m.Measured)
		}
		for _, f := range r.Faults {
			want = append(want, f.Rules...)
			want = append(want, fmt.Sprintf("%d packets", f.Packets), fmt.Sprintf("%d connection attempts", f.Attempts))
		}
		for _, c := range r.Checks {
			want = append(want, c.Name, c.Message)
		}
		for _, w := range want {
			if !strings.Contains(says, strings.Join(strings.Fields(w), " ")) {
				t.Errorf("%s: the page does not say %q", name, w)
			}
		}
	}
}

// lanes are the drawings by their key, with what they hold.
func lanes(t *testing.T, text string) map[string][]*html.Node {
	t.Helper()
	out := map[string][]*html.Node{}
	for n := range parse(t, text).Descendants() {
		if key := attr(n, "data-lane"); key != "" {
			out[key] = append(out[key], n)
		}
	}
	return out
}

func count(n *html.Node, tag, class string) (k int) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag && strings.Contains(" "+attr(d, "class")+" "+strings.TrimPrefix(attr(d, "href"), "#")+" ", " "+class+" ") {
			k++
		}
	}
	return k
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	r := sample(t, "pass")
	found := lanes(t, draw(t, r))
	entries := map[string]int{}
	for _, e := range r.Timeline {
		entries[e.Type+" "+e.Outcome]++
	}
	for _, c := range []struct {
		lane, tag, class string
		want             int
	}{
		{"fault", "rect", "fault", 2},
		{"seen", "rect", "open", 4},
		{"seen", "rect", "half-open", 4},
		{"seen", "rect", "closed", 2},
		{"seen", "rect", "baseline", 1},
		{"seen", "rect", "recovered", 1},
		{"reported", "rect", "open", 4},
		{"calls", "use", "call-failed", entries["call failed"]},
		{"calls", "use", "call-success", entries["call success"]},
		{"calls", "rect", "shade", 2},
		{"check", "rect", "ok", 9},
	} {
		if len(found[c.lane]) == 0 {
			t.Errorf("no lane %s", c.lane)
			continue
		}
		if n := count(found[c.lane][0], c.tag, c.class); n != c.want {
			t.Errorf("lane %s: got %d %s.%s, want %d", c.lane, n, c.tag, c.class, c.want)
		}
	}
	if len(found["check"]) != 2 || len(found["reported"]) != 1 || len(found["seen"]) != 1 {
		t.Errorf("got %d lanes of checks and %d of the breaker's own word, want 2 and 1", len(found["check"]), len(found["reported"]))
	}
}

// The breaker's own word has a lane beside what was seen; looks that say the same are one.
func TestReported(t *testing.T) {
	t.Parallel()
	r := sample(t, "pass")
	r.Timeline = slices.DeleteFunc(r.Timeline, func(e scenarios.Entry) bool { return e.Type == "reported" })
	for _, e := range []scenarios.Entry{{AtMS: 2000, To: "closed"}, {AtMS: 3000, To: "closed"}, {AtMS: 4000, Error: "got status 503"}, {AtMS: 6000, To: "open"}, {AtMS: 15_300, To: "closed"}} {
		e.Type = "reported"
		r.Timeline = append(r.Timeline, e)
	}
	text := draw(t, r)
	l := lanes(t, text)["reported"]
	if len(l) != 1 || count(l[0], "rect", "closed") != 2 || count(l[0], "rect", "open") != 1 || count(l[0], "rect", "unread") != 1 {
		t.Fatalf("the lane of the breaker's own word: %d", len(l))
	}
	if !strings.Contains(words(l[0]), "not readable from 4.00 s to 6.00 s: got status 503") {
		t.Errorf("it does not say why it could not be read: %s", words(l[0]))
	}
	if strings.Contains(text, "no reader is declared (breaker.reader).</span>") {
		t.Error("the legend says that there is no reader")
	}
}

// Failures that would lie over one another are one mark that says how many it is, at
// each width by itself; each failure is in one of them.
func TestFailuresTogether(t *testing.T) {
	t.Parallel()
	r := &scenarios.Report{Scenario: "x", DurationMS: 10_000}
	for _, at := range []float64{5000, 5001, 5001, 5100, 5500, 7000} {
		r.Timeline = append(r.Timeline, scenarios.Entry{AtMS: at, Type: "call", Outcome: "failed", DurationMS: 300})
	}
	l := lanes(t, draw(t, r))["calls"][0]
	marks, counts := map[string]int{}, map[string][]string{}
	for n := range l.Descendants() {
		for class := range strings.FieldsSeq(attr(n, "class")) {
			switch {
			case n.Data == "use":
				marks[class]++
			case n.Data == "text" && strings.Contains(attr(n, "class"), "count"):
				counts[class] = append(counts[class], words(n))
			}
		}
	}
	for class, want := range map[string]struct {
		marks int
		count string
	}{"w": {3, "×4"}, "m": {2, "×5"}, "n": {2, "×5"}} {
		if marks[class] != want.marks || !slices.Equal(counts[class], []string{want.count}) {
			t.Errorf("%s: got %d marks with the counts %q, want %v", class, marks[class], counts[class], want)
		}
	}
}

func TestRecoveryAddsUp(t *testing.T) {
	t.Parallel()
	r := sample(t, "pass")
	r.Recovery = &scenarios.Recovery{HealedMS: 1000, SteadyMS: 3000, BreakerOpenMS: 1200, TCPTailMS: 600, RestMS: 200}
	root := parse(t, draw(t, r))
	for class, want := range map[string]string{"open": "1.20 s", "tail": "600 ms", "rest": "200 ms"} {
		p := element(root, func(n *html.Node) bool { return attr(n, "data-part") == class })
		if p == nil || !strings.Contains(words(p), want) {
			t.Errorf("part %s does not say %s", class, want)
		}
	}
	bar := element(root, func(n *html.Node) bool { return strings.HasPrefix(attr(n, "aria-label"), "the recovery") })
	var widths []string
	for n := range bar.Descendants() {
		if n.Data == "rect" {
			widths = append(widths, attr(n, "width"))
		}
	}
	if !slices.Equal(widths, []string{"60%", "30%", "10%"}) {
		t.Errorf("the bar's parts are %q wide", widths)
	}
}

// The verdicts are told in words that nobody can take for another.
func TestWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report *scenarios.Report
		want   string
	}{
		"inconclusive": {unsure(t), "inconclusive payments-outage It could not be told whether the circuit breaker does what its owner declares. unhealthy baseline: 3 of 5 calls succeeded, want 100% No fault was armed. trips-at-threshold Purpose"},
		"invalid":      {&scenarios.Report{Scenario: "x", Verdict: verdict.Invalid, Reason: "the fault met no packet", ExitCode: 4}, "invalid x Nothing was tested: the fault was not what it should have been. the fault met no packet"},
		"aborted":      {&scenarios.Report{Scenario: "x", Verdict: verdict.Aborted, Reason: "stopped by a person"}, "aborted x The run was stopped before the verdict. stopped by a person"},
		"left behind":  {&scenarios.Report{Scenario: "x", Verdict: verdict.Fail, ExitCode: 6, Reason: "run: foreshock fault heal --all"}, "fail x Something was left behind: the fault could not be healed. run: foreshock fault heal --all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := element(parse(t, draw(t, c.report)), func(n *html.Node) bool { return n.Data == "body" })
			if got := words(body); !strings.HasPrefix(got, c.want) {
				t.Errorf("got  %.300s\nwant %s", got, c.want)
			}
		})
	}
}

// Several scenarios are one page, which begins with the list of their verdicts.
func TestSeveral(t *testing.T) {
	t.Parallel()
	root := parse(t, draw(t, sample(t, "pass"), sample(t, "fail")))
	if nav := element(root, func(n *html.Node) bool { return n.Data == "nav" }); nav == nil || words(nav) != "pass payments-outage fail payments-outage" {
		t.Error("no list of verdicts")
	}
	ids := map[string]int{}
	for n := range root.Descendants() {
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
		if to := attr(n, "aria-labelledby"); to != "" && element(root, func(n *html.Node) bool { return attr(n, "id") == to }) == nil {
			t.Errorf("nothing has the id %s", to)
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("id %s: %d times", id, n)
		}
	}
	if err := page.Write(io.Discard); err == nil {
		t.Error("a page of no report was written")
	}
}

// A long run is drawn with a bounded number of marks, so that its page opens at once.
func TestBounded(t *testing.T) {
	t.Parallel()
	if n := len(draw(t, stormy(t))); n > 1<<19 {
		t.Errorf("12,000 calls: got a page of %d bytes, want at most half a megabyte", n)
	}
}

// The report has the dashboard's colours.
func TestPalette(t *testing.T) {
	t.Parallel()
	colours := func(path string) []string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`--[a-z-]+: #[0-9a-f]{6}`).FindAllString(string(b), -1)
	}
	own, dashboard := colours("palette.css"), colours("../../internal/web/assets/base.css")
	if !slices.Equal(own, dashboard) {
		t.Errorf("got  %q\nwant the dashboard's %q", own, dashboard)
	}
}
