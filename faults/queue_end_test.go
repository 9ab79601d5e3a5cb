package faults

import (
	"net"
	"strings"
	"testing"
	"time"
)

// A queue that stopped lets packets pass: its fault is over, and the evidence says why.
func TestAQueueThatStopsEndsTheFault(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	f, err := Kinds().BuildText("latency", "{to: "+ln.Addr().String()+", latency: 1m}")
	if err != nil {
		t.Fatal(err)
	}
	made, err := (&Injector{}).Install(t.Context(), f, Options{Run: "stops", Until: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = made.Close(t.Context()) }()
	if err := made.Arm(t.Context()); err != nil {
		t.Fatal(err)
	}
	in, _ := made.(*injection)
	if err := in.queue.Close(); err != nil { // nobody else can: the kernel guards it
		t.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", ln.Addr().String(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for e := (Evidence{}); e.HealedBy == ""; <-tick.C {
		if e, err = made.Evidence(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(e.Tampered, "the queue of packets has stopped") {
			t.Fatalf("got %+v", e)
		}
		if e.HealedBy != "" && e.HealedBy != HealedByOther {
			t.Errorf("healed by %s", e.HealedBy)
		}
	}
}
