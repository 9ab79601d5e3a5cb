package reader

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

// maxNames is how many names a message shows: a mesh has thousands of clusters.
const maxNames = 12

// named validates the name of a breaker.
func named(name, what string) error {
	if strings.TrimSpace(name) == "" {
		return kind.At("name", fmt.Errorf("got no name, want that of the %s", what))
	}
	return nil
}

// noSuch says that the source has no breaker of that name, and which it has.
func noSuch(what, name string, known []string) error {
	return fmt.Errorf("unknown %s %q; %s", what, name, those(name, known))
}

// those lists names, the one nearest to name first.
func those(name string, known []string) string {
	known = slices.Compact(slices.Sorted(slices.Values(known)))
	if len(known) == 0 {
		return "none is there"
	}
	rest := ""
	if len(known) > maxNames {
		rest = fmt.Sprintf(" and %d more", len(known)-maxNames)
	}
	text := "known: "
	if near := kind.Nearest(name, known); near != "" && near != name {
		text = fmt.Sprintf("did you mean %q? Known: ", near)
	}
	return text + strings.Join(known[:min(len(known), maxNames)], ", ") + rest
}

// errAmbiguous is that the settings select more than one breaker.
var errAmbiguous = errors.New("more than one breaker is selected")

func ambiguous(name string, each []string, hint string) error {
	slices.Sort(each)
	return fmt.Errorf("%w: %q is %s: %s", errAmbiguous, name, strings.Join(each[:min(len(each), maxNames)], " and "), hint)
}
