package journeys

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/results"
)

// Frames of another origin, of the same site and of another one, in which others are.
func TestFramesOfOtherOrigins(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for name, other := range map[string]string{
		"the same site": serve(t),
		"another site":  strings.Replace(serve(t), "127.0.0.1", "localhost", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := walk(t, p, one(t, base, "/frames.html?other="+url.QueryEscape(other),
				`type: {into: {label: Card number}, text: "4242"}`,
				`select: {in: {css: "#kind", in: "#card"}, value: credit}`,
				`upload: {into: {css: "#file", in: "#pay"}, files: [/dev/null]}`,
				`click: {role: button, name: Send, in: "#pay"}`,
				`see: sent 4242 credit 1`,
				`see: {text: sent 4242, in: {css: "#said", in: "#card"}}`,
				`store: {as: said, text_of: {css: "#said", in: "#card"}}`,
				`type: {into: {label: Message}, text: "${said}!"}`,
				`click: {css: "#send", in: "#talk"}`,
				`see: {value: "sent 4242 credit 1!", in: {css: "#number", in: "#talk"}}`,
				`click: {text: Sealed}`, `see: sealed ok`,
				`click: {role: button, name: Nested}`, `see: said nested`,
				`wait_for: {gone: {text: Nobody}}`,
				`see: {count: 1, of: {text: "sent 4242 credit 1", in: "#card"}}`,
			), ample)
			wantResult(t, r, results.OK, "")
		})
	}
	other := serve(t)
	for action, want := range map[string]string{
		`click: {css: button, in: "#card"}`:      `click button in #card: matches 2 elements`,
		`wait_for: {gone: {label: Card number}}`: "still there after",
		`click: {text: Nobody at all}`:           "no such element after",
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			// Many looks, one after another, on a machine that may be very busy.
			j := write(t, base, "steps:\n- step: only\n  timeout: 6s\n  do:\n  - open: ${base}/frames.html?other="+url.QueryEscape(other)+"\n  - "+action+"\n")
			wantResult(t, walk(t, p, j, ample), results.Critical, results.CauseTimeout, want)
		})
	}
}

func TestSplits(t *testing.T) {
	t.Parallel()
	c := Selector{By: "css", Value: "c"}
	b := Selector{By: "css", Value: "b", In: &c}
	a := Selector{By: "css", Value: "a", In: &b}
	var got []string
	for _, s := range a.splits() {
		got = append(got, s.inner.String()+" within "+s.around.String())
	}
	if want := []string{"a within b in c", "a in b within c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
