package web_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/web"
	"github.com/foreshock/foreshock/results"
)

func oneResult(check, message string, status results.Status) results.Record {
	now := time.Now().UTC()
	r := results.Result{Key: results.Key{Check: check, Location: "staging", Slot: now}, Kind: "http", Start: now, Duration: 12 * time.Millisecond, Status: status, Message: message}
	if status != results.OK {
		r.Cause = results.CauseAnswer
	}
	return results.Record{Result: &r}
}

// TestLive follows the stream over real HTTP: a record that is published arrives whole.
func TestLive(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	lines := r.follow(t)
	r.publish(t, oneResult("storefront", "line one\nline two", results.Critical))
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var rec results.Record
		if err := json.Unmarshal([]byte(data), &rec); err != nil {
			t.Fatal(err)
		}
		if rec.Seq == 0 || rec.Result == nil || rec.Result.Message != "line one\nline two" || rec.Result.Status != results.Critical {
			t.Errorf("got %s, want the record as it was published", data)
		}
		return
	}
	t.Errorf("the stream ended without the record: %v", lines.Err())
}

// TestLiveEndsWithServer holds that open streams do not hold up a shutdown.
func TestLiveEndsWithServer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	lines := r.follow(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := r.srv.Config.Shutdown(ctx); err != nil {
		t.Fatalf("shutdown with an open stream: %v", err)
	}
	for lines.Scan() {
		t.Logf("after the end: %s", lines.Text())
	}
}

// tap is a subscription whose channel holds nothing: who does not take at once is seen.
type tap chan results.Record

func (c tap) Subscribe(context.Context) <-chan results.Record { return c }

// TestSlowReader holds that a reader who takes nothing does not hold up who publishes,
// and is cut off.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	c := make(tap)
	srv := httptest.NewServer(web.New(web.Options{Live: c}))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /api/v1/live HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	rec := oneResult("storefront", strings.Repeat("a long message ", 2000), results.Critical)
	for i := range 3000 { // 90 MB: far more than the buffers on the way
		late := time.NewTimer(5 * time.Second)
		select {
		case c <- rec:
			late.Stop()
		case <-late.C:
			t.Fatalf("record %d was not taken: the reader holds up the publisher", i)
		}
	}
}

// TestNoLive holds that a page without a live view is told not to ask again.
func TestNoLive(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *web.Options) { o.Live = nil })
	if res := r.get(t, "/api/v1/live"); res.code != http.StatusNoContent {
		t.Errorf("got %d, want 204", res.code)
	}
}
