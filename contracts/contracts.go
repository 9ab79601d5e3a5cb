// Package contracts verifies a running provider against Pact files. The native
// verifier runs in a child process, so that what it does to that process cannot end
// the scheduler, and each interaction gets one of four words: a contract that is
// broken, a provider that cannot be reached and a state that cannot be set are three
// different things. The package must never call something verified that was not: an
// empty directory, a pact of another provider or a silent verifier is never ok.
package contracts

import (
	"encoding/json"
	"time"

	"github.com/foreshock/foreshock/contracts/broker"
	"github.com/foreshock/foreshock/contracts/worker"
	"github.com/foreshock/foreshock/results"
)

// A Request says which provider is held to which pacts.
type Request struct {
	Provider     string            // as the pacts name it
	URL          string            // base URL of the running provider, http or https, without credentials
	Files        []string          // pact files, directories whose *.json are pact files, and their http or https addresses
	Broker       *broker.Client    // asked for pacts too; nil: no broker
	Selection    broker.Selection  // which pacts it is asked for
	Filter       Filter            // which interactions count
	StateURL     string            // where provider states are set up and torn down; empty: nowhere
	StateCommand []string          // the program that does it, instead, with its arguments
	Headers      map[string]string // sent with every request to the provider; values may be secret
	Timeout      time.Duration     // of each request; 0 is [DefaultTimeout]; less if the context ends before all could use it
	InsecureTLS  bool              // certificates are not checked
	TLS          TLS
	Fresh        map[string][]string // headers whose value a program prints anew for each verification
}

// DefaultTimeout is how long the provider may take to answer one request.
const DefaultTimeout = 10 * time.Second

// Outcome is what one interaction came to.
type Outcome string

// The outcomes. Only OK and Broken say something of the contract.
const (
	OK            Outcome = "ok"
	Broken        Outcome = "broken"         // the provider answered, and not as the contract says
	Unreachable   Outcome = "unreachable"    // the provider gave no answer
	NotApplicable Outcome = "not-applicable" // its provider state could not be set
)

// A Report is what one verification found. The zero Report verified nothing.
type Report struct {
	Provider     string
	URL          string
	Library      worker.Library // that verified
	Start        time.Time
	Duration     time.Duration
	Interactions []Interaction // in the order of the files
	PassedOver   []string      // pacts and interactions that do not count, with the reason
	Notices      []string      // what the broker has to say

	pacts []pact // that were verified
}

// An Interaction is one request and answer of a contract, and what came of it.
type Interaction struct {
	File        string // the pact: its path, or its address
	Line        int    // where it begins there, from 1
	Type        Type
	Consumer    string
	Description string
	States      []string // that the provider was to be in
	Method      string
	Path        string
	Pending     bool // not yet to be kept, as its consumer or the broker says; broken, it is a warning
	Outcome     Outcome
	Documented  string        // of Broken: the interaction that documents the error which came instead
	Cause       results.Cause // of Unreachable: refused, timeout, nxdomain, tls, reset ...
	Message     string        // what was wrong, unless Mismatches say it
	Mismatches  []Mismatch
	Offset      time.Duration // since the Report's Start, to within the verifier's own start
	Duration    time.Duration // with the setting of its states
	Response    time.Duration // until the provider's whole answer was there, or none came

	step    string // its name as a step, which is the same in each run
	id      string // the broker's
	own     bool   // Pending because the pact itself says so
	marked  bool   // as safe, by the pact
	content json.RawMessage
}

// Type is what an interaction is about.
type Type string

// The types of interactions.
const (
	HTTP        Type = "http"
	Message     Type = "message"      // that the provider sends
	SyncMessage Type = "sync-message" // that the provider answers with another
)

// A Mismatch is one difference between the contract and the answer.
type Mismatch struct {
	Type     string `json:"type"`           // StatusMismatch, HeaderMismatch, BodyMismatch ...
	Path     string `json:"path,omitempty"` // in the body, or the header's name
	Expected string `json:"expected,omitempty"`
	Actual   string `json:"actual,omitempty"`
	Text     string `json:"mismatch"` // the verifier's sentence
}

// String gives the place and the sentence.
func (m Mismatch) String() string {
	if m.Path == "" {
		return m.Text
	}
	return m.Path + ": " + m.Text
}
