// Package faulttest is the contract of every kind of fault as a test suite that
// runs on the real kernel. It must run in a network namespace of the test's own.
package faulttest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
)

// A Contract says how one kind of fault, with some settings, shows itself.
type Contract struct {
	Injector *faults.Injector
	Host     string                       // the target's address: 127.0.0.1 or ::1
	Fault    func(to string) faults.Fault // aimed at to
	Fails    func(err error) bool         // how a new connection fails while the fault acts
	Silent   bool                         // it fails by a timeout
	OpenOnly bool                         // new connections pass; Fails tells of those that were open
	Pooled   func(err error) bool         // how a write and read on an open one ends; nil: not looked at
}

const (
	// patience is for what must come; a busy machine may take its time.
	patience = 5 * time.Second
	// silence is how long nothing must come.
	silence = 300 * time.Millisecond
)

// Run holds the fault to its contract.
func Run(t *testing.T, c Contract) {
	t.Helper()
	t.Run("bites its target alone, and heals", c.bites)
	t.Run("open connections", c.pooled)
	t.Run("no traffic, no packets", c.unused)
	t.Run("heals twice", c.twice)
	t.Run("another hand heals", c.other)
	t.Run("a cancelled install leaves nothing", c.cancelled)
	t.Run("the end of the owner's context heals", c.contextEnds)
}

func (c Contract) install(t *testing.T, to string) faults.Injection {
	t.Helper()
	in, err := c.Injector.Install(t.Context(), c.Fault(to), faults.Options{Run: t.Name()[:min(60, len(t.Name()))], Until: time.Now().Add(time.Minute)})
	must(t, err)
	t.Cleanup(func() { must(t, in.Close(context.Background())) })
	return in
}

func (c Contract) bites(t *testing.T) {
	to, other := Serve(t, c.Host), Serve(t, c.Host)
	in := c.install(t, to)
	must(t, Dial(to))
	want(t, in, 0, 1) // counted though disarmed
	victims := []func() error{c.victim(t, to), c.victim(t, to), c.victim(t, to)}
	start := time.Now()
	must(t, in.Arm(t.Context()))
	t.Logf("armed in %v", time.Since(start))
	for _, meet := range victims {
		if err := meet(); !c.Fails(err) {
			t.Errorf("dial while armed: got %v", err)
		}
	}
	must(t, Dial(other))
	start = time.Now()
	must(t, in.Disarm(t.Context()))
	t.Logf("disarmed in %v", time.Since(start))
	must(t, Dial(to))
	e := want(t, in, 3, 5)
	if e.FirstHit.Before(e.Spans[0].From) || e.FirstHit.After(e.Spans[0].To) {
		t.Errorf("first hit: got %v, want it within %v", e.FirstHit, e.Spans[0])
	}
	if e.HealedBy != faults.HealedByOwner || len(e.Spans) != 1 || e.Lapses != 0 {
		t.Errorf("got healed by %q, %d spans, %d lapses, want the owner, 1, 0", e.HealedBy, len(e.Spans), e.Lapses)
	}
	attempts, err := in.Attempts(t.Context(), 1)
	must(t, err)
	if len(attempts) != 4 || !slices.IsSortedFunc(attempts, func(a, b faults.Attempt) int { return a.At.Compare(b.At) }) || attempts[0].Target.String() != to {
		t.Errorf("attempts: got %v, want 4 in order to %s", attempts, to)
	}
	again := c.victim(t, to)
	must(t, in.Arm(t.Context())) // a second time
	if err := again(); !c.Fails(err) {
		t.Errorf("dial while armed again: got %v", err)
	}
	must(t, in.Close(t.Context()))
	must(t, in.Close(t.Context()))
	must(t, Dial(to))
	if e, err = in.Evidence(t.Context()); err != nil || e.Attempts != 6 || len(e.Spans) != 2 {
		t.Errorf("evidence after close: got %d attempts, %d spans, %v, want 6, 2", e.Attempts, len(e.Spans), err)
	}
	if err := in.Arm(t.Context()); !errors.Is(err, faults.ErrClosed) {
		t.Errorf("arm after close: got %v", err)
	}
}

func (c Contract) pooled(t *testing.T) {
	if c.Pooled == nil {
		t.Skip("this fault says nothing of open connections")
	}
	to := Serve(t, c.Host)
	in := c.install(t, to)
	conn, err := net.Dial("tcp", to)
	must(t, err)
	defer conn.Close()
	must(t, Echo(conn, patience))
	must(t, in.Arm(t.Context()))
	if err := Echo(conn, silence); !c.Pooled(err) {
		t.Errorf("on an open connection: got %v", err)
	}
	if c.Pooled(nil) {
		want(t, in, 0, 1)
		return
	}
	want(t, in, 1, 1)
}

func (c Contract) unused(t *testing.T) {
	to, other := Serve(t, c.Host), Serve(t, c.Host)
	in := c.install(t, to)
	must(t, in.Arm(t.Context()))
	must(t, Dial(other))
	e, err := in.Evidence(t.Context())
	must(t, err)
	if e.Packets != 0 || e.Attempts != 0 || !e.FirstHit.IsZero() || e.Tampered != "" {
		t.Errorf("evidence without traffic: got %+v", e)
	}
}

func (c Contract) twice(t *testing.T) {
	to := Serve(t, c.Host)
	in := c.install(t, to)
	must(t, in.Arm(t.Context()))
	chain := chainOf(t, in)
	for range 2 {
		_, err := c.Injector.Heal(t.Context(), chain)
		must(t, err)
		must(t, Dial(to))
	}
	if found, err := c.Injector.Heal(t.Context(), chain); err != nil || len(found) != 0 {
		t.Errorf("healed again: got %v, %v", found, err)
	}
}

func (c Contract) other(t *testing.T) {
	to := Serve(t, c.Host)
	in := c.install(t, to)
	meet := c.victim(t, to)
	must(t, in.Arm(t.Context()))
	if err := meet(); !c.Fails(err) {
		t.Errorf("dial while armed: got %v", err)
	}
	chain := chainOf(t, in)
	listed := func() bool {
		list, err := c.Injector.List(t.Context())
		must(t, err)
		return slices.ContainsFunc(list, func(a faults.Active) bool {
			return a.Chain == chain && a.Armed && a.Owned && a.Packets > 0 && a.To == c.Fault(to).Target().String()
		})
	}
	// While others change the tables of the older backend, counters are 0 for a moment.
	for start := time.Now(); !listed(); {
		if time.Since(start) > patience {
			t.Fatalf("list: want %s armed, owned and with packets", chain)
		}
	}
	found, err := c.Injector.Heal(t.Context(), chain)
	must(t, err)
	if len(found) != 1 {
		t.Errorf("healed %v, want one", found)
	}
	must(t, Dial(to))
	e, err := in.Evidence(t.Context())
	must(t, err)
	if e.Tampered == "" {
		t.Error("the owner does not see that its rules were removed")
	}
	if err := in.Arm(t.Context()); err == nil {
		deadline, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for e.HealedBy == "" && deadline.Err() == nil {
			<-tick.C
			e, err = in.Evidence(t.Context())
			must(t, err)
		}
		if e.HealedBy != faults.HealedByOther {
			t.Errorf("healed by: got %q, want %q", e.HealedBy, faults.HealedByOther)
		}
	}
}

func (c Contract) cancelled(t *testing.T) {
	to := Serve(t, c.Host)
	for _, after := range []time.Duration{0, 5 * time.Millisecond, 15 * time.Millisecond, 25 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		run := "cancelled-" + strconv.Itoa(int(after)) + to
		sum := sha256.Sum256([]byte(run))
		chain := "FS-" + hex.EncodeToString(sum[:4]) // of this run alone, labelled or not yet
		in, err := c.Injector.Install(ctx, c.Fault(to), faults.Options{Run: run, Until: time.Now().Add(time.Minute)})
		cancel()
		if err == nil {
			must(t, in.Close(t.Context()))
		}
		list, err := c.Injector.List(t.Context())
		must(t, err)
		if slices.ContainsFunc(list, func(a faults.Active) bool { return strings.HasPrefix(a.Chain, chain) }) {
			t.Errorf("cancelled after %v: left %+v", after, list)
		}
	}
	must(t, Dial(to))
}

func (c Contract) contextEnds(t *testing.T) {
	to := Serve(t, c.Host)
	in := c.install(t, to)
	ctx, cancel := context.WithCancel(t.Context())
	must(t, in.Arm(ctx))
	cancel()
	must(t, in.Disarm(t.Context())) // waits for what cancel began
	must(t, Dial(to))
}

func want(t *testing.T, in faults.Injection, packets, attempts uint64) faults.Evidence {
	t.Helper()
	e, err := in.Evidence(t.Context())
	must(t, err)
	if e.Packets < packets || packets == 0 && e.Packets > 0 || e.Attempts != attempts || e.Tampered != "" || e.Lost {
		t.Fatalf("evidence: got %+v, want at least %d packets and exactly %d attempts", e, packets, attempts)
	}
	return e
}

func chainOf(t *testing.T, in faults.Injection) string {
	t.Helper()
	e, err := in.Evidence(t.Context())
	must(t, err)
	return e.Chain
}

// Serve echoes what it is sent on a port of its own, and returns its address.
func Serve(t *testing.T, host string) string {
	t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	must(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			wg.Go(func() {
				defer conn.Close()
				b := make([]byte, 1)
				for {
					if _, err := conn.Read(b); err != nil {
						return
					}
					if _, err := conn.Write(b); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return ln.Addr().String()
}

// victim returns what fails while the fault acts: to open a connection, or to use one
// that is open by now.
func (c Contract) victim(t *testing.T, to string) func() error {
	t.Helper()
	limit := patience
	if c.Silent {
		limit = silence
	}
	if !c.OpenOnly {
		return func() error { return DialFor(to, limit) }
	}
	conn, err := net.Dial("tcp", to)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	must(t, Echo(conn, patience))
	return func() error { return Echo(conn, limit) }
}

// Dial opens a connection and closes it by a reset, so that nothing of it is left.
func Dial(to string) error { return DialFor(to, patience) }

// DialFor is Dial with a limit.
func DialFor(to string, limit time.Duration) error {
	conn, err := net.DialTimeout("tcp", to, limit)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.(*net.TCPConn).SetLinger(0)
}

// Echo sends one byte and waits for its return.
func Echo(conn net.Conn, limit time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	b := []byte{'x'}
	if _, err := conn.Write(b); err != nil {
		return err
	}
	_, err := conn.Read(b)
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
