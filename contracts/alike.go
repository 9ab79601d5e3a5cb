package contracts

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// sortOut is for a provider that is taken as it is, without provider states. Of several
// interactions with the same request that want another status each, only one can be kept
// at a time: the others are of other states, and are passed over. But where the kept one documents an error, such as
// 503 while something it depends on is away, the others stay broken, and it is noted
// that callers get the error that they were told of.
func (r *Report) sortOut() {
	var left []Interaction
	for _, in := range r.Interactions {
		i := slices.IndexFunc(r.Interactions, func(o Interaction) bool {
			return o.Outcome == OK && in.alike(o) && in.status() != o.status()
		})
		if in.Outcome != Broken || i < 0 {
			left = append(left, in)
			continue
		}
		kept := r.Interactions[i]
		if kept.status() >= http.StatusInternalServerError && in.status() < http.StatusInternalServerError {
			in.Documented = kept.Given()
			left = append(left, in)
			continue
		}
		r.PassedOver = append(r.PassedOver, fmt.Sprintf("%s:%d: %s: the answer is that of %s", in.File, in.Line, in.Given(), kept.Given()))
	}
	r.Interactions = left
}

// status is that of the expected answer, which pacts may leave out.
func (in Interaction) status() int {
	var doc struct{ Response struct{ Status int } }
	if json.Unmarshal(in.content, &doc) != nil {
		return 0
	}
	return cmp.Or(doc.Response.Status, http.StatusOK)
}

// alike reports whether both are of the same request.
func (in Interaction) alike(o Interaction) bool {
	return in.Type == HTTP && o.Type == HTTP && in.File == o.File && in.Given() != o.Given() && in.request() == o.request()
}

// request is what is asked for, in a form that can be compared.
func (in Interaction) request() string {
	var doc struct{ Request map[string]any }
	if json.Unmarshal(in.content, &doc) != nil {
		return in.Given()
	}
	delete(doc.Request, "matchingRules")
	delete(doc.Request, "generators")
	text, err := json.Marshal(doc.Request) // its keys come in order
	if err != nil {
		return in.Given()
	}
	return string(text)
}

// documented reports whether something is broken, and each time the answer was the
// error that the contract documents.
func (r Report) documented() bool {
	n := 0
	for _, in := range r.Interactions {
		if in.Outcome != Broken || in.excused() {
			continue
		}
		if in.Documented == "" {
			return false
		}
		n++
	}
	return n > 0
}
