package journeys

import (
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func TestBlocks(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	j := write(t, base, `
steps:
- step: only
  do:
  - open: ${base}/blocks.html?banner
  - if: {visible: "#banner", within: 30s, then: [{click: {text: Accept}}], else: [{click: "#never"}]}
  - see: said accepted
  - if: {visible: "#banner", then: [{click: "#never"}]}
  - if: {gone: "#banner", then: [{see: {count: 1, of: li}}]}
  - if: {text: We use cookies, then: [{click: "#never"}], else: [{store: {as: seen, text_of: "#said"}}]}
  - if: {stored: seen, matches: "^said acc", then: [{evaluate: "say('matched')"}], else: [{click: "#never"}]}
  - if: {stored: nothing, then: [{click: "#never"}]}
  - if: {url: "${seen}", then: [{click: "#never"}]}
  - repeat: {until: {gone: "#more"}, do: [{store: {as: last, text_of: {css: li, nth: -1}}}, {click: "#more"}, {evaluate: "say('after ${last}')"}]}
  - see: {count: 4, of: li}
  - see: said accepted said matched said after 1 said after 2 said after 3
  - repeat: {times: 2, do: [{repeat: {times: 2, do: [{evaluate: "say('twice')"}]}}]}
  - see: {text: said twice said twice said twice said twice, in: "#said"}
`)
	r := walk(t, p, j, ample)
	wantResult(t, r, results.OK, "")
	if got := stepNamed(t, r, "repeat until #more is gone").Values["rounds"]; got != 3 {
		t.Errorf("got %v rounds, want 3", got)
	}
	if got := len(r.Steps); got != 16 { // the browser, the step and its actions: no more, whatever was done
		t.Errorf("got %d steps, want 16", got)
	}
}

func TestBlocksThatFail(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for action, c := range map[string]struct {
		cause results.Cause
		want  string
	}{
		`if: {visible: "#more", then: [{click: "#nope"}]}`:                      {results.CauseTimeout, "if #more is visible: then: click #nope: no such element after "},
		`repeat: {times: 3, do: [{click: "#more"}, {see: {count: 2, of: li}}]}`: {results.CauseTimeout, "repeat 3 times: round 2: see 2 of li: there are 3 after "},
		`repeat: {until: {text: never}, times: 2, do: [{click: "#more"}]}`:      {results.CauseAnswer, "repeat until the page says \"never\": still not so after 2 rounds\npage"},
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			r := walk(t, p, hastyFor(t, 4*time.Second, base, "/blocks.html", action), ample)
			wantResult(t, r, results.Critical, c.cause, c.want)
		})
	}
}
