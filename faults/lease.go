package faults

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/foreshock/foreshock/results"
)

// A lease is the kernel's leave for a fault of one family to act: an entry of an
// xt_recent list, which counts only for some seconds after it was set last.
//
// The list's file in /proc belongs to the host's root. A datagram works for anyone
// who may write rules: it carries a word that only readers of the rules know, two
// rules set or remove the entry when they meet it, and then drop it. The kernel
// tells the sender so with EPERM, which is the receipt: no EPERM, no rule. The rules
// also want the source port, which nobody else can bind while the owner holds it.
type lease struct {
	conn      *net.UDPConn
	self      netip.AddrPort
	list      string
	any       string // the mask under which all packets share one entry
	seconds   string
	set, take string // the secret words
	ask       string // the word that changes nothing: reports that wait are sent
}

// openLease opens the sender; call it in the namespace of the rules.
func openLease(family Family, chain string, d time.Duration) (*lease, error) {
	l := &lease{
		list:    leaseName(chain, family),
		seconds: strconv.Itoa(int(d / time.Second)),
		set:     rand.Text(), take: rand.Text(), ask: rand.Text(),
	}
	loopback := netip.IPv6Loopback()
	l.any = "::"
	if family == IPv4 {
		loopback, l.any = netip.AddrFrom4([4]byte{127, 0, 0, 1}), "0.0.0.0"
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		return nil, results.Blind(results.CauseNetwork, fmt.Errorf("lease: no loopback here (ip link set lo up): %w", err))
	}
	addr, _ := conn.LocalAddr().(*net.UDPAddr)
	l.conn, l.self = conn, addr.AddrPort()
	return l, nil
}

func (l *lease) close() { _ = l.conn.Close() }

func (l *lease) recent(words ...string) []string {
	return append([]string{"-m", "recent", "--name", l.list, "--rsource", "--mask", l.any}, words...)
}

// own matches the datagrams of the lease.
func (l *lease) own() []string {
	host, port := l.self.Addr().String(), strconv.Itoa(int(l.self.Port()))
	return []string{"-p", "udp", "-s", host, "-d", host, "--sport", port, "--dport", port}
}

// control gives the rules that the lease's datagrams meet: they set the lease, take it,
// or only tell that they are met. A report of the last, sent at once, takes along all
// reports that wait. Where the kernel keeps no lease, there is only that.
func (l *lease) control(report []string, kept bool) [][]string {
	rule := func(word string, action ...string) []string {
		return append([]string{"-m", "string", "--algo", "bm", "--string", word}, action...)
	}
	drop := []string{"-j", "DROP"}
	ask := [][]string{rule(l.ask, append(report, "--nflog-threshold", "1")...), rule(l.ask, drop...)}
	if !kept {
		return ask
	}
	return append([][]string{
		rule(l.set, append(l.recent("--set"), drop...)...),
		rule(l.take, append(l.recent("--remove"), drop...)...),
	}, ask...)
}

// gate lets every packet leave the chain while there is no lease; where the kernel
// keeps none, while the gate is there.
func (l *lease) gate(kept bool) []string {
	out := []string{"-j", "RETURN"}
	if !kept {
		return out
	}
	return append(l.recent("!", "--rcheck", "--seconds", l.seconds), out...)
}

// send reports whether a rule met the word.
func (l *lease) send(word string) (met bool, err error) {
	_, err = l.conn.WriteToUDPAddrPort([]byte(word), l.self)
	if errors.Is(err, syscall.EPERM) {
		return true, nil
	}
	return false, err
}

// held reads from the kernel whether the entry is there, fresh or not.
func held(ctx context.Context, sp *space, list string) (bool, error) {
	return learn(ctx, sp, func() (bool, error) {
		text, err := os.ReadFile("/proc/thread-self/net/xt_recent/" + list) //nolint:gosec // a name of our own making
		return strings.Contains(string(text), "src="), err
	})
}

func leaseName(chain string, family Family) string { return chain + strconv.Itoa(int(family)) }
