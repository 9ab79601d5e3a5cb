package contracts_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/results"
)

// A check takes the provider as it is: what is of another state does not count, and an
// error that the contract documents is told from one that it does not.
func TestStatesOfALiveProvider(t *testing.T) {
	t.Parallel()
	const here, away, all = "web: a request for stock, given the warehouse answers", "web: a request for stock, given the warehouse is away",
		"web: a request for stock of all"
	for name, tt := range map[string]struct {
		status int
		header string
		want   []string
		cause  results.Cause
	}{
		"serves":              {http.StatusOK, "", []string{here + " ok", all + " ok"}, ""},
		"documented error":    {http.StatusServiceUnavailable, "5", []string{here + " critical", away + " ok", all + " ok"}, results.CauseDocumented},
		"another error":       {http.StatusServiceUnavailable, "9", []string{here + " critical", away + " critical", all + " ok"}, results.CauseContract},
		"error of other kind": {http.StatusBadGateway, "5", []string{here + " critical", away + " critical", all + " ok"}, results.CauseContract},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/stock" {
					return
				}
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Retry-After", tt.header)
				w.WriteHeader(tt.status)
				if tt.status == http.StatusOK {
					io.WriteString(w, `{"qty": 3}`)
				}
			}).URL
			check, err := table("testdata", realWorker(t)).BuildText("contract", "{provider: inventory, url: '"+url+"', files: [outage.json]}")
			if err != nil {
				t.Fatal(err)
			}
			rec := results.NewRecorder()
			res := rec.Finish(check.Run(t.Context(), rec))
			var got []string
			for _, s := range res.Steps {
				got = append(got, s.Name+" "+s.Status.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || res.Cause != tt.cause {
				t.Errorf("got cause %q, want %q: %s\nsteps (-want +got):\n%s", res.Cause, tt.cause, res.Message, diff)
			}
			if tt.cause == results.CauseDocumented && !strings.Contains(res.Message, "the warehouse is away") {
				t.Errorf("got %q, want the interaction that documents the error to be named", res.Message)
			}
		})
	}
}
