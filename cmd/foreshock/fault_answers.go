package main

import (
	"strconv"
	"strings"
)

// answersYAML writes NAME=ANSWER,... as a mapping; a name that comes again has another
// address. What is no pair gets an empty answer, which the kind refuses by its name.
func answersYAML(text string) string {
	var names []string
	answers := map[string][]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, answer, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if answers[name] == nil {
			names = append(names, name)
		}
		answers[name] = append(answers[name], strconv.Quote(answer))
	}
	for n, name := range names {
		names[n] = strconv.Quote(name) + ": [" + strings.Join(answers[name], ", ") + "]"
	}
	return "{" + strings.Join(names, ", ") + "}"
}
