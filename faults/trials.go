package faults

import "strings"

// A trial is a rule that no packet meets, for one extension of the kernel.
type trial struct {
	name     string
	rule     []string
	uses     string // what needs it; empty: every fault
	missable string // the word by which a user does without
}

// trialCgroup also wants the second version to be mounted.
const trialCgroup = "cgroup"

// trials is one rule for each extension that faults use.
func trials(chain string, family Family) []trial {
	address, unreachable := "127.0.0.1", "icmp-port-unreachable"
	if family == IPv6 {
		address, unreachable = "::1", "icmp6-port-unreachable"
	}
	w := strings.Fields
	return []trial{
		{"comment", w("-j RETURN"), "", ""},
		{"recent", w("-m recent --name " + chain + " --rcheck --seconds 2 -j RETURN"), "", WithoutLease},
		{"string", w("-p udp -m string --algo bm --string probe -j RETURN"), "", ""},
		{"time", w("-m time --datestart 2030-01-01T00:00:00 --datestop 2030-01-02T00:00:00 -j RETURN"), "", WithoutHardEnd},
		{"mark", w("-m mark ! --mark 1 -j RETURN"), "", ""},
		{"addrtype", w("-m addrtype --src-type LOCAL -j RETURN"), "what delays packets", ""},
		{"limit", w("-m limit --limit 1/day --limit-burst 1 -j RETURN"), "", ""},
		{"NFLOG", w("-p tcp --syn -j NFLOG --nflog-group 1 --nflog-threshold 1"), "", ""},
		{"REJECT tcp-reset", w("-p tcp -j REJECT --reject-with tcp-reset"), "drop with established reset, reject, reset, connections with beyond reset, dns", ""},
		{"REJECT icmp", w("-j REJECT --reject-with " + unreachable), "reject by ICMP, dns with answer refuse", ""},
		{"NFQUEUE", w("-p udp -j NFQUEUE --queue-num " + silentQueue), "loss, blackhole, partition, dns with answer drop, drop of what is not TCP", ""},
		{"NFQUEUE queue-bypass", w("-p udp -j NFQUEUE --queue-num " + silentQueue + " --queue-bypass"), "what delays or alters packets", ""},
		{"statistic", w("-m statistic --mode random --probability 0.5 -j RETURN"), "loss", ""},
		{"connlimit", w("-p tcp --syn -m connlimit --connlimit-above 1 --connlimit-mask 0 -j RETURN"), "connections", ""},
		{"connlabel", w("-m connlabel --label 1 -j RETURN"), "reset", ""},
		{"multiport", w("-p tcp -m multiport --dports 1,2 -j RETURN"), "several ports of one host", ""},
		{"conntrack", w("-m conntrack --ctorigdst " + address + " --ctdir ORIGINAL -j RETURN"), "original_destination", ""},
		{"owner", w("-m owner --uid-owner 0 -j RETURN"), "user", ""},
		{trialCgroup, w("-m cgroup --path / -j RETURN"), "cgroup", ""},
		{"bpf", []string{"-m", "bpf", "--bytecode", "1,6 0 0 1", "-j", "RETURN"}, "percent", ""},
	}
}
