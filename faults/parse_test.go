package faults

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestLabelSurvivesTheKernelsQuoting(t *testing.T) {
	t.Parallel()
	l := label{
		role: roleFault, run: `a b "c" \d/é&=`, name: "n", where: "w", kind: "drop", proto: udp, to: "[::1]:9",
		since: time.Unix(1, 0).UTC(), until: time.Unix(2, 0).UTC(), lease: 2 * time.Second,
	}
	s, err := parseListing("-P OUTPUT ACCEPT -c 1 2\n-N FS-x\n-A OUTPUT -m comment --comment \"" + l.String() + "\" -c 3 4 -j FS-x\n")
	if err != nil {
		t.Fatal(err)
	}
	got, ok := s.rules[0].label()
	if !ok || got != l || s.rules[0].packets != 3 || s.rules[0].after("-j") != "FS-x" || !slices.Equal(s.chains, []string{"OUTPUT", "FS-x"}) {
		t.Errorf("got %+v %v, want %+v", got, ok, l)
	}
}

func TestForeignTables(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"-A OUTPUT -c x 1\n", "-A OUTPUT -j DROP\n", "-A\n", "what is this\n"} {
		if _, err := parseListing(text); err == nil {
			t.Errorf("a broken line was read: %s", text)
		}
	}
	for words, want := range map[string][]string{
		`a "b c" d`:   {"a", "b c", "d"},
		`"\"q\" \\" `: {`"q" \`},
		`a ""`:        {"a", ""},
	} {
		if got := split(words); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", words, got, want)
		}
	}
}

func FuzzParsers(f *testing.F) {
	f.Add([]byte("-A OUTPUT -m comment --comment \"foreshock/1 fault kind=drop\" -c 1 2 -j DROP"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if s, err := parseListing(string(b)); err == nil {
			for _, r := range s.rules {
				_, _ = r.label()
				_ = r.bare()
			}
		}
		_, _ = parseReports(b)
		_, _ = parseReport(b)
		_, _ = parseSyn(b)
	})
}

// An overflow of the kernel's log must be seen: the count is a lower bound then.
func TestOverflowIsSeen(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	settings := "to: " + ln.Addr().String()
	fault, err := Kinds().BuildText("reject", settings)
	if err != nil {
		t.Fatal(err)
	}
	made, err := (&Injector{}).Install(t.Context(), fault, Options{Run: "overflow", Until: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close(t.Context())
	in := made.(*injection)
	if err := in.Arm(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.watch.mu.Lock() // nobody reads
	_ = unix.SetsockoptInt(in.watch.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1)
	for range 50 {
		if conn, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			conn.Close()
		}
	}
	in.watch.mu.Unlock()
	if some, err := in.Attempts(t.Context(), 0); !errors.Is(err, ErrLost) || len(some) >= 50 {
		t.Errorf("got %d attempts, %v, want fewer than 50 and %v", len(some), err, ErrLost)
	}
	if e, err := in.Evidence(t.Context()); err != nil || !e.Lost {
		t.Errorf("evidence: got %+v, %v", e, err)
	}
}

func TestGapInTheLogIsSeen(t *testing.T) {
	t.Parallel()
	numbered := func(seq uint32) []byte {
		attrs := appendAttr(nil, attrSequence, binary.BigEndian.AppendUint32(nil, seq))
		attrs = appendAttr(attrs, attrPrefix, []byte(prefixHit+"\x00"))
		msg := binary.NativeEndian.AppendUint32(nil, uint32(nlHeader+nfHeader+len(attrs)))
		msg = binary.NativeEndian.AppendUint16(msg, nflogPacket)
		return append(append(msg, make([]byte, nlHeader-6+nfHeader)...), attrs...)
	}
	w := &watch{known: map[attemptKey]struct{}{}}
	w.take(slices.Concat(numbered(0), numbered(1)), time.Now())
	if w.lost || w.next != 2 || w.firstHit.IsZero() {
		t.Fatalf("two reports: got %+v", w)
	}
	w.take(numbered(3), time.Now())
	if !w.lost {
		t.Error("a missing report went unnoticed")
	}
	w = &watch{known: map[attemptKey]struct{}{}}
	w.add([]byte{0x45}, time.Now())
	if !w.lost {
		t.Error("an unreadable report went unnoticed")
	}
}

// The kernel ends the fault at its hard end whatever its owner does: here somebody
// renews the lease for ever.
func TestKernelEndsAFaultWhoseLeaseIsHeld(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	fault, err := Kinds().BuildText("reject", "to: "+ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(3 * time.Second).Truncate(time.Second)
	made, err := (&Injector{}).Install(t.Context(), fault, Options{Run: "held", Until: until})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close(t.Context())
	lease := made.(*injection).parts[0].lease
	flows := func() bool {
		if met, err := lease.send(lease.set); !met || err != nil {
			t.Fatalf("renew: got %v, %v", met, err)
		}
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	if flows() {
		t.Fatal("the fault does not bite")
	}
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !flows() {
		if <-ticker.C; time.Since(until) > 500*time.Millisecond {
			t.Fatal("the fault acts beyond its hard end")
		}
	}
	if early := time.Until(until); early > 50*time.Millisecond {
		t.Errorf("ended %v too early", early)
	}
	t.Logf("ended %v after the hard end", time.Since(until))
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "chaos-allowed")
	env := func(value string) func(string) (string, bool) {
		return func(string) (string, bool) { return value, value != "" }
	}
	if err := allowed(env(""), true, mark); err != nil {
		t.Errorf("own namespace: %v", err)
	}
	if err := allowed(env("allowed"), false, mark); err != nil {
		t.Errorf("environment: %v", err)
	}
	for _, value := range []string{"", "yes"} {
		err := allowed(env(value), false, mark)
		if !errors.Is(err, ErrNotAllowed) || !strings.Contains(err.Error(), "FORESHOCK_CHAOS=allowed") || !strings.Contains(err.Error(), mark) {
			t.Errorf("%q: got %v, want both ways named", value, err)
		}
	}
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := allowed(env(""), false, mark); err != nil {
		t.Errorf("file: %v", err)
	}
	if err := Allowed(env("no"), false); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
