package contracts

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
)

// A Filter chooses interactions; the zero Filter takes all of them.
type Filter struct {
	Consumers   []string       // only the pacts of these
	Description *regexp.Regexp // that it matches somewhere
	State       *regexp.Regexp // that one of its provider states matches
	NoState     bool           // those without provider states too; beside State, or alone
	Safe        bool           // only what changes nothing: GET and HEAD, what the pact marks as safe, and:
	SafeToo     *regexp.Regexp // what its description marks as safe here
}

// passOver says why an interaction does not count, or nothing.
func (f Filter) passOver(in Interaction) string {
	switch {
	case f.Description != nil && !f.Description.MatchString(in.Description):
		return fmt.Sprintf("its description does not match %q", f.Description)
	case !f.takesStates(in.States):
		return "its provider states were not asked for"
	case f.Safe && !f.safe(in):
		return fmt.Sprintf("%s %s may change something: mark it as safe, or verify it elsewhere", in.Method, in.Path)
	}
	return ""
}

func (f Filter) takesStates(states []string) bool {
	switch {
	case f.State == nil && !f.NoState:
		return true
	case len(states) == 0:
		return f.NoState
	}
	return f.State != nil && slices.ContainsFunc(states, f.State.MatchString)
}

func (f Filter) safe(in Interaction) bool {
	return in.Type == HTTP && slices.Contains([]string{http.MethodGet, http.MethodHead}, in.Method) ||
		in.marked || f.SafeToo != nil && f.SafeToo.MatchString(in.Description)
}
