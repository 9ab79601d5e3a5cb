package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/internal/junit"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/report"
)

// sample is one result of each status, with all that may go wrong in a message.
func sample() []results.Result {
	slot := time.Date(2026, 7, 14, 3, 0, 0, 123456789, time.UTC)
	key := func(check string) results.Key {
		return results.Key{Check: check, Location: "berlin", Slot: slot}
	}
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	return []results.Result{
		{
			Key: key("storefront"), Kind: "http", Start: slot, Duration: ms(12.3456), Labels: map[string]string{"team": "shop"},
			Steps: []results.Step{
				{Name: "connect", Offset: ms(0.1), Duration: ms(0.4)},
				{Name: "processing", Offset: ms(0.5), Duration: ms(11)},
				{Name: "transfer", Offset: ms(11.5), Duration: ms(0.8), Values: map[string]float64{"status_code": 200, "bytes": 512}},
			},
		},
		{
			Key: key("search"), Kind: "http", Start: slot, Duration: ms(750), Status: results.Warning, Cause: results.CauseSlow,
			Message: "search: took 750ms, want at most 500ms",
			Steps:   []results.Step{{Name: "processing", Duration: ms(749)}},
		},
		{
			Key: key("buy a mug"), Kind: "journey", Start: slot, Duration: ms(5020), Status: results.Critical, Cause: results.CauseAnswer,
			Message: "pay: got \"card|declined <b>\", want it to contain \"paid\"\nconsole: \x1b[31mTypeError\x1b[0m: 'x' = né",
			Steps: []results.Step{
				{Name: "open", Duration: ms(20), Warning: ms(500), Critical: ms(1500)},
				{Name: "pay|now='x'\n", Offset: ms(20), Duration: ms(5000), Status: results.Critical, Cause: results.CauseAnswer, Error: "got declined"},
				{Parent: 2, Name: "click #pay", Offset: ms(21), Duration: ms(4999), Status: results.Critical, Cause: results.CauseAnswer},
				{Name: "open", Offset: ms(5020), Duration: ms(5)}, // a second of that name
				{Name: "thanks", Offset: ms(5025), Warning: ms(2000), Status: results.Unknown, Cause: results.CauseStopped, Error: "not reached"},
			},
		},
		{
			Key: key("catalog"), Kind: "tcp", Start: slot, Duration: ms(0.0421), Status: results.Unknown, Cause: results.CauseResolver,
			Message: "lookup catalog: server misbehaving",
			Steps:   []results.Step{{Name: "resolve", Duration: ms(0.04), Status: results.Unknown, Cause: results.CauseResolver, Error: "server misbehaving"}},
		},
		{Key: key("missed"), Kind: "tcp", Start: slot, Status: results.Unknown, Cause: results.CauseMissed},
	}
}

func write(t *testing.T, format string, rs []results.Result) string {
	t.Helper()
	var b strings.Builder
	if err := report.Write(&b, format, rs); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		got := write(t, format, sample())
		proof.Golden(t, "testdata/"+format+".golden", got)
		if empty := write(t, format, nil); format != "junit" && empty != "" {
			t.Errorf("%s of no results: got %q, want nothing", format, empty)
		}
	}
}

// Every line of JSON is one result that reads back as it was.
func TestJSONReadsBack(t *testing.T) {
	t.Parallel()
	dec := json.NewDecoder(strings.NewReader(write(t, "json", sample())))
	for _, want := range sample() {
		var got results.Result
		if err := dec.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if lines := strings.Count(write(t, "json", sample()), "\n"); lines != len(sample()) {
		t.Errorf("got %d lines, want one a result", lines)
	}
}

// Steps within steps are listed where those have limits.
func TestStepsWithin(t *testing.T) {
	t.Parallel()
	s := time.Second
	text := write(t, "nagios", []results.Result{{Key: results.Key{Check: "suite"}, Duration: s, Steps: []results.Step{
		{Name: "shop", Duration: s},
		{Parent: 1, Name: "case1", Duration: s},
		{Parent: 2, Name: "log in", Duration: s, Warning: 2 * s, Critical: 3 * s},
		{Parent: 3, Name: "_click", Duration: s},
		{Parent: 2, Name: "pay", Duration: s},
		{Parent: 1, Name: "case2"},
		{Parent: 6, Name: "look"},
		{Name: "browser"},
	}}})
	_, data, _ := strings.Cut(text, "|time=1.000000s ")
	want := "'shop'=1.000000s;; 'shop: case1'=1.000000s;; 'shop: case1: log in'=1.000000s;2;3 'shop: case1: pay'=1.000000s;; " +
		"'shop: case2'=0.000000s;; 'browser'=0.000000s;;\n"
	if data != want {
		t.Errorf("got  %swant %s", data, want)
	}
}

func TestJUnitCounts(t *testing.T) {
	t.Parallel()
	var s junit.Suite
	if err := xml.Unmarshal([]byte(write(t, "junit", sample())), &s); err != nil {
		t.Fatal(err)
	}
	if s.Tests != 5 || s.Failures != 1 || s.Errors != 2 || s.Skipped != 0 || len(s.Cases) != 5 {
		t.Errorf("got %d tests, %d failures, %d errors, %d skipped, want 5, 1, 2, 0", s.Tests, s.Failures, s.Errors, s.Skipped)
	}
	for i, want := range []string{"", "", "failure answer", "error resolver", "error missed"} {
		got := ""
		switch c := s.Cases[i]; {
		case c.Failure != nil:
			got = "failure " + c.Failure.Message
		case c.Error != nil:
			got = "error " + c.Error.Message
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", s.Cases[i].Name, got, want)
		}
	}
}

// A monitoring system cuts a plugin's line at the bar, and performance data at spaces
// outside quotes: nothing a service said may put one there.
func TestNagiosLines(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(write(t, "nagios", sample()), "\n")
	if len(lines) != len(sample())+1 {
		t.Fatalf("got %d lines, want one a result", len(lines)-1)
	}
	perf := regexp.MustCompile(`^time=\d+\.\d{6}s( '[^'=|]+'=(\d+\.\d{6}s|U);[\d.]*;[\d.]*)*$`)
	for i, r := range sample() {
		text, data, _ := strings.Cut(strings.TrimSuffix(lines[i], "\n"), "|")
		if !strings.HasPrefix(text, strings.ToUpper(r.Status.String())+" - "+r.Check+": ") {
			t.Errorf("got %q, want it to start with status and name", text)
		}
		if !perf.MatchString(data) {
			t.Errorf("got performance data %q, want %s", data, perf)
		}
		if strings.ContainsFunc(text+data, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("got %q, want no control character", text+data)
		}
		labels := map[string]bool{}
		for _, m := range regexp.MustCompile(`'([^']+)'=`).FindAllStringSubmatch(data, -1) {
			if labels[m[1]] {
				t.Errorf("got label %q twice in %q", m[1], data)
			}
			labels[m[1]] = true
		}
	}
	if !strings.Contains(lines[2], "'open'=0.025000s;0.5;1.5") {
		t.Errorf("got %q, want the two steps of one name summed, with their limits", lines[2])
	}
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	err := report.Write(nil, "jsn", sample())
	if want := `format: unknown format "jsn"; did you mean "json"? Known: text, json, junit, nagios`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		if err := report.Write(broken{}, format, sample()); !errors.Is(err, errPipe) {
			t.Errorf("%s: got %v, want the writer's error", format, err)
		}
	}
}

var errPipe = errors.New("broken pipe")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errPipe }
