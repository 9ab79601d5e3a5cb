package journeys

import (
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func TestStore(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	j := one(t, base, "/looks.html",
		`store: {as: who, value_of: "#field"}`,
		`store: {as: letter, text_of: {css: li, nth: 2}}`,
		`store: {as: path, attribute: href, of: "#link", match: "^(/.*)[?]"}`,
		`store: {as: sum, script: "Promise.resolve({n: 1 + 2})", match: "[0-9]+"}`,
		`store: {as: address, script: "location.origin + '/form.html'"}`,
		`open: "${address}"`,
		`type: {into: {label: Your name}, text: "${who} $$5 ${letter} ${path} ${sum}"}`,
		`evaluate: "document.querySelector('#note').value = 'noted'"`,
		`click: "#place-order"`,
		`see: {text: "${who} $5 b /to 3", in: p}`,
		`see: noted`,
	)
	for range 2 { // a run leaves nothing to the next one
		wantResult(t, walk(t, p, j, ample), results.OK, "")
	}
}

func TestStoreAndEvaluateThatFail(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for action, want := range map[string]string{
		`store: {as: x, value_of: "#field", match: "[0-9]+"}`:              `store x: has nothing that matches, it is "Ada" after`,
		`store: {as: x, value_of: "#nofield"}`:                             `store x: no such element after`,
		`store: {as: x, value_of: "#field", match: "[0-9]", secret: true}`: `it is "***" after`,
		`evaluate: "new Promise(() => {})"`:                                `evaluate JavaScript: `,
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			r := walk(t, p, hastyFor(t, 3*time.Second, base, "/looks.html", action), ample)
			wantResult(t, r, results.Critical, results.CauseTimeout, want)
		})
	}
	for action, want := range map[string]string{
		`evaluate: "throw new Error('broken')"`:   `evaluate JavaScript: threw Error: broken`,
		`evaluate: "Promise.reject('not today')"`: `evaluate JavaScript: threw not today`,
		`store: {as: x, script: "nobody.there"}`:  `store x: threw ReferenceError: nobody is not defined`,
	} {
		r := walk(t, p, one(t, base, "/looks.html", action), ample)
		wantResult(t, r, results.Critical, results.CauseAnswer, want)
	}
	for action, want := range map[string]string{
		`evaluate: "1 +"`: `not JavaScript: SyntaxError`,
		"see: \"${x}\"\n  - store: {as: x, value_of: \"#field\"}":  "${x} has no value yet",
		"store: {as: x, value_of: \"#field\"}\n  - open: \"${x}\"": "with what was stored: ",
	} {
		r := walk(t, p, one(t, base, "/looks.html", action), ample)
		wantResult(t, r, results.Unknown, results.CauseInternal, want)
	}
	r := walk(t, p, hasty(t, base, "/looks.html", `store: {as: x, value_of: "#secret", secret: true}`, `type: {into: "#field", text: "${x}"}`,
		`evaluate: "document.querySelector('#said').textContent = document.querySelector('#field').value"`, `see: nothing like this`), ample)
	if wantResult(t, r, results.Critical, results.CauseTimeout, "***"); strings.Contains(r.Message, "hunter22") {
		t.Errorf("message %q shows what was stored as a secret", r.Message)
	}
}
