package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Case is a service with a breaker of which it is known whether it is right.
type Case struct {
	Name     string
	Summary  string   // what is right or wrong with it
	Language string   // of the service
	Names    []string // the properties that name what is wrong, any of them; none: it is right
	Service  Service
	Host     string // that the dependency listens at; default 127.0.0.1. localhost: the service knows it by name
	Patience string // of the caller; default 2s
	// What its owner declares. Each line replaces that of the same key in the common
	// declaration; an empty value takes it away.
	Declares []Line
	// The fault, in the words of a scenario file; default drop. ADDRESS is the dependency.
	Fault string
	// Further lines of the scenario file; URL is the service.
	More string
}

// A Line is a key of the declared breaker with its value.
type Line struct{ Key, Value string }

// common is what most of the owners declare.
func common() []Line {
	return []Line{
		{"failures", "5"},
		{"open_for", "2s"},
		{"half_open_calls", "1"},
		{"call_timeout", "300ms"},
		{"rejected", "{status: [503]}"},
	}
}

// scenario is the scenario file of a case whose service and dependency are started.
func (c Case) scenario(s *site) string {
	lines := common()
	for _, d := range c.Declares {
		lines = slices.DeleteFunc(lines, func(l Line) bool { return l.Key == d.Key })
		if d.Value != "" {
			lines = append(lines, d)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `name: %s
target:
  http: {method: POST, url: "URL/checkout", timeout: %s}
  success: {status: [200], json: {"$.paid": true}}
breaker:
`, c.Name, cmp.Or(c.Patience, "2s"))
	for _, l := range lines {
		fmt.Fprintf(&b, "  %s: %s\n", l.Key, l.Value)
	}
	fmt.Fprintf(&b, "fault:\n  - %s\n", cmp.Or(c.Fault, `drop: {to: "ADDRESS"}`))
	if c.More != "" {
		fmt.Fprintln(&b, strings.TrimSpace(c.More))
	}
	return strings.NewReplacer("URL", s.url, "ADDRESS", s.dependencies[0]).Replace(b.String())
}
