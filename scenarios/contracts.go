package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// A contract is what may become of a contract check while the breaker is open.
type contract struct {
	WhileOpen string `yaml:"while_open"`
}

// What a contract may come to while the breaker is open.
const (
	satisfied       = "satisfied"        // it must be kept, as by the checks of while_open
	mayFail         = "may-fail"         // it is only looked at
	documentedError = "documented-error" // or its answers must be errors that it documents
)

// placeContracts puts the contracts among the checks that run while the breaker is open.
func (s *Spec) placeContracts(doc kind.Node) error {
	known := []string{satisfied, documentedError, mayFail}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(s.Contracts)) {
		at := doc.Get("contracts").Get(name).Get("while_open")
		path := fmt.Sprintf("contracts.%s.while_open: ", name)
		switch word := s.Contracts[name].WhileOpen; word {
		case satisfied, documentedError, mayFail:
			if slices.Contains(s.WhileOpen, name) {
				errs = append(errs, at.Errorf("%sgot %s for a check that while_open names too, want it in one of the two", path, word))
			}
			s.WhileOpen = append(s.WhileOpen, name)
		case "":
			errs = append(errs, at.Errorf("%sgot none, want %s, %s or %s", path, satisfied, documentedError, mayFail))
		default:
			errs = append(errs, at.Errorf("%w", errors.New(path+kind.UnknownWord("word", word, known))))
		}
	}
	return errors.Join(errs...)
}

// mustStayWell are the checks that the breaker's owner vouches for while it is open.
func (s *Spec) mustStayWell() []string {
	return slices.DeleteFunc(slices.Clone(s.WhileOpen), func(name string) bool { return s.Contracts[name].WhileOpen == mayFail })
}

// forgives reports whether a result is what its contract allows while the dependency is
// away: the error that it documents.
func (s *Spec) forgives(r results.Result) bool {
	return s.Contracts[r.Check].WhileOpen == documentedError && r.Status == results.Critical && r.Cause == results.CauseDocumented
}
