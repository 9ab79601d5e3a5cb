package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/foreshock/foreshock/internal/kind"
)

// A contract is what may become of a contract check while the breaker is open.
type contract struct {
	WhileOpen string `yaml:"while_open"`
}

// What a contract may come to while the breaker is open.
const (
	satisfied       = "satisfied"        // it must be kept, as by the checks of while_open
	mayFail         = "may-fail"         // it is only looked at
	documentedError = "documented-error" // the interactions with an error as their answer must be kept
)

// placeContracts puts the contracts among the checks that run while the breaker is open.
func (s *Spec) placeContracts(doc kind.Node) error {
	known := []string{satisfied, mayFail}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(s.Contracts)) {
		at := doc.Get("contracts").Get(name).Get("while_open")
		path := fmt.Sprintf("contracts.%s.while_open: ", name)
		switch word := s.Contracts[name].WhileOpen; word {
		case satisfied, mayFail:
			if slices.Contains(s.WhileOpen, name) {
				errs = append(errs, at.Errorf("%sgot %s for a check that while_open names too, want it in one of the two", path, word))
			}
			s.WhileOpen = append(s.WhileOpen, name)
		case documentedError:
			errs = append(errs, at.Errorf("%sgot %s, which cannot be told: a contract check reports which interactions are kept, and not which of them have an error as their answer. Want %s or %s; a contract of the error answers alone can be %s", path, word, satisfied, mayFail, satisfied))
		case "":
			errs = append(errs, at.Errorf("%sgot none, want %s or %s", path, satisfied, mayFail))
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
