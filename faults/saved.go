package faults

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A ruleset is the filter table as iptables-save prints it, with counters.
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

func parseSaved(text string) (ruleset, error) {
	var s ruleset
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.Contains(line, "is incompatible"):
			return s, errIncompatible
		case strings.HasPrefix(line, ":"):
			name, _, _ := strings.Cut(line[1:], " ")
			s.chains = append(s.chains, name)
		case strings.HasPrefix(line, "["):
			r, err := parseRule(line)
			if err != nil {
				return s, err
			}
			s.rules = append(s.rules, r)
		}
	}
	return s, nil
}

// parseRule reads a line such as [3:180] -A OUTPUT -p tcp -j DROP.
func parseRule(line string) (savedRule, error) {
	counters, rest, ok := strings.Cut(line[1:], "] -A ")
	packets, _, _ := strings.Cut(counters, ":")
	n, err := strconv.ParseUint(packets, 10, 64)
	words := split(rest)
	if !ok || err != nil || len(words) == 0 {
		return savedRule{}, fmt.Errorf("iptables-save: got %q, want [packets:bytes] -A chain rule", line)
	}
	return savedRule{chain: words[0], packets: n, args: words[1:]}, nil
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
