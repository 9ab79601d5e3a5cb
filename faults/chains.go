package faults

import (
	"regexp"
	"slices"
	"strings"
)

// The chains of a fault: the first, which the kernel's own jump to, selects packets;
// one says what those meet; one takes the datagrams of the lease.
const (
	actSuffix   = "-a"
	leaseSuffix = "-l"
)

var chainName = regexp.MustCompile(`^FS-[0-9a-f]{8}-[0-9a-z]{8}$`)

func chainsOf(chain string) []string {
	return []string{chain, chain + actSuffix, chain + leaseSuffix}
}

// ofFault is the first chain of the fault that a chain is of.
func ofFault(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, actSuffix), leaseSuffix)
}

// faults lists the first chains of what may be faults, whether they are still there
// or only another of theirs is.
func (s ruleset) faults() []string {
	var out []string
	for _, name := range s.chains {
		if chain := ofFault(name); chainName.MatchString(chain) && !slices.Contains(out, chain) {
			out = append(out, chain)
		}
	}
	return out
}

// of lists the rules of a fault's chains.
func (s ruleset) of(chain string) []savedRule {
	var out []savedRule
	for _, name := range chainsOf(chain) {
		out = append(out, s.in(name)...)
	}
	return out
}

// leads says that a rule is a jump to a fault.
func (r savedRule) leads() bool { return chainName.MatchString(r.after("-j")) }
