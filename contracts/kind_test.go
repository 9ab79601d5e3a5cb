package contracts_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/contracts"
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

func TestKindRefuses(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"url: http://x\nfiles: [a]": "contract:1:1: provider: got none, want the name that the pacts give it",
		"provider: p\nfiles: [a]":   "contract:1:1: url: got no URL of http or https, want such as http://127.0.0.1:8081",
		"provider: p\nurl: ftp://x\nfiles: [a]": "contract:2:6: url: got no URL of http or https, " +
			"want such as http://127.0.0.1:8081",
		"provider: p\nurl: http://me:hush@x\nfiles: [a]":               "contract:2:6: url: got credentials, want them as a header: Authorization",
		"provider: p\nurl: http://x:99999\nfiles: [a]":                 "contract:2:6: url: got port 99999, want 1 to 65535",
		"provider: p\nurl: http://x?a=1\nfiles: [a]":                   "contract:2:6: url: got a query or a fragment, want a base URL such as http://127.0.0.1:8081/api",
		"provider: p\nurl: http://x":                                   "contract:1:1: files: got none and no broker, want pact files, directories of them, addresses or a broker",
		"provider: p\nurl: http://x\nfiles: [a]\nfile: b":              `contract:4:1: unknown key "file"; did you mean "files"? Known: provider, url, files, consumers, state_change_url, headers, request_timeout, insecure_tls`,
		"provider: p\nurl: http://x\nfiles: [a]\nstate_change_url: /s": "contract:4:19: state_change_url: got no URL of http or https",
	} {
		_, err := table(".", &contracts.Worker{}).BuildText("contract", settings)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", settings, err, want)
		}
	}
}
