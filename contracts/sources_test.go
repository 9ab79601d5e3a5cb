package contracts_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/contracts/broker"
	"github.com/foreshock/foreshock/contracts/broker/brokertest"
	"github.com/foreshock/foreshock/results"
)

// A pact at an address is verified as the same file is.
func TestPactAtAnAddress(t *testing.T) {
	t.Parallel()
	provider := inventory(t, 3)
	pacts := serve(t, http.FileServer(http.Dir("testdata")).ServeHTTP)
	rep := verify(t, request(provider.URL, pacts.URL+"/inventory.json?token=hush"))
	want{[]string{known + " = ok", unknown + " = ok"}, results.OK, "", 0}.check(t, rep)
	if file := rep.Interactions[0].File; file != pacts.URL+"/inventory.json" {
		t.Errorf("got it from %q, want the address without its query", file)
	}
	for path, want := range map[string]string{"/none.json": "404", "/golden/": "not a pact"} {
		_, err := realWorker(t).Verify(t.Context(), request(provider.URL, pacts.URL+path))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", path, err, want)
		}
		if s, _ := results.Judge(err); s != results.Unknown {
			t.Errorf("%s: got %v, want unknown", path, s)
		}
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	provider := inventory(t, 3)
	const back = "back-office: a request for stock of sku-1, given "
	for name, tt := range map[string]struct {
		files  []string
		filter contracts.Filter
		want   []string
	}{
		"description": {[]string{"testdata/inventory.json"}, contracts.Filter{Description: regexp.MustCompile("unknown")}, []string{unknown + " = ok"}},
		"state":       {[]string{"testdata/same-words.json"}, contracts.Filter{State: regexp.MustCompile("gone|back$")}, []string{back + "sku-1 is gone = ok", back + "sku-1 is back = ok"}},
		"no state":    {[]string{"testdata/inventory.json", "testdata/pending.json"}, contracts.Filter{NoState: true, Description: regexp.MustCompile("stock")}, []string{"checkout-web: a request for stock of sku-1 = ok"}},
		"safe":        {[]string{"testdata/pending.json"}, contracts.Filter{Safe: true}, []string{"checkout-web: a request for stock of sku-1 = ok"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := request(provider.URL, tt.files...)
			req.Filter = tt.filter
			rep := verify(t, req)
			if diff := cmp.Diff(tt.want, lines(rep)); diff != "" {
				t.Errorf("interactions (-want +got):\n%s", diff)
			}
			if len(rep.PassedOver) == 0 {
				t.Error("nothing is said of what was passed over")
			}
		})
	}
	req := request(provider.URL, "testdata/inventory.json")
	req.Filter.Description = regexp.MustCompile("nothing of the kind")
	if rep := verify(t, req); rep.ExitCode() != 4 {
		t.Errorf("all filtered: got exit code %d, want 4", rep.ExitCode())
	}
}

// A state is set by a program: what it prints are values for the pact's generators,
// and what it fails at is told, and is no broken contract.
func TestStateCommand(t *testing.T) {
	t.Parallel()
	provider := inventory(t, 3)
	log := filepath.Join(t.TempDir(), "log")
	req := request(provider.URL, "testdata/inventory.json")
	req.StateCommand = []string{"sh", "-c", `
		{ cat; echo " $PACT_STATE_ACTION"; } >> "$0"
		case "$PACT_STATE" in "no such sku") echo "no database" >&2; exit 3;; esac`, log}
	rep := verify(t, req)
	want{
		[]string{known + " = ok", unknown + " = not-applicable"},
		results.Unknown, results.CauseInternal, 3,
	}.check(t, rep)
	if text := rep.Interactions[1].Message; !strings.Contains(text, "no database") || !strings.Contains(text, "exit status 3") {
		t.Errorf("got %q, want why the program failed", text)
	}
	said, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"action":"setup","params":{"qty":3},"state":"sku-1 has stock"} setup`, `"action":"teardown"`} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the program was told\n%s\nwant %s in it", said, want)
		}
	}
}

// Messages are asked for at the provider's address, beside its HTTP interactions.
func TestMessages(t *testing.T) {
	t.Parallel()
	for left, want := range map[string]string{
		"2": "mailer: stock ran low, given sku-1 is nearly sold out = ok",
		`"two"`: "mailer: stock ran low, given sku-1 is nearly sold out = broken | " +
			"$.left: Expected 'two' (String) to be an integer",
	} {
		stock := inventory(t, 3).Config.Handler
		provider := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				stock.ServeHTTP(w, r)
				return
			}
			body, _ := io.ReadAll(r.Body)
			if !strings.Contains(string(body), "stock ran low") {
				t.Errorf("asked for %s, want the message by its description", body)
			}
			w.Header().Set("Pact-Message-Metadata", base64.StdEncoding.EncodeToString([]byte(`{"topic":"stock"}`)))
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"sku":"sku-1","left":`+left+`}`)
		})
		rep := verify(t, request(provider.URL, "testdata/messages.json"))
		if diff := cmp.Diff([]string{want, "mailer: a request for stock of sku-1 = ok"}, lines(rep)); diff != "" {
			t.Errorf("interactions (-want +got):\n%s", diff)
		}
	}
}

// ask returns a client of the broker.
func ask(t *testing.T, b *brokertest.Broker) *broker.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := broker.New(broker.Options{URL: b.URL, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A pact that is in no file is verified, and leaves none behind even while that goes on.
func TestNoFileIsLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	stock := inventory(t, 3).Config.Handler
	provider := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("meanwhile there is %v (%v), want nothing", left, err)
		}
		stock.ServeHTTP(w, r)
	})
	req := request(provider.URL, "testdata/inventory.json")
	req.Filter.Description = regexp.MustCompile("unknown")
	if diff := cmp.Diff([]string{unknown + " = ok"}, lines(verify(t, req))); diff != "" {
		t.Errorf("interactions (-want +got):\n%s", diff)
	}
}

// A pact that the broker calls pending must not fail the provider's build, and is told.
func TestBrokersPacts(t *testing.T) {
	t.Parallel()
	lies := inventory(t, "3")
	for pending, want := range map[bool]want{
		false: {[]string{known + " = broken | $.qty: Expected '3' (String) to be an integer", unknown + " = ok"}, results.Critical, results.CauseContract, 1},
		true:  {[]string{known + " = broken | $.qty: Expected '3' (String) to be an integer", unknown + " = ok"}, results.Warning, results.CauseContract, 0},
	} {
		b := brokertest.New(t)
		b.Pact(t, "testdata/inventory.json", pending)
		req := request(lies.URL)
		req.Broker = ask(t, b)
		rep := verify(t, req)
		want.check(t, rep)
		if len(rep.Notices) != 1 || rep.Notices[0] != "because of main" {
			t.Errorf("notices: got %q, want the broker's", rep.Notices)
		}
	}
	req := request(lies.URL)
	req.Broker = ask(t, brokertest.New(t))
	if rep := verify(t, req); rep.ExitCode() != 4 || !strings.Contains(rep.Err().Error(), "knows no such provider") {
		t.Errorf("unknown to the broker: got exit code %d, %v, want 4: nothing was verified", rep.ExitCode(), rep.Err())
	}
	req.Files = []string{"testdata/inventory.json"} // and those count all the same
	if rep := verify(t, req); rep.ExitCode() != 1 || len(rep.Interactions) != 2 || len(rep.PassedOver) != 1 {
		t.Errorf("unknown to the broker, beside a file: got exit code %d, %q, passed over %q, want the file verified", rep.ExitCode(), lines(rep), rep.PassedOver)
	}
}

// What is published is what was found; of a provider that was away, nothing is.
func TestPublish(t *testing.T) {
	t.Parallel()
	keeps, lies := inventory(t, 3), inventory(t, "3")
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, tt := range map[string]struct {
		url  string
		part bool
		want string // the last call
		held string
	}{
		"kept":   {keeps.URL, false, `"success":true,"providerApplicationVersion":"2"`, ""},
		"broken": {lies.URL, false, `"mismatches":[{"attribute":"body","identifier":"$.qty","description":"Expected '3' (String) to be an integer"}]`, ""},
		"away":   {gone.URL, false, "GET /pacts/1", "unreachable"},
		"partly": {keeps.URL, true, "GET /pacts/1", "only some of its interactions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.New(t)
			b.Pact(t, "testdata/inventory.json", false)
			req := request(tt.url)
			req.Broker = ask(t, b)
			if tt.part {
				req.Filter.Description = regexp.MustCompile("unknown")
			}
			n, held, err := verify(t, req).Publish(t.Context(), req.Broker, broker.Version{Provider: "inventory", Number: "2"})
			if err != nil {
				t.Fatal(err)
			}
			if (n == 1) != (tt.held == "") || !strings.Contains(strings.Join(held, "\n"), tt.held) {
				t.Errorf("got %d published, held %q, want %q", n, held, tt.held)
			}
			if got := b.Last(); !strings.Contains(got, tt.want) {
				t.Errorf("the broker was told %s\nwant %s in it", got, tt.want)
			}
		})
	}
}
