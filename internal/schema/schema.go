// Package schema holds what the comments beside settings say, for the JSON schemas that
// editors read: the comment at a field is its description, so that there is no second
// text to keep true. It must hold nothing that was written by hand: its test takes the
// comments out of the source, and go test -update writes them down.
package schema

import (
	_ "embed"
	"strings"
)

//go:embed comments.txt
var comments string

// Comments returns them by package.type.key, such as journeys.typing.text.
func Comments() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(comments) {
		if key, text, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			out[key] = text
		}
	}
	return out
}
