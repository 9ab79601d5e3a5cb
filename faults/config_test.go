package faults_test

import (
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
)

func TestExamplesBuild(t *testing.T) {
	t.Parallel()
	for _, k := range faults.Kinds() {
		f, err := faults.Kinds().BuildText(k.Name, k.Example)
		if err != nil || f.Kind() != k.Name || f.Target().String() == "" || faults.Counts(f) != (len(f.Rules(faults.IPv4)) > 0) || faults.Irreversible(f) != (k.Name == "kill") {
			t.Errorf("example of %s: got %v, %v", k.Name, f, err)
		}
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, settings, want string }{
		{"drop", "to: 10.0.0.1", `drop:1:5: to: got "10.0.0.1", want host:port, such as 10.0.0.7:5432 or [::1]:9002 (or the host alone with ports or with protocol all)`},
		{"drop", "to: 10.0.0.1:http", `drop:1:5: to: got port "http", want a number from 1 to 65535, or two such as 9000-9010`},
		{"drop", "to: 10.0.0.1:0", `drop:1:5: to: got port "0", want a number from 1 to 65535, or two such as 9000-9010`},
		{"drop", "to: 0.0.0.0:80", `drop:1:5: to: got 0.0.0.0, which means every address, want one address`},
		{"drop", "to: \"[ff02::1]:80\"", `drop:1:5: to: got ff02::1, a multicast address, want the address of one host`},
		{"drop", "to: \"[fe80::1%eth0]:80\"", `drop:1:5: to: got fe80::1%eth0 with a zone, which rules cannot name, want an address without`},
		{"drop", "to: a:1\nprotocol: sctp", `drop:2:11: protocol: unknown protocol "sctp"; did you mean "tcp"? Known: tcp, udp, icmp, all`},
		{"drop", "to: a:1\nestablished: rst", `drop:2:14: established: unknown word "rst"; did you mean "reset"? Known: drop, reset`},
		{"drop", "to: a:1\nprotocol: udp\nestablished: reset", `drop:3:14: established: got "reset" with protocol udp, which has no connections; leave it out`},
		{"reject", "to: a:1\nwith: tcp-rst", `reject:2:7: with: unknown refusal of tcp "tcp-rst"; did you mean "tcp-reset"? Known: tcp-reset, icmp-port-unreachable, icmp-host-unreachable, icmp-admin-prohibited`},
		{"reject", "to: a:1\nprotocol: udp\nwith: tcp-reset", `reject:3:7: with: unknown refusal of udp "tcp-reset"; known: icmp-port-unreachable, icmp-host-unreachable, icmp-admin-prohibited`},
		{"drop", "to: 10.0.0.1:70000", `drop:1:5: to: got port "70000", want a number from 1 to 65535, or two such as 9000-9010`},
		{"drop", "to: 10.0.0.1:90-80", `drop:1:5: to: got ports "90-80", want the smaller number first`},
		{"drop", "to: [a:1, \"b:0\"]", `drop:1:11: to[1]: got port "0", want a number from 1 to 65535, or two such as 9000-9010`},
		{"drop", "to: 10.0.0.1/8:80", `drop:1:5: to: got 10.0.0.1/8, which has bits beyond its mask, want 10.0.0.0/8`},
		{"drop", "to: 10.0.0.0/33:80", `drop:1:5: to: got "10.0.0.0/33", want a CIDR such as 10.0.0.0/24 or [2001:db8::/32]:443`},
		{"drop", "{}", `drop:1:1: to: got nothing, want host:port, such as 10.0.0.7:5432 or [::1]:9002`},
		{"drop", "to: {a: b}", `drop:1:6: to: got a mapping, want a text or a list of texts`},
		{"drop", "to: a:1\nfrom: 10.0.0.1:80", `drop:2:7: from: got "10.0.0.1:80", want an address, a CIDR or a name without a port`},
		{"drop", "to: a:1\ndirection: inn", `drop:2:12: direction: unknown direction "inn"; did you mean "in"? Known: out, in, both`},
		{"drop", "to: a:1\nprotocol: icmp", `drop:2:11: protocol: got icmp, which has no ports, want tcp, udp or all, or a target without a port`},
		{"drop", "to: a:1\npercent: 101", `drop:2:10: percent: got 101, want a number from 0.01 to 100`},
		{"drop", "to: a:1\npercent: 30\nprotocol: all", `drop:2:10: percent: got protocol all beside it, want tcp or udp: a connection is told by its port`},
		{"drop", "ports: 80\noriginal_destination: true", `drop:2:23: original_destination: got no target beside it, want to: the virtual address`},
		{"drop", "to: a:1\ncgroup: ../x", `drop:2:9: cgroup: got "../x", want a path below the root of cgroup v2, such as system.slice/shop.service`},
		{"drop", "to: a:1\ndirection: both\nestablished: reset", `drop:3:14: established: got reset with direction both, want direction out: a reset answers the client's packets`},
		{"loss", "to: a:1", `loss:1:1: packets: got 0, want the percentage of packets to lose, from 0.01 to 100`},
		{"reset", "to: a:1\nprotocol: udp", `reset:2:11: protocol: got udp, want tcp: nothing else has connections to reset`},
		{"reset", "to: a:1\ndirection: both", `reset:2:12: direction: got both, want out: new connections are told by their first packet to the target`},
		{"partition", "between: a", `partition:1:1: and: got no host, want addresses, CIDRs or names`},
		{"partition", "between: a\nand: [b, \"c:1\"]", `partition:2:10: and[1]: got "c:1", want an address, a CIDR or a name without a port`},
		{"connections", "to: a:1", `connections:1:1: most: got nothing, want how many connections may be open, 0 to 65535`},
		{"connections", "to: a:1\nmost: 1\nbeyond: rst", `connections:3:9: beyond: unknown word "rst"; did you mean "reset"? Known: drop, reset`},
		{"dns", "answer: drop", `dns:1:1: to: got nothing, want the address of a resolver, such as 10.0.0.53`},
		{"dns", "to: a\nanswer: wrong", `dns:2:9: answer: got "wrong", want addresses, or one of nxdomain, servfail, rcode-refused (for all names also refuse and drop)`},
		{"dns", "to: a\nanswer: [drop, 192.0.2.1]", `dns:2:9: answer: got drop, 192.0.2.1, want refuse or drop alone`},
		{"dns", "to: a\nanswer: drop\nanswers: {b: 192.0.2.1}", `dns:2:9: answer: got drop beside answers, want what other names get, or nothing: then they are answered by the resolver`},
		{"dns", "to: a\nanswers: {b: drop}", `dns:2:14: answers[b]: got "drop", want addresses, or one of nxdomain, servfail, rcode-refused (for all names also refuse and drop)`},
		{"dns", "to: a\nanswers: {\"*\": nxdomain}\nanswer: 192.0.2.1", `dns:3:9: answer: got 192.0.2.1 beside an answer for "*", want one of them`},
		{"dns", "to: a\nanswers: {b.*.c: nxdomain}", `dns:2:11: answers: got name "b.*.c", want one such as db.example.com, *.example.com or *`},
		{"dns", "to: a\nprotocol: tcp\nanswer: nxdomain", `dns:2:11: protocol: got tcp, want udp: only questions over UDP can be answered in a resolver's place`},
		{"dns", "to: a\ndirection: in\nanswer: nxdomain", `dns:2:12: direction: got in, want out: the questions are answered, before the resolver hears them`},
		{"latency", "to: a:1", `latency:1:1: latency: got none, want a duration such as 100ms, at most a minute`},
		{"latency", "to: a:1\nlatency: 2m", `latency:2:10: latency: got 2m0s, want 0 to 1m0s`},
		{"latency", "to: a:1\nlatency: 1s\njitter: 2s", `latency:3:9: jitter: got 2s, want 0 to the latency, which is 1s`},
		{"latency", "to: a:1\nlatency: 1s\ndistribution: pareto", `latency:3:15: distribution: unknown distribution "pareto"; known: uniform, normal`},
		{"latency", "to: a:1\nlatency: 1s\ndirection: both", `latency:3:12: direction: got both with protocol tcp, want out or in: a round trip takes the latency once, whichever way; give the sum`},
		{"bandwidth", "to: a:1", `bandwidth:1:1: rate: got nothing, want bytes or bits a second, such as 100kB/s or 1Mbit/s`},
		{"bandwidth", "to: a:1\nrate: 1mb", `bandwidth:2:7: rate: got "1mb", want bytes such as 1500, 64kB or 10MB, or bits such as 10Mbit`},
		{"bandwidth", "to: a:1\nrate: 0", `bandwidth:2:7: rate: got 0 bytes a second, want at least 1`},
		{"bandwidth", "to: a:1\nrate: 1MB\nburst: -1kB", `bandwidth:3:8: burst: got "-1kB", want bytes such as 1500, 64kB or 10MB, or bits such as 10Mbit`},
		{"loss", "to: a:1\npackets: x%", `loss:2:10: packets: got "x%", want a percentage such as 30 or 30%`},
		{"corrupt", "to: a:1", `corrupt:1:1: packets: got 0, want the percentage of packets to corrupt, from 0.01 to 100`},
		{"duplicate", "to: a:1\npackets: 101", `duplicate:2:10: packets: got 101, want the percentage of packets to duplicate, from 0.01 to 100`},
		{"reorder", "to: a:1\nby: 1ms", `reorder:1:1: packets: got 0, want the percentage of packets to hold back, from 0.01 to 100`},
		{"reorder", "to: a:1\npackets: 1", `reorder:1:1: by: got none, want how long they wait, such as 5ms, at most a minute`},
		{"drop", "too: a:1", `drop:1:1: unknown key "too"; did you mean "to"? Known: to, ports, from, protocol, direction, user, cgroup, netns, percent, original_destination, established`},
	} {
		_, err := faults.Kinds().BuildText(c.kind, c.settings)
		if err == nil || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.settings, err, c.want)
		}
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{"1": true, "1500": true, "64kB/s": true, "1.5MB": true, "8bit": true, "10Gbit/s": true, "1 MB": false, "Inf": false, "NaN": false, "1e30": false, "kB": false, "1KB": false} {
		_, err := faults.Kinds().BuildText("bandwidth", "to: a:1\nrate: "+text)
		if (err == nil) != ok {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	good := minute("r")
	for want, change := range map[string]func(*faults.Options){
		"run: got none":             func(o *faults.Options) { o.Run = "" },
		"lease: got 1.5s":           func(o *faults.Options) { o.Lease = 1500 * time.Millisecond },
		"lease: got 500ms":          func(o *faults.Options) { o.Lease = 500 * time.Millisecond },
		"until: got 0001-01-01":     func(o *faults.Options) { o.Until = time.Time{} },
		"before 2038-01-19":         func(o *faults.Options) { o.Until = time.Date(2038, 2, 1, 0, 0, 0, 0, time.UTC) },
		"shorten the run, the name": func(o *faults.Options) { o.Name = strings.Repeat("n", 200) },
	} {
		o := good
		change(&o)
		_, err := (&faults.Injector{}).Install(t.Context(), build(t, "drop", "to: 127.0.0.1:9"), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestDefaultsOfScenarios(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string]int{"by hand": 1, "scenario": 2} {
		table := faults.Kinds()
		if name == "scenario" {
			table = faults.ScenarioKinds()
		}
		f, err := table.BuildText("drop", "to: 127.0.0.1:9002")
		must(t, err)
		if got := len(f.Rules(faults.IPv4)); got != rules {
			t.Errorf("%s: got %d rules, want %d", name, got, rules)
		}
	}
}
