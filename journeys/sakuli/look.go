package sakuli

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

const lastLimit = 2 * time.Second // see lastLook

//go:embed find.js
var findScript string

//go:embed look.js
var lookScript string

// A question is what the page is asked in one look.
type question struct {
	Op  string  `json:"op"`
	Q   []query `json:"q"`
	Arg any     `json:"arg,omitempty"`
}

// An answer is what look.js says to it.
type answer struct {
	State  string          `json:"state"`
	Detail string          `json:"detail"`
	Name   string          `json:"name"`  // of what was thrown
	Which  int             `json:"which"` // of the elements is missing
	Near   []string        `json:"near"`  // what there is instead
	X      float64         `json:"x"`
	Y      float64         `json:"y"`
	Done   bool            `json:"done"` // nothing is left to do
	Value  json.RawMessage `json:"value"`
}

func pageFunction() string {
	return "async (query) => {\n" + journeys.Helpers() + "{\n" + findScript + lookScript + "}}"
}

// await looks until the page can say what is asked, or ctx ends.
func await(ctx context.Context, p *journeys.Page, ask question) (answer, error) {
	const first, last = 10 * time.Millisecond, 100 * time.Millisecond
	begin := time.Now()
	var seen answer
	for pause := first; ; pause = min(pause*3/2, last) {
		a, err := lookOnce(ctx, p, ask)
		switch {
		case err == nil && a.State == "ready":
			return a, nil
		case err == nil && a.State == "threw":
			return a, ask.threw(a)
		case err == nil:
			seen = a
		case ctx.Err() == nil && !errors.Is(err, journeys.ErrReplaced):
			return a, err
		}
		if sleep(ctx, pause) != nil {
			if seen.State == "" {
				if seen = lastLook(ctx, p, ask); seen.State == "ready" {
					return seen, nil
				}
			}
			took := time.Since(begin).Round(10 * time.Millisecond)
			return seen, results.Fault(results.CauseTimeout, fmt.Errorf("%s after %v", p.Mask(ask.say(seen)), took))
		}
	}
}

// lastLook looks once more if no look came back in its time: on a busy machine the
// first can take longer than that.
func lastLook(ctx context.Context, p *journeys.Page, ask question) answer {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLimit)
	defer cancel()
	a, err := lookOnce(ctx, p, ask)
	if err != nil {
		return answer{}
	}
	return a
}

func lookOnce(ctx context.Context, p *journeys.Page, ask question) (answer, error) {
	var a answer
	out, err := p.Call(ctx, pageFunction(), ask)
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	return a, err
}

// threw judges what was thrown in the page: by the source of _eval, which is the
// page's matter, or by us, for a path or a pattern that the browser does not take.
func (ask question) threw(a answer) error {
	err := fmt.Errorf("threw %s", a.Detail)
	if ask.Op == "eval" && a.Name != "SyntaxError" {
		return results.Fault(results.CauseAnswer, err)
	}
	return results.Blind(results.CauseInternal, err)
}

// say says what was wrong with the page when it was last seen.
func (ask question) say(a answer) string {
	switch a.State {
	case "missing":
		return ask.missing(a)
	case "loading":
		return "the page was still loading"
	case "hidden":
		return "not visible"
	case "disabled":
		return "disabled"
	case "covered":
		return "covered by " + a.Detail
	case "moving":
		return "did not keep still"
	case "no field":
		return "is " + a.Detail + ", want a field to type into"
	case "read-only":
		return "read-only"
	case "no list":
		return "is " + a.Detail + ", want a select"
	case "no option":
		return "has no such option, only: " + cut(a.Detail, 120)
	case "no box":
		return "is " + a.Detail + ", want a checkbox or a radio button"
	case "unticked":
		return "did not change, though it was clicked"
	case "no frame":
		return "is " + a.Detail + ", want an iframe of the page's own origin"
	case "no file field":
		return "is " + a.Detail + ", want an input of type file"
	}
	return "the page did not answer"
}

func (ask question) missing(a answer) string {
	q := ask.Q[a.Which]
	text := "there is no " + q.String()
	sought := ""
	if q.ID != nil && q.ID.Text != nil {
		sought = *q.ID.Text
	}
	switch near := kind.Nearest(sought, a.Near); {
	case near != "" && near != sought:
		text += fmt.Sprintf(", did you mean %q?", near)
	case len(a.Near) > 0 && near == "":
		text += ", only " + cut(strings.Join(a.Near, ", "), 120)
	}
	return text
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
