package broker_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/contracts/broker"
	"github.com/foreshock/foreshock/contracts/broker/brokertest"
	"github.com/foreshock/foreshock/results"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "tok-123-secret"

func client(t *testing.T, b *brokertest.Broker) *broker.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := broker.New(broker.Options{URL: b.URL, Token: token, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPacts(t *testing.T) {
	t.Parallel()
	f := brokertest.New(t)
	f.Pact(t, "../testdata/inventory.json", true)
	selectors, err := broker.ParseSelectors(`[{"mainBranch":true},{"deployedOrReleased":true}]`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := client(t, f).Pacts(t.Context(), "inventory", broker.Selection{
		Selectors: selectors, Branch: "main", Tags: []string{"dev"}, WIPSince: "2026-01-01",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || !got[0].Pending || !got[0].WIP || !strings.Contains(string(got[0].Content), `"checkout-web"`) {
		t.Errorf("got %+v, want the pact of web, pending and work in progress", got)
	}
	if said := got[0].Say("before_verification"); len(said) != 1 || said[0] != "because of main" {
		t.Errorf("notices: got %q, want the broker's reason", said)
	}
	want := `POST /pacts/provider/inventory/for-verification {"consumerVersionSelectors":[{"mainBranch":true},{"deployedOrReleased":true}],` +
		`"providerVersionBranch":"main","providerVersionTags":["dev"],"includePendingStatus":true,"includeWipPactsSince":"2026-01-01"}`
	if calls := f.Calls(); len(calls) != 3 || calls[1] != want {
		t.Errorf("calls:\n%s\nwant as the second of three:\n%s", strings.Join(calls, "\n"), want)
	}
	for i, a := range f.Authorization() {
		if a != "Bearer "+token {
			t.Errorf("call %d: got authorization %q, want the token", i, a)
		}
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	f := brokertest.New(t)
	f.Pact(t, "../testdata/inventory.json", true)
	f.JSON("PUT /pacticipants/inventory/branches/feat%2Fx/versions/2", `{}`)
	f.JSON("PUT /pacticipants/inventory/versions/2/tags/dev", `{}`)
	c := client(t, f)
	pacts, err := c.Pacts(t.Context(), "inventory", broker.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	v := broker.Version{Provider: "inventory", Number: "2", Branch: "feat/x", Tags: []string{"dev"}, BuildURL: "http://ci/1"}
	if err := c.SetVersion(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	err = c.Publish(t.Context(), pacts[0], v, broker.Verification{Verifier: "0.4.28", Interactions: []broker.Tested{{
		ID: "abc", Description: "stock", Mismatches: []broker.Mismatch{{"body", "$.qty", "Expected a number"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	last := f.Last()
	want := `POST /pacts/1/verification-results {"success":false,"providerApplicationVersion":"2","buildUrl":"http://ci/1",` +
		`"testResults":[{"interactionId":"abc","interactionDescription":"stock","success":false,` +
		`"mismatches":[{"attribute":"body","identifier":"$.qty","description":"Expected a number"}]}],` +
		`"verifiedBy":{"implementation":"Foreshock","version":"0.4.28"}}`
	if last != want {
		t.Errorf("published\n%s\nwant\n%s", last, want)
	}
	if err := c.Publish(t.Context(), pacts[0], broker.Version{}, broker.Verification{}); err == nil {
		t.Error("published without a version, want an error")
	}
}

func TestCanIDeploy(t *testing.T) {
	t.Parallel()
	const row = `{"consumer":{"name":"Foo","version":{"number":"4"}},"provider":{"name":"Bar","version":{"number":"5"}},
		"verificationResult":{"success":%v,"verifiedAt":"2017-10-10T12:49:04+11:00"}}`
	for deployable, want := range map[string]broker.Answer{"true": broker.Yes, "false": broker.No, "null": broker.Unknown} {
		f := brokertest.New(t)
		f.JSON("GET /matrix", fmt.Sprintf(`{"summary":{"deployable":%s,"reason":"because"},"matrix":[`+row+`,
			{"consumer":{"name":"Foo","version":{"number":"4"}},"provider":{"name":"Baz","version":null},"verificationResult":null}]}`, deployable, true))
		m, err := client(t, f).CanIDeploy(t.Context(), broker.Query{
			Asked: []broker.Asked{{Pacticipant: "Foo", Version: "4"}}, Environment: "staging",
		})
		if err != nil || m.Answer != want || m.Reason != "because" {
			t.Errorf("deployable %s: got %v (%v), want %s", deployable, m, err, want)
		}
		if m.Count(broker.Yes) != 1 || m.Count(broker.Unknown) != 1 || m.Rows[0].Verified.IsZero() {
			t.Errorf("rows: got %+v, want one verified with its time, one unknown", m.Rows)
		}
		if got, want := f.Calls()[0], "GET /matrix?q%5B%5D%5Bpacticipant%5D=Foo&q%5B%5D%5Bversion%5D=4&latestby=cvpv&environment=staging"; got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
	}
}

func TestDeployments(t *testing.T) {
	t.Parallel()
	f := brokertest.New(t)
	f.JSON("GET /pacticipants/inventory/versions/2", `{"_links":{"pb:record-deployment":[
		{"href":"BASE/deploy/test","name":"test"},{"href":"BASE/deploy/staging","name":"staging"}]}}`)
	f.JSON("POST /deploy/staging", `{}`)
	f.JSON("GET /environments", `{"_embedded":{"environments":[{"name":"staging","_links":{"self":{"href":"BASE/environments/1"}}}]}}`)
	f.JSON("GET /environments/1", `{"_links":{"pb:currently-deployed-deployed-versions":{"href":"BASE/environments/1/current"}}}`)
	f.JSON("GET /environments/1/current", `{"_embedded":{"deployedVersions":[
		{"applicationInstance":"blue","_embedded":{"version":{"number":"2"},"pacticipant":{"name":"inventory"}}}]}}`)
	c := client(t, f)
	if err := c.RecordDeployment(t.Context(), "inventory", "2", "staging", "blue"); err != nil {
		t.Error(err)
	}
	if got := f.Last(); got != `POST /deploy/staging {"applicationInstance":"blue"}` {
		t.Errorf("got %q, want the instance to be sent", got)
	}
	err := c.RecordDeployment(t.Context(), "inventory", "2", "stagin", "")
	if err == nil || !strings.Contains(err.Error(), "staging") {
		t.Errorf("unknown environment: got %v, want the nearest to be named", err)
	}
	got, err := c.Deployed(t.Context(), "inventory", "staging")
	if err != nil || len(got) != 1 || got[0] != (broker.Deployed{Number: "2", Instance: "blue"}) {
		t.Errorf("deployed: got %v (%v), want version 2 on blue", got, err)
	}
	if _, err := c.Deployed(t.Context(), "inventory", "prod"); err == nil {
		t.Error("deployed in an environment that is not there: got no error")
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status            int
		contentType, body string
		want              []string
	}{
		"HTML":         {200, "text/html", "<html>", []string{"text/html", "is this its address"}},
		"unauthorised": {401, "application/json", `{}`, []string{"401", "broker-token"}},
		"refused":      {400, "application/hal+json", `{"errors":{"consumerVersionSelectors":["no such thing"]}}`, []string{"400", "no such thing"}},
		"failing":      {500, "text/plain", "boom", []string{"500", "its log"}},
		"not a broker": {200, "application/json", `{"hello":1}`, []string{"pb:provider-pacts-for-verification"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := brokertest.New(t)
			f.Answer("GET /", c.status, c.contentType, c.body)
			_, err := client(t, f).Pacts(t.Context(), "inventory", broker.Selection{})
			if s, _ := results.Judge(err); s != results.Unknown {
				t.Errorf("got %v (%v), want unknown: it says nothing of the contract", s, err)
			}
			for _, want := range c.want {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
			if strings.Contains(fmt.Sprint(err), token) {
				t.Errorf("got the token in %v", err)
			}
		})
	}
}

// A gateway that fails for a moment must not fail a build.
func TestPassingTrouble(t *testing.T) {
	t.Parallel()
	f := brokertest.New(t)
	f.Pact(t, "../testdata/inventory.json", true)
	n := 0
	f.Handle("GET /", func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, `{"_links":{"pb:provider-pacts-for-verification":{"href":"/pacts/provider/{provider}/for-verification"}}}`)
	})
	if _, err := client(t, f).Pacts(t.Context(), "inventory", broker.Selection{}); err != nil {
		t.Errorf("got %v, want a second try to succeed", err)
	}
}

// Credentials are the broker's: a link to another host must not get them.
func TestCredentialsStayHome(t *testing.T) {
	t.Parallel()
	f := brokertest.New(t)
	f.JSON("GET /", strings.ReplaceAll(`{"_links":{"pb:provider-pacts-for-verification":{"href":"OTHER/pacts/{provider}"}}}`,
		"OTHER", strings.Replace(f.URL, "127.0.0.1", "localhost", 1)))
	f.Answer("POST /pacts/inventory", http.StatusUnauthorized, "text/plain", "")
	_, err := client(t, f).Pacts(t.Context(), "inventory", broker.Selection{})
	if err == nil || !strings.Contains(err.Error(), "no credentials are sent elsewhere") {
		t.Errorf("got %v, want it to say that no credentials were sent", err)
	}
	auth := f.Authorization()
	if auth[len(auth)-1] != "" {
		t.Errorf("another host was sent %q", auth[len(auth)-1])
	}
}

func TestSelectors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"mainBranch":true}`:                       "",
		`[{"tag":"prod","latest":true}]`:            "",
		`[{"branch":"x","fallbackBranch":"main"}]`:  "",
		`[{"environment":"prod","consumer":"web"}]`: "",
		`[]`:                               "empty list",
		`[{}]`:                             "got none of",
		`{"mainBrunch":true}`:              "mainBranch",
		`{"mainBranch":"yes"}`:             "mainBranch: got a string, want a bool",
		`{"mainBranch":true,"tag":"x"}`:    "alone",
		`{"branch":"x","tag":"y"}`:         "one of them",
		`{"branch":"x","environment":"y"}`: "two selectors",
		`{"branch":"x","fallbackTag":"y"}`: "fallbackTag",
		`{"tag":"x","fallbackBranch":"y","latest":true}`: "fallbackBranch",
		`main`: "want a selector",
	} {
		_, err := broker.ParseSelectors(text)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []broker.Options{
		{}, {URL: "ftp://x"}, {URL: "http://user:secret@x"}, {URL: "http://x", Token: "secret", User: "u"},
	} {
		_, err := broker.New(o)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: got %v, want an error without the secret", o, err)
		}
	}
}
