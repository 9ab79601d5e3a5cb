package faults

import (
	"fmt"
	"math"
	"strings"

	"golang.org/x/sys/unix"
)

// picked narrows to a part of the connections, each as a whole, by a program that
// the kernel runs on each packet (classic BPF, which anybody may load).
//
// The program hashes the client's address and port: the source of a packet to the
// target and the destination of one from it. So both directions and both passes over
// loopback agree, whatever a translation does to the target's end, and nothing is
// remembered. The seed is new with every installation: who is met changes.
func (p pinned) picked(f Family, direction string) []string {
	if p.Percent == 0 || p.Percent == 100 {
		return nil
	}
	return []string{"-m", "bpf", "--bytecode", encode(pick(f, direction, p.seed, p.Percent))}
}

// steps is how finely connections are told apart: a hundredth of a percent.
const steps = 10000

const (
	ipv6Header = 40
	ipv6Source = 8
	ipv6Target = 24
	ipv4Source = 12
	ipv4Target = 16
)

// pick returns 1 for a packet of a picked connection, else 0. The hash is the
// multiply and shift of murmur3's last step.
func pick(f Family, direction string, seed uint32, percent float64) []unix.SockFilter {
	op := func(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }
	tax := op(unix.BPF_MISC|unix.BPF_TAX, 0)
	word := func(k uint32) unix.SockFilter { return op(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, k) }
	xor := op(unix.BPF_ALU|unix.BPF_XOR|unix.BPF_X, 0)
	port := uint32(0)
	v4, v6 := uint32(ipv4Source), uint32(ipv6Source)
	if direction == dirIn {
		port, v4, v6 = 2, ipv4Target, ipv6Target
	}
	var prog []unix.SockFilter
	if f == IPv4 {
		prog = append(prog, word(v4))
	} else {
		prog = append(prog, word(v6))
		for n := uint32(4); n < 16; n += 4 {
			prog = append(prog, tax, word(v6+n), xor)
		}
	}
	prog = append(prog, op(unix.BPF_ALU|unix.BPF_MUL|unix.BPF_K, 0x9e3779b1), op(unix.BPF_ST, 0))
	if f == IPv4 {
		prog = append(prog, op(unix.BPF_LDX|unix.BPF_B|unix.BPF_MSH, 0)) // the header's length
	} else {
		prog = append(prog, op(unix.BPF_LDX|unix.BPF_W|unix.BPF_IMM, ipv6Header))
	}
	prog = append(prog,
		op(unix.BPF_LD|unix.BPF_H|unix.BPF_IND, port),
		op(unix.BPF_LDX|unix.BPF_W|unix.BPF_MEM, 0), xor,
		op(unix.BPF_ALU|unix.BPF_XOR|unix.BPF_K, seed))
	for _, round := range []struct{ shift, factor uint32 }{{16, 0x85ebca6b}, {13, 0xc2b2ae35}, {16, 1}} {
		prog = append(prog, tax,
			op(unix.BPF_ALU|unix.BPF_RSH|unix.BPF_K, round.shift), xor,
			op(unix.BPF_ALU|unix.BPF_MUL|unix.BPF_K, round.factor))
	}
	limit := uint32(math.Round(percent / 100 * steps))
	return append(prog,
		op(unix.BPF_ALU|unix.BPF_MOD|unix.BPF_K, steps),
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: limit, Jt: 1},
		op(unix.BPF_RET|unix.BPF_K, 1),
		op(unix.BPF_RET|unix.BPF_K, 0))
}

// encode writes a program as iptables reads it.
func encode(prog []unix.SockFilter) string {
	var b strings.Builder
	fmt.Fprint(&b, len(prog))
	for _, i := range prog {
		fmt.Fprintf(&b, ",%d %d %d %d", i.Code, i.Jt, i.Jf, i.K)
	}
	return b.String()
}
