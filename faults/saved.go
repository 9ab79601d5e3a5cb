package faults

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A ruleset is the filter table, or some of its chains, with counters.
type ruleset struct {
	chains []string
	rules  []savedRule
}

type savedRule struct {
	chain   string
	packets uint64
	args    []string // what follows the chain
}

func (r savedRule) spec() string { return strings.Join(r.args, " ") }

// after returns the argument that follows flag, or "".
func (r savedRule) after(flag string) string {
	for i, a := range r.args[:max(0, len(r.args)-1)] {
		if a == flag {
			return r.args[i+1]
		}
	}
	return ""
}

// label returns the rule's comment, if it is one of ours.
func (r savedRule) label() (label, bool) { return parseLabel(r.after("--comment")) }

// in lists the rules of a chain in their order.
func (s ruleset) in(chain string) []savedRule {
	var out []savedRule
	for _, r := range s.rules {
		if r.chain == chain {
			out = append(out, r)
		}
	}
	return out
}

var errIncompatible = errors.New("the filter table holds rules that iptables cannot show (made by nft)")

// parseListing reads lines such as
//
//	-P OUTPUT ACCEPT -c 5 420
//	-N FS-x
//	-A OUTPUT -p tcp -c 3 180 -j DROP
func parseListing(text string) (ruleset, error) {
	var s ruleset
	for line := range strings.Lines(text) {
		words := split(strings.TrimSpace(line))
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(words) < 2 {
			return s, fmt.Errorf("list rules: got %q, want -P, -N or -A and a chain", line)
		}
		switch words[0] {
		case "-P", "-N":
			s.chains = append(s.chains, words[1])
		case "-A":
			r, err := parseRule(words)
			if err != nil {
				return s, err
			}
			s.rules = append(s.rules, r)
		default:
			return s, fmt.Errorf("list rules: got %q, want -P, -N or -A and a chain", line)
		}
	}
	return s, nil
}

// parseRule takes the counters out of a rule.
func parseRule(words []string) (savedRule, error) {
	for at := len(words) - 3; at >= 2; at-- {
		packets, err := strconv.ParseUint(words[at+1], 10, 64)
		if _, berr := strconv.ParseUint(words[at+2], 10, 64); words[at] == "-c" && err == nil && berr == nil {
			return savedRule{words[1], packets, slices.Concat(words[2:at], words[at+3:])}, nil
		}
	}
	return savedRule{}, fmt.Errorf("list rules: got %q, want -A chain rule with -c packets bytes", strings.Join(words, " "))
}

// split cuts a rule at its spaces as a shell does; iptables quotes with " and \ only.
func split(s string) []string {
	var words []string
	var word strings.Builder
	inWord, quoted := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted && i+1 < len(s):
			i++
			word.WriteByte(s[i])
		case c == '"':
			quoted, inWord = !quoted, true
		case c == ' ' && !quoted:
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}
