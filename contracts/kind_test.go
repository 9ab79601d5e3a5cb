package contracts_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/contracts/broker/brokertest"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

func table(dir string, w *contracts.Worker) kind.Table[results.Check] {
	return kind.Table[results.Check]{contracts.Kind(dir, w)}
}

func TestKindExampleBuilds(t *testing.T) {
	t.Parallel()
	k := contracts.Kind(".", &contracts.Worker{})
	if _, err := table(".", &contracts.Worker{}).BuildText(k.Name, k.Example); err != nil || k.Name != "contract" {
		t.Errorf("%s: %v", k.Name, err)
	}
}

func TestCheckRecordsEachInteractionAsAStep(t *testing.T) {
	t.Parallel()
	w := realWorker(t)
	url := inventory(t, "3").URL
	check, err := table("testdata", w).BuildText("contract",
		"{provider: inventory, url: '"+url+"', files: [inventory.json, same-words.json], request_timeout: 5s}")
	if err != nil {
		t.Fatal(err)
	}
	rec := results.NewRecorder()
	res := rec.Finish(check.Run(t.Context(), rec))
	if res.Status != results.Critical || res.Cause != results.CauseContract {
		t.Errorf("got %v %q", res.Status, res.Cause)
	}
	wantMessage := "contract of inventory: 2 of 5 interactions broken: checkout-web: a request for stock of sku-1: " +
		"$.qty: Expected '3' (String) to be an integer"
	if res.Message != wantMessage {
		t.Errorf("got message  %q\nwant %q", res.Message, wantMessage)
	}
	var got []string
	end := time.Duration(0)
	for _, s := range res.Steps {
		got = append(got, s.Name+" = "+s.Status.String()+" "+string(s.Cause))
		if s.Offset < end || s.Duration <= 0 || s.Offset+s.Duration > res.Duration {
			t.Errorf("step %q: %v from %v, want it after %v and within the run's %v", s.Name, s.Duration, s.Offset, end, res.Duration)
		}
		end = s.Offset + s.Duration
	}
	if diff := cmp.Diff([]string{
		"checkout-web: a request for stock of sku-1 = critical contract",
		"checkout-web: a request for stock of an unknown sku = ok ",
		"back-office: a request for stock of sku-1, given sku-1 has stock = critical contract",
		"back-office: a request for stock of sku-1, given sku-1 is gone = ok ",
		"back-office: a request for stock of sku-1, given sku-1 is back = ok ",
	}, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestCheckOfAMissingPactIsUnknown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check, err := table(dir, &contracts.Worker{}).BuildText("contract", "{provider: p, url: 'http://127.0.0.1:1', files: [x.json]}")
	if err != nil {
		t.Fatal(err)
	}
	rec := results.NewRecorder()
	res := rec.Finish(check.Run(t.Context(), rec))
	if res.Status != results.Unknown || res.Cause != results.CauseInternal || res.Message != filepath.Join(dir, "x.json")+": no such file or directory" {
		t.Errorf("got %v %q: %s", res.Status, res.Cause, res.Message)
	}
}

// A check sends nothing that may change something, unless it was told to.
func TestCheckIsSafe(t *testing.T) {
	t.Parallel()
	var posted atomic.Int32
	stock := inventory(t, 3).Config.Handler
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posted.Add(1)
		}
		stock.ServeHTTP(w, r)
	}).URL
	for more, want := range map[string]struct {
		posted int32
		status results.Status
	}{
		"":                    {0, results.OK},
		", interactions: all": {1, results.Warning}, // it is pending
		", also_safe: [an order that nobody takes yet]": {1, results.Warning},
	} {
		posted.Store(0)
		check, err := table("testdata", realWorker(t)).BuildText("contract", "{provider: inventory, url: '"+url+"', files: [pending.json]"+more+"}")
		if err != nil {
			t.Fatal(err)
		}
		rec := results.NewRecorder()
		if res := rec.Finish(check.Run(t.Context(), rec)); res.Status != want.status || posted.Load() != want.posted {
			t.Errorf("%q: got %v, %d orders (%s), want %v, %d", more, res.Status, posted.Load(), res.Message, want.status, want.posted)
		}
	}
}

// What runs is compared with what the broker believes: before a deploy relies on it.
func TestDrift(t *testing.T) {
	t.Parallel()
	stock := inventory(t, 3).Config.Handler
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", "7")
		if r.URL.Path == "/info" {
			answer(w, http.StatusOK, map[string]any{"build": map[string]any{"version": "7"}})
			return
		}
		stock.ServeHTTP(w, r)
	}).URL
	for name, tt := range map[string]struct {
		version, believed string
		status            results.Status
		message           string
	}{
		"as recorded":      {"{header: X-Version}", "7", results.OK, "2 of 2 interactions ok, version 7"},
		"another runs":     {"{url: '" + url + "/info', json: $.build.version}", "5", results.Warning, "inventory runs version 7, and the broker believes 5 in production"},
		"none is recorded": {"{command: [echo, '7']}", "", results.Warning, "believes none in production"},
		"cannot be read":   {"{header: X-Nothing}", "7", results.OK, "2 of 2 interactions ok"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.New(t)
			b.Pact(t, "testdata/inventory.json", false)
			b.JSON("GET /environments", `{"_embedded":{"environments":[{"name":"production","_links":{"self":{"href":"BASE/environments/1"}}}]}}`)
			b.JSON("GET /environments/1", `{"_links":{"pb:currently-deployed-deployed-versions":{"href":"BASE/environments/1/current"}}}`)
			versions := ""
			if tt.believed != "" {
				versions = `{"_embedded":{"version":{"number":"` + tt.believed + `"},"pacticipant":{"name":"inventory"}}}`
			}
			b.JSON("GET /environments/1/current", `{"_embedded":{"deployedVersions":[`+versions+`]}}`)
			check, err := table(".", realWorker(t)).BuildText("contract", "{provider: inventory, url: '"+url+
				"', broker: {url: '"+b.URL+"', environment: production}, version: "+tt.version+"}")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
			rec := results.NewRecorder()
			res := rec.Finish(check.Run(t.Context(), rec))
			if res.Status != tt.status || !strings.Contains(res.Message, tt.message) {
				t.Errorf("got %v: %s\nwant %v: %s", res.Status, res.Message, tt.status, tt.message)
			}
			if last := res.Steps[len(res.Steps)-1]; last.Name != "version" || (name == "cannot be read") != (last.Status == results.Unknown) {
				t.Errorf("the last step is %+v, want the version", last)
			}
			if calls := strings.Join(b.Calls(), "\n"); !strings.Contains(calls, `"consumerVersionSelectors":[{"environment":"production"}]`) {
				t.Errorf("asked\n%s\nwant the pacts of what runs in production", calls)
			}
		})
	}
}

func TestKindRefuses(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"url: http://x\nfiles: [a]": "contract:1:1: provider: got none, want the name that the pacts give it",
		"provider: p\nfiles: [a]":   "contract:1:1: url: got no URL of http or https, want such as http://127.0.0.1:8081",
		"provider: p\nurl: ftp://x\nfiles: [a]": "contract:2:6: url: got no URL of http or https, " +
			"want such as http://127.0.0.1:8081",
		"provider: p\nurl: http://me:hush@x\nfiles: [a]":                                          "contract:2:6: url: got credentials, want them as a header: Authorization",
		"provider: p\nurl: http://x:99999\nfiles: [a]":                                            "contract:2:6: url: got port 99999, want 1 to 65535",
		"provider: p\nurl: http://x?a=1\nfiles: [a]":                                              "contract:2:6: url: got a query or a fragment, want a base URL such as http://127.0.0.1:8081/api",
		"provider: p\nurl: http://x":                                                              "contract:1:1: files: got none and no broker, want pact files, directories of them, addresses or a broker",
		"provider: p\nurl: http://x\nfiles: [a]\nfile: b":                                         `contract:4:1: unknown key "file"; did you mean "files"? Known: provider, url, files, broker, consumers, interactions, also_safe, state_change_url, state_command, headers, request_timeout, fresh_headers, insecure_tls, tls, version`,
		"provider: p\nurl: http://x\nfiles: [a]\ninteractions: save":                              `contract:4:15: interactions: unknown choice "save"; did you mean "safe"? Known: safe, all`,
		"provider: p\nurl: http://x\nbroker: {url: 'http://b', selectors: [{tag: a, branch: b}]}": "contract:3:40: broker.selectors[0]: got tag and branch, want one of them",
		"provider: p\nurl: http://x\nbroker: {url: 'http://b', environment: e}":                   "contract:1:1: version: got none beside broker.environment, want where the version that runs is read, such as {header: X-Version}",
		"provider: p\nurl: http://x\nfiles: [a]\nversion: {}":                                     "contract:4:10: version: got nothing, want header, url, json or command",
		"provider: p\nurl: http://x\nfiles: [a]\nstate_change_url: /s":                            "contract:4:19: state_change_url: got no URL of http or https",
	} {
		_, err := table(".", &contracts.Worker{}).BuildText("contract", settings)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", settings, err, want)
		}
	}
}
