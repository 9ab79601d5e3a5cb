package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/faults"
)

// Who reads the evidence at night must learn that somebody's rules took the packets, and
// find the lines where they were the last time.
func TestEvidenceNamesWhoOutranTheFault(t *testing.T) {
	t.Parallel()
	e := faults.Evidence{
		Kind: "drop", To: "10.0.0.7:80", Unit: "packets", HealedBy: faults.HealedByOwner,
		Tampered: "a rule was removed", Foreign: []string{"OUTPUT -j ACCEPT"}, Unaudited: "disk full", Warnings: []string{"two backends"},
	}
	for range 20 {
		var out bytes.Buffer
		(&program{stdout: &out}).printEvidence("text", e)
		want := "tampered     a rule was removed\n  outrun       rules of others came first, and may have let packets pass: OUTPUT -j ACCEPT\n  audit        disk full\n  warnings     two backends\n"
		if !strings.Contains(out.String(), want) {
			t.Fatalf("got\n%s\nwant\n%s", out.String(), want)
		}
	}
}
