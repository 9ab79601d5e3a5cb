// Package worker holds the words that foreshock and its child foreshock-pact exchange:
// one JSON request on standard input, one JSON response on standard output. It must
// never judge a provider: what the verifier said is passed on as it is.
package worker

import "encoding/json"

// LibraryVersion is the version of libpact_ffi that the worker is written for. It
// refuses any other: the functions it calls are not the same in all of them.
const LibraryVersion = "0.4.28"

// A Request asks for one verification of one provider.
type Request struct {
	Library     string   `json:"library,omitempty"` // path of libpact_ffi; empty: where the worker looks by itself
	Provider    string   `json:"provider"`
	Scheme      string   `json:"scheme"` // http or https
	Host        string   `json:"host"`   // an IPv6 address has its brackets
	Port        uint16   `json:"port"`
	Path        string   `json:"path"`                  // of the base URL, / at least
	Files       []string `json:"files"`                 // pact files, verified in this order
	TimeoutMS   int64    `json:"timeout_ms"`            // of each request to the provider, from 1
	StateURL    string   `json:"state_url,omitempty"`   // provider states are asked for here; empty: they are not
	Headers     []Header `json:"headers,omitempty"`     // sent with every request to the provider
	InsecureTLS bool     `json:"insecure_tls,omitzero"` // certificates are not checked
}

// A Header is one header of a request; its value may be a secret.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Response is what the worker answers, whatever happens. Error is set if the
// verification could not be made, and Pacts then holds what was done before.
type Response struct {
	Library Library `json:"library"`
	Pacts   []Pact  `json:"pacts,omitempty"`
	Error   *Error  `json:"error,omitempty"`
}

// Library is the libpact_ffi that was loaded.
type Library struct {
	Path    string `json:"path,omitempty"`
	Version string `json:"version,omitempty"`
}

// A Pact is what the verifier said of one file. Verdict is its JSON as libpact_ffi
// writes it, and Code what its run returned: 0 verified, 1 not, more is a failure of
// the verifier itself.
type Pact struct {
	File    string          `json:"file"`
	Code    int             `json:"code"`
	Verdict json.RawMessage `json:"verdict,omitempty"`
}

// The kinds of Error.
const (
	KindTool    = "tool"    // libpact_ffi is missing, or of another version, or the worker was built without cgo
	KindRequest = "request" // the request cannot be understood
)

// An Error says why the worker could not verify anything. Want and Found are versions
// of libpact_ffi, where that is the trouble.
type Error struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Want    string `json:"want,omitempty"`
	Found   string `json:"found,omitempty"`
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }
