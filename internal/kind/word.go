package kind

import (
	"fmt"
	"strings"
)

// UnknownWord says that a word is not among the known ones, which of them is nearest
// to it, and what they all are.
func UnknownWord(what, got string, known []string) string {
	if len(known) == 0 {
		return fmt.Sprintf("unknown %s %q; none is known here", what, got)
	}
	if near := Nearest(got, known); near != "" {
		return fmt.Sprintf("unknown %s %q; did you mean %q? Known: %s", what, got, near, list(known))
	}
	return fmt.Sprintf("unknown %s %q; known: %s", what, got, list(known))
}

// Nearest returns the known word that got is most likely a slip of, or "".
func Nearest(got string, known []string) string {
	best, at := "", max(2, len(got)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(got), strings.ToLower(k)); d < at && d < len(k) {
			best, at = k, d
		}
	}
	return best
}

// distance is Levenshtein's: the single-letter edits between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func list(words []string) string { return strings.Join(words, ", ") }
