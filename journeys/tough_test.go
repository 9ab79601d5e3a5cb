package journeys

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

// Pages as they are met outside of tests.
func TestToughPages(t *testing.T) {
	p := warm(t)
	t.Parallel()
	wantResult(t, walk(t, p, one(t, serve(t), "/tough.html",
		`click: "#low"`, `see: said low`,
		`evaluate: "scrollTo(0, 190)"`, `click: "#under-header"`, `see: said header`,
		`click: {text: Rendered anew}`, `see: said spa`,
		`type: {into: {label: Secret wish}, text: rain}`, `click: {role: button, name: Wish}`, `see: said wish rain`,
		`select: {in: {label: Toppings}, values: [Olives, c]}`, `evaluate: "toppings.selectedOptions.length === 2 && !toppings.options[0].selected || Promise.reject('not two')"`,
		`upload: {into: {label: Photo}, files: [/dev/null]}`, `see: said photo 1`,
		`click: {role: combobox, name: Fruit}`, `click: {role: option, name: Apple}`, `see: {text: said fruit Apple, in: "#said"}`,
		`type: {into: {label: Story}, text: a new one}`, `see: {text: a new one, in: "#editor"}`,
		`type: {into: {label: When}, text: "2031-02-03T04:05"}`, `see: said when 2031-02-03T04:05`,
		`type: {into: {label: Size}, text: "7"}`, `see: said size 7`,
		`repeat: {until: {visible: {text: Row 95.}}, do: [{scroll: {by: 150, in: "#virtual"}}]}`, `click: {text: Row 95.}`, `see: said row 95`,
		`click: "#leave"`, `see: {title: Checkout}`,
		`open: "${base}/tough.html?shade"`, `click: "#low"`, `see: said low`,
	), ample), results.OK, "")
}

func TestBadPages(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(tls.Close)
	for name, c := range map[string]struct {
		journey *Journey
		cause   results.Cause
		want    string
	}{
		"forty elements":     {hasty(t, base, "/tough.html?forty", `click: .same`), results.CauseTimeout, `click .same: matches 40 elements: button.same "Same", button.same "Same", button.same "Same"; want one: say more, or which with nth`},
		"certificate":        {one(t, tls.URL, "/"), results.CauseTLS, "net::ERR_CERT_AUTHORITY_INVALID at " + tls.URL},
		"redirects":          {one(t, base, "/redirect"), results.CauseAnswer, "net::ERR_TOO_MANY_REDIRECTS at " + base + "/redirect"},
		"download":           {one(t, base, "/download"), results.CauseAnswer, "answered 200 OK with a download or with nothing to show, want a page"},
		"nothing":            {one(t, base, "/204"), results.CauseAnswer, "answered 204 No Content with a download or with nothing to show, want a page"},
		"redirect by script": {hasty(t, base, "/script-redirect"), results.CauseTimeout, "/script-redirect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := walk(t, p, c.journey, ample)
			wantResult(t, r, results.Critical, c.cause, c.want)
			if r.Duration > 30*time.Second {
				t.Errorf("took %v, want a bounded time", r.Duration)
			}
		})
	}
}

// 50 MB take the browser longer than a step may wait, and no longer than that. On a busy
// machine it parses them for so long that it cannot be told from a page that hangs.
func TestHugePage(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	r := walk(t, p, hasty(t, base, "/huge"), ample)
	if r.Cause == results.CauseBrowser {
		wantResult(t, r, results.Unknown, results.CauseBrowser, "/huge: the page hangs")
	} else {
		wantResult(t, r, results.Critical, results.CauseTimeout, "/huge")
	}
	if r.Duration > 20*time.Second {
		t.Errorf("took %v, want it to end soon after the step's 700ms", r.Duration)
	}
}
