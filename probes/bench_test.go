//go:build unix

package probes_test

import (
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

// A whole run of an http check: what one look costs whoever schedules many. The server
// is in the same process, so its share is in cpu-us/op too.
func BenchmarkHTTP(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(mugs))
	defer s.Close()
	r := runner(b, "http: {url: '"+s.URL+"', expect: {status: [200], body: Mugs}}", patience)
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		res, err := r.Run(b.Context(), r.Now("c", ""))
		if err != nil || res.Status != results.OK {
			b.Fatalf("got %v %q and %v, want ok", res.Status, res.Message, err)
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
}

// cpu is the time that this process has computed so far.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
