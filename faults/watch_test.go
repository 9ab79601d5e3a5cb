package faults

import (
	"net"
	"testing"
	"time"
)

// A busy service makes the kernel batch its reports: none is lost or counted later
// than the question, each is stamped after its connection began, and when the service
// is quiet again, each is sent at once.
func TestReportsOfABusyServiceAreBatched(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	fault, err := Kinds().BuildText("drop", "to: "+ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	made, err := (&Injector{}).Install(t.Context(), fault, Options{Run: "busy", Until: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close(t.Context())
	w := made.(*injection).watch
	batched := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.batched
	}
	var began []time.Time
	dial := func() {
		began = append(began, time.Now())
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
	asked := 0
	for until := time.Now().Add(20 * time.Second); asked < 20 && time.Now().Before(until); {
		dial()
		if !batched() {
			continue
		}
		for range 5 {
			dial()
		}
		asked++
		all, err := made.Attempts(t.Context(), 0)
		if err != nil || len(all) != len(began) {
			t.Fatalf("got %d attempts, %v, want %d", len(all), err, len(began))
		}
		for n, a := range all {
			if a.At.Before(began[n]) || n+1 < len(began) && a.At.After(began[n+1].Add(time.Second)) {
				t.Fatalf("attempt %d: stamped %v after it began", n, a.At.Sub(began[n]))
			}
		}
	}
	if asked == 0 {
		t.Fatal("a thousand connections a second and more: got no batch")
	}
	for until := time.Now().Add(20 * time.Second); batched(); {
		if time.Now().After(until) {
			t.Fatal("still batched when nobody connects")
		}
		if _, err := made.Attempts(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
}
