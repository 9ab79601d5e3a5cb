package contracts_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/results"
)

func verify(t *testing.T, req contracts.Request) contracts.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	rep, err := realWorker(t).Verify(ctx, req)
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	return rep
}

// lines shows each interaction as a reader of a report relies on it.
func lines(rep contracts.Report) []string {
	var out []string
	for _, in := range rep.Interactions {
		s := in.Given() + " = " + string(in.Outcome)
		if in.Cause != "" {
			s += " (" + string(in.Cause) + ")"
		}
		for _, m := range in.Mismatches {
			s += " | " + m.String()
		}
		out = append(out, s)
	}
	return out
}

type want struct {
	lines  []string
	status results.Status
	cause  results.Cause
	exit   int
}

func (w want) check(t *testing.T, rep contracts.Report) {
	t.Helper()
	if diff := cmp.Diff(w.lines, lines(rep)); diff != "" {
		t.Errorf("interactions (-want +got):\n%s", diff)
	}
	if status, cause := results.Judge(rep.Err()); status != w.status || cause != w.cause {
		t.Errorf("judged %v %q, want %v %q; error: %v", status, cause, w.status, w.cause, rep.Err())
	}
	if rep.ExitCode() != w.exit {
		t.Errorf("exit code %d, want %d", rep.ExitCode(), w.exit)
	}
}

const (
	known   = "checkout-web: a request for stock of sku-1, given sku-1 has stock"
	unknown = "checkout-web: a request for stock of an unknown sku, given no such sku"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	keeps, lies := inventory(t, 3), inventory(t, "3")
	fails := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	resets := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	})
	gone := httptest.NewServer(nil)
	gone.Close()
	secure := httptest.NewTLSServer(keeps.Config.Handler)
	t.Cleanup(secure.Close)
	under := httptest.NewServer(http.StripPrefix("/api", keeps.Config.Handler))
	t.Cleanup(under.Close)
	pact := "testdata/inventory.json"

	tests := map[string]struct {
		req contracts.Request
		want
	}{
		"kept": {request(keeps.URL, pact), want{
			[]string{known + " = ok", unknown + " = ok"}, results.OK, "", 0,
		}},
		"kept below a path": {request(under.URL+"/api/", pact), want{
			[]string{known + " = ok", unknown + " = ok"}, results.OK, "", 0,
		}},
		"kept with states": {contracts.Request{
			Provider: "inventory", URL: keeps.URL, Files: []string{pact}, StateURL: keeps.URL + "/state",
		}, want{
			[]string{known + " = ok", unknown + " = ok"}, results.OK, "", 0,
		}},
		"wrong type": {request(lies.URL, pact), want{
			[]string{known + " = broken | $.qty: Expected '3' (String) to be an integer", unknown + " = ok"},
			results.Critical, results.CauseContract, 1,
		}},
		"500": {request(fails.URL, pact), want{
			[]string{
				known + " = broken | expected 200 but was 500 | Content-Type: Expected a header 'Content-Type' but was missing" +
					" | /: Expected body Present(23 bytes) but was empty",
				unknown + " = broken | expected 404 but was 500 | Content-Type: Expected a header 'Content-Type' but was missing" +
					" | /: Expected body Present(21 bytes) but was empty",
			}, results.Critical, results.CauseContract, 1,
		}},
		"refused": {request(gone.URL, pact), want{
			[]string{known + " = unreachable (refused)", unknown + " = unreachable (refused)"},
			results.Unknown, results.CauseNetwork, 3,
		}},
		"reset": {request(resets.URL, pact), want{
			[]string{known + " = unreachable (reset)", unknown + " = unreachable (reset)"},
			results.Unknown, results.CauseNetwork, 3,
		}},
		"certificate of nobody": {request(secure.URL, pact), want{
			[]string{known + " = unreachable (tls)", unknown + " = unreachable (tls)"},
			results.Unknown, results.CauseNetwork, 3,
		}},
		"certificate not checked": {contracts.Request{
			Provider: "inventory", URL: secure.URL, Files: []string{pact}, InsecureTLS: true,
		}, want{
			[]string{known + " = ok", unknown + " = ok"}, results.OK, "", 0,
		}},
		"state cannot be set": {contracts.Request{
			Provider: "inventory", URL: keeps.URL, Files: []string{pact}, StateURL: keeps.URL + "/no-state",
		}, want{
			[]string{known + " = not-applicable", unknown + " = not-applicable"},
			results.Unknown, results.CauseInternal, 4,
		}},
		"two pacts with the same words": {request(lies.URL, "testdata/same-words.json", pact), want{
			[]string{
				"back-office: a request for stock of sku-1, given sku-1 has stock = broken | $.qty: " +
					"Expected '3' (String) to be equal to 3 (Integer)",
				"back-office: a request for stock of sku-1, given sku-1 is gone = ok",
				"back-office: a request for stock of sku-1, given sku-1 is back = ok",
				known + " = broken | $.qty: Expected '3' (String) to be an integer",
				unknown + " = ok",
			}, results.Critical, results.CauseContract, 1,
		}},
		"no such consumer": {contracts.Request{
			Provider: "inventory", URL: lies.URL, Files: []string{pact}, Filter: contracts.Filter{Consumers: []string{"nobody"}},
		}, want{nil, results.Unknown, results.CauseInternal, 4}},
		"pending": {request(keeps.URL, "testdata/pending.json"), want{
			[]string{
				"checkout-web: an order that nobody takes yet = broken | expected 201 but was 404",
				"checkout-web: a request for stock of sku-1 = ok",
			}, results.Warning, results.CauseContract, 0,
		}},
		"pact of another provider": {contracts.Request{
			Provider: "payments", URL: keeps.URL, Files: []string{pact},
		}, want{nil, results.Unknown, results.CauseInternal, 4}},
		"empty directory": {request(keeps.URL, t.TempDir()), want{
			nil, results.Unknown, results.CauseInternal, 4,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.check(t, verify(t, tt.req))
		})
	}
}

func TestSomeStatesCannotBeSetIsNotOK(t *testing.T) {
	t.Parallel()
	keeps := inventory(t, 3)
	half := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, 200)
		n, _ := r.Body.Read(body)
		if strings.Contains(string(body[:n]), "no such sku") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answer(w, http.StatusOK, map[string]any{})
	})
	req := request(keeps.URL, "testdata/inventory.json")
	req.StateURL = half.URL
	want{
		[]string{known + " = ok", unknown + " = not-applicable"},
		results.Unknown, results.CauseInternal, 3,
	}.check(t, verify(t, req))
}

func TestHangingProviderIsUnreachable(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	rep, err := realWorker(t).Verify(ctx, request(hanging(t).URL, "testdata/inventory.json"))
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	want{
		[]string{known + " = unreachable (timeout)", unknown + " = unreachable (timeout)"},
		results.Unknown, results.CauseNetwork, 3,
	}.check(t, rep)
	if ctx.Err() != nil {
		t.Errorf("took %v, want less than the context's 3s", rep.Duration)
	}
}

// By the time we look for the reason ourselves, the provider answers again.
func TestProviderThatHungIsSaidToHaveTimedOut(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) <= 2 {
			<-r.Context().Done() // until the verifier gives up
		}
		w.WriteHeader(http.StatusOK)
	})
	req := request(slow.URL, "testdata/inventory.json")
	req.Timeout = 300 * time.Millisecond
	rep := verify(t, req)
	want{
		[]string{known + " = unreachable (timeout)", unknown + " = unreachable (timeout)"},
		results.Unknown, results.CauseNetwork, 3,
	}.check(t, rep)
	if got := rep.Interactions[0].Message; got != "no answer within 300ms" {
		t.Errorf("got message %q", got)
	}
}

func TestHeadersReachTheProvider(t *testing.T) {
	t.Parallel()
	keeps := inventory(t, 3)
	guarded := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer of-good-news" || r.Header.Get("X-Tenant") != "t1" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		keeps.Config.Handler.ServeHTTP(w, r)
	})
	req := request(guarded.URL, "testdata/inventory.json")
	req.Headers = map[string]string{"Authorization": "Bearer of-good-news", "X-Tenant": "t1"}
	if rep := verify(t, req); rep.ExitCode() != 0 {
		t.Errorf("got %q", lines(rep))
	}
}

func TestPassedOverPactsAreNamed(t *testing.T) {
	t.Parallel()
	req := request(inventory(t, 3).URL, "testdata/inventory.json", "testdata/same-words.json")
	req.Filter.Consumers = []string{"checkout-web"}
	rep := verify(t, req)
	if len(rep.Interactions) != 2 || len(rep.PassedOver) != 1 || !strings.Contains(rep.PassedOver[0], `same-words.json: its consumer is "back-office"`) {
		t.Errorf("got %q, passed over %q", lines(rep), rep.PassedOver)
	}
	if in := rep.Interactions[1]; in.Line != 10 || in.File != "testdata/inventory.json" || in.Offset < rep.Interactions[0].Offset {
		t.Errorf("got place %s:%d at %v", in.File, in.Line, in.Offset)
	}
}

func TestBadPactFile(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"cut off":      {"{\n  \"consumer\": {\"name\": \"a\"},\n", ":2:29: not a pact: unexpected end of JSON input"},
		"no comma":     {"{\n  \"consumer\": {}\n  \"provider\": {}}", ":3:3: not a pact: invalid character '\"' after object key:value pair"},
		"wrong shape":  {"{\"consumer\": {\"name\": 7}}", ":1:23: not a pact: json: cannot unmarshal number into Go struct field .Consumer.Name of type string"},
		"another JSON": {"{\"name\": \"package\"}", ":1:1: not a pact: got no consumer.name or no provider.name, want both"},
		"a kind that nobody knows": {
			"{\"consumer\":{\"name\":\"a\"},\"provider\":{\"name\":\"inventory\"},\"interactions\":[\n{\"type\":\"Smoke/Signals\",\"description\":\"d\"}]}",
			":2:1: d: got an interaction of type \"Smoke/Signals\", want Synchronous/HTTP, Asynchronous/Messages or Synchronous/Messages",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "bad.json")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			// The directory is read too: a file in it that is no pact is not passed over.
			for _, from := range []string{file, filepath.Dir(file)} {
				_, err := (&contracts.Worker{}).Verify(t.Context(), request("http://127.0.0.1:1", from))
				var bad *contracts.FileError
				if !errors.As(err, &bad) || !errors.Is(err, results.ErrUnknown) || err.Error() != file+tt.want {
					t.Errorf("got %v, want %s%s, unknown", err, file, tt.want)
				}
			}
		})
	}
	_, err := (&contracts.Worker{}).Verify(t.Context(), request("http://127.0.0.1:1", "testdata/none.json"))
	if err == nil || err.Error() != "testdata/none.json: no such file or directory" {
		t.Errorf("got %v", err)
	}
}
