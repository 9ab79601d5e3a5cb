// Package brokertest is a Pact Broker for tests: a real server on loopback that answers
// as the real one was recorded to, and notes each call. It must never be imported but
// by tests.
package brokertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A Broker answers what it was told to.
type Broker struct {
	*httptest.Server

	mu      sync.Mutex
	answers map[string]http.HandlerFunc // by "METHOD path"
	calls   []string
	auth    []string
}

// New starts a broker that has nothing but its entrance. It ends with the test.
func New(t *testing.T) *Broker {
	t.Helper()
	b := &Broker{answers: map[string]http.HandlerFunc{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	b.JSON("GET /", `{"_links":{
		"pb:provider-pacts-for-verification":{"href":"BASE/pacts/provider/{provider}/for-verification","templated":true},
		"pb:pacticipant-version":{"href":"BASE/pacticipants/{pacticipant}/versions/{version}","templated":true},
		"pb:pacticipant-branch-version":{"href":"BASE/pacticipants/{pacticipant}/branches/{branch}/versions/{version}","templated":true},
		"pb:pacticipant-version-tag":{"href":"BASE/pacticipants/{pacticipant}/versions/{version}/tags/{tag}","templated":true},
		"pb:environments":{"href":"/environments"}}}`)
	return b
}

// JSON makes the broker answer a call, such as "GET /matrix", with body, in which BASE
// is its own address.
func (b *Broker) JSON(call, body string) {
	b.Answer(call, http.StatusOK, "application/hal+json;charset=utf-8", strings.ReplaceAll(body, "BASE", b.URL))
}

// Answer makes the broker answer a call in any way.
func (b *Broker) Answer(call string, status int, contentType, body string) {
	b.Handle(call, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// Handle makes h answer a call.
func (b *Broker) Handle(call string, h http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[call] = h
}

// Pact makes the broker want the pact in file to be verified by its provider, and take
// results of it at /pacts/1/verification-results.
func (b *Broker) Pact(t *testing.T, file string, pending bool) {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // the test names it
	if err != nil {
		t.Fatal(err)
	}
	var pact map[string]any
	if err := json.Unmarshal(text, &pact); err != nil {
		t.Fatal(err)
	}
	provider := pact["provider"].(map[string]any)["name"].(string) //nolint:forcetypeassert // a pact has one
	b.JSON("POST /pacts/provider/"+provider+"/for-verification", fmt.Sprintf(`{"_embedded":{"pacts":[{
		"shortDescription":"latest from main branch",
		"verificationProperties":{"pending":%t,"wip":%t,"notices":[{"when":"before_verification","text":"because of main"}]},
		"_links":{"self":{"href":"BASE/pacts/1","name":"Pact between web (1) and %s"}}}]}}`, pending, pending, provider))
	pact["_links"] = map[string]any{"pb:publish-verification-results": map[string]any{"href": b.URL + "/pacts/1/verification-results"}}
	if text, err = json.Marshal(pact); err != nil {
		t.Fatal(err)
	}
	b.JSON("GET /pacts/1", string(text))
	b.JSON("POST /pacts/1/verification-results", `{}`)
}

// ServeHTTP implements [http.Handler].
func (b *Broker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	b.calls = append(b.calls, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	b.auth = append(b.auth, r.Header.Get("Authorization"))
	answer := b.answers[r.Method+" "+r.URL.EscapedPath()]
	b.mu.Unlock()
	if answer == nil {
		answer = http.NotFound
	}
	answer(w, r)
}

// Calls lists what the broker was asked so far: METHOD path?query body.
func (b *Broker) Calls() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

// Last is the last call.
func (b *Broker) Last() string {
	calls := b.Calls()
	if len(calls) == 0 {
		return "nothing"
	}
	return calls[len(calls)-1]
}

// Authorization lists the credentials that came with the calls.
func (b *Broker) Authorization() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.auth)
}
