package contracts_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/contracts/worker"
	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/results"
)

// reportOfEverything has every outcome, and texts that need escaping in each format.
func reportOfEverything() contracts.Report {
	in := func(line int, description string, o contracts.Outcome) contracts.Interaction {
		return contracts.Interaction{
			File: "pacts/web,catalog.json", Line: line, Consumer: "web", Description: description,
			Method: "GET", Path: "/p", Outcome: o, Duration: 12 * time.Millisecond,
		}
	}
	broken := in(18, "a <request> for 100% of mugs", contracts.Broken)
	broken.States = []string{"mugs exist", "it rains"}
	broken.Mismatches = []contracts.Mismatch{
		{Type: "StatusMismatch", Expected: "200", Actual: "500", Text: "expected 200 but was 500"},
		{Type: "BodyMismatch", Path: "$.qty", Expected: "3", Actual: "'3'", Text: "Expected '3' (String)\nto be an integer"},
	}
	pending := in(30, "a request nobody serves yet", contracts.Broken)
	pending.Pending, pending.Mismatches = true, broken.Mismatches[:1]
	down := in(42, "a request", contracts.Unreachable)
	down.Cause, down.Message = results.CauseRefused, "dial tcp 127.0.0.1:1: connect: connection refused"
	stateless := in(54, "a request in a state", contracts.NotApplicable)
	stateless.Message = "One or more of the setup state change handlers has failed"
	return contracts.Report{
		Provider: "catalog", URL: "http://127.0.0.1:8081", Library: worker.Library{Path: "/lib.so", Version: "0.4.28"},
		Start: time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("CET", 3600)), Duration: 150 * time.Millisecond,
		Interactions: []contracts.Interaction{in(6, "a request for all", contracts.OK), broken, pending, down, stateless},
		PassedOver:   []string{`pacts/x.json: its provider is "payments", not "catalog"`},
	}
}

func TestReportFormats(t *testing.T) {
	t.Parallel()
	nothing := reportOfEverything()
	nothing.Interactions = nil
	for name, write := range map[string]func(io.Writer, contracts.Report) error{
		"txt": contracts.WriteText, "json": contracts.WriteJSON, "xml": contracts.WriteJUnit, "github": contracts.WriteGitHub,
	} {
		for part, rep := range map[string]contracts.Report{"everything": reportOfEverything(), "nothing": nothing} {
			var b bytes.Buffer
			if err := write(&b, rep); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "golden", part+"."+name)
			proof.Golden(t, golden, b.String())
			switch name {
			case "json":
				if !json.Valid(b.Bytes()) || bytes.Count(b.Bytes(), []byte("\n")) != 1 {
					t.Errorf("%s is not one line of JSON", golden)
				}
			case "xml":
				if err := xml.Unmarshal(b.Bytes(), new(struct{ XMLName xml.Name })); err != nil {
					t.Errorf("%s: %v", golden, err)
				}
			}
			if write(brokenPipe{}, rep) == nil {
				t.Errorf("%s: no error when it could not be written", name)
			}
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// The report of each set of outcomes, by DESIGN's table of exit codes and statuses.
func TestRollUp(t *testing.T) {
	t.Parallel()
	const pending = contracts.Outcome("pending")
	for _, tt := range []struct {
		outcomes []contracts.Outcome
		status   results.Status
		exit     int
	}{
		{nil, results.Unknown, 4},
		{[]contracts.Outcome{contracts.OK, contracts.OK}, results.OK, 0},
		{[]contracts.Outcome{contracts.OK, contracts.Broken}, results.Critical, 1},
		{[]contracts.Outcome{contracts.Unreachable, contracts.NotApplicable, contracts.Broken}, results.Critical, 1},
		{[]contracts.Outcome{contracts.OK, contracts.Unreachable}, results.Unknown, 3},
		{[]contracts.Outcome{contracts.NotApplicable, contracts.Unreachable}, results.Unknown, 3},
		{[]contracts.Outcome{contracts.OK, contracts.NotApplicable}, results.Unknown, 3},
		{[]contracts.Outcome{contracts.NotApplicable}, results.Unknown, 4},
		{[]contracts.Outcome{contracts.OK, pending}, results.Warning, 0},
		{[]contracts.Outcome{pending}, results.Unknown, 4},
		{[]contracts.Outcome{pending, contracts.NotApplicable}, results.Unknown, 4},
	} {
		var rep contracts.Report
		for _, o := range tt.outcomes {
			in := contracts.Interaction{Outcome: o}
			if o == pending {
				in.Outcome, in.Pending = contracts.Broken, true
			}
			rep.Interactions = append(rep.Interactions, in)
		}
		if status, _ := results.Judge(rep.Err()); status != tt.status || rep.ExitCode() != tt.exit {
			t.Errorf("%q: got %v and exit code %d, want %v and %d", tt.outcomes, status, rep.ExitCode(), tt.status, tt.exit)
		}
	}
}

func TestOurOwnNetworkIsTheCause(t *testing.T) {
	t.Parallel()
	rep := contracts.Report{Interactions: []contracts.Interaction{
		{Outcome: contracts.Unreachable, Cause: results.CauseTimeout},
		{Outcome: contracts.Unreachable, Cause: results.CauseResolver},
	}}
	if s, c := results.Judge(rep.Err()); s != results.Unknown || c != results.CauseResolver {
		t.Errorf("got %v %q, want unknown resolver", s, c)
	}
}
