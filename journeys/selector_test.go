package journeys

import (
	"fmt"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/results"
)

// tour makes one journey in which each of pairs, an action and a text that it must
// bring, starts on a page of its own.
func tour(tb testing.TB, base, path string, pairs [][2]string) *Journey {
	tb.Helper()
	var steps strings.Builder
	for i, p := range pairs {
		fmt.Fprintf(&steps, "- step: %d\n  do:\n  - open: ${base}%s\n  - %s\n  - see: %q\n", i+1, path, p[0], p[1])
	}
	return write(tb, base, "steps:\n"+steps.String())
}

func TestSelectors(t *testing.T) {
	p := warm(t)
	t.Parallel()
	wantResult(t, walk(t, p, tour(t, serve(t), "/parts.html", [][2]string{
		{`click: {role: button, name: Pay}`, "said paid"},
		{`click: {role: button, name: Cancel order}`, "said cancelled"},
		{`select: {in: {role: combobox, name: Colour}, value: blue}`, "said blue"},
		{`select: {in: {label: Colour}, value: blue}`, "said blue"},
		{`click: {role: checkbox, name: I agree}`, "said agreed"},
		{`click: {role: button, name: Add, in: {role: row, name: Cup}}`, "said one cup"},
		{`click: {text: Add, nth: 2}`, "said one cup"},
		{`click: {css: tr button, nth: -1}`, "said one cup"},
		{`click: {text: Send}`, "said sent"},
		{`click: {xpath: "//tr[td='Mug']//button"}`, "said one mug"},
		{`click: {xpath: "//button", in: {xpath: "//tr[2]"}}`, "said one cup"},
		{`click: {xpath: "//button[@class='deep']"}`, "said deep Save"},
		{`click: .deep`, "said deep Save"},
		{`click: {role: button, name: Save, in: x-card}`, "said deep Save"},
		{`click: {text: Save}`, "said deep Save"},
		{`type: {into: {label: Nickname}, text: Ada}`, "said typed Ada"},
		{`type: {into: {testid: nick}, text: Bob}`, "said typed Bob"},
		{`see: {text: in the shadow, in: x-card}`, "inside the frame"},
		{`click: {role: button, name: Framed}`, "said framed"},
		{`click: {css: button, in: "#outer"}`, "said framed"},
		{`type: {into: {label: Card number}, text: "42"}`, "said card 42"},
		{`click: {xpath: "//button[.='Framed']"}`, "said framed"},
	}), ample), results.OK, "")
}

func TestSelectorsThatDoNotMeanOne(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for action, want := range map[string]string{
		`click: {role: button, name: Pay now}`: `click button "Pay now": no such button of that name after`,
		`wait_for: {role: button, name: Py}`:   `; there are: button "Add", button "Pay", button "Cancel order", button "Send", button "Save"`,
		`click: tr button`:                     `click tr button: matches 2 elements: button "Add", button "Add"; want one: say more, or which with nth after`,
		`click: {text: Add, nth: 3}`:           `click text "Add" (nth 3): there are only 2 after`,
		`click: {text: Add, in: "#none"}`:      `click text "Add" in #none: #none: no such element after`,
		`click: {text: Pay, in: x-card}`:       `click text "Pay" in x-card: no such element after`,
		`click: {role: tab, in: {role: row}}`:  `click tab in row: row: matches 2 elements: tr, tr;`,
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			r := walk(t, p, hasty(t, base, "/parts.html", action), ample)
			wantResult(t, r, results.Critical, results.CauseTimeout, want)
		})
	}
	for action, want := range map[string]string{
		`click: {css: "a["}`:    "not a selector that the browser knows",
		`click: {xpath: "//["}`: "not a selector that the browser knows",
	} {
		r := walk(t, p, one(t, base, "/parts.html", action), ample)
		wantResult(t, r, results.Unknown, results.CauseInternal, want)
	}
}
