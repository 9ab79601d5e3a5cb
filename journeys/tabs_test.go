package journeys

import (
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

func TestTabs(t *testing.T) {
	p := warm(t)
	t.Parallel()
	wantResult(t, walk(t, p, one(t, serve(t), "/tabs.html",
		`viewport: {width: 700, height: 500}`,
		`click: "#terms"`, `tab: new`, `see: {title: Checkout}`,
		`evaluate: "innerWidth === 700 || Promise.reject('is ' + innerWidth)"`,
		`type: {into: "#name", text: Ada}`, `click: "#place-order"`, `see: "Ada, 1"`,
		`tab: previous`, `see: {title: Tabs}`,
		`click: "#window"`, `tab: new`, `click: "#ask"`, `see: {title: "true"}`, `screenshot: window`, `tab: close`, `see: {title: Tabs}`,
		`click: "#window"`, `tab: new`, `click: "#go"`, `tab: previous`, `see: said signed in`,
	), ample), results.OK, "")
}

func TestTabsThatAreNotThere(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	wantResult(t, walk(t, p, hasty(t, base, "/tabs.html", `tab: new`), ample),
		results.Critical, results.CauseTimeout, "go to new tab: no page has opened a tab after ")
	wantResult(t, walk(t, p, one(t, base, "/tabs.html", `tab: close`), ample),
		results.Unknown, results.CauseInternal, "close tab: the journey is in its first tab, want one that it went to with tab: new")
	wantResult(t, walk(t, p, one(t, base, "/tabs.html", `click: "#window"`, `tab: new`, `click: "#go"`, `evaluate: "new Promise(() => {})"`), ample),
		results.Critical, results.CauseAnswer, `evaluate JavaScript: the tab was closed; go on with tab: previous`)
}

func TestSixtyWindows(t *testing.T) {
	t.Parallel()
	p := own(t, PoolOptions{}) // the other tests would wait for it
	j := one(t, serve(t), "/tabs.html", `click: "#many"`, `tab: new`, `wait_for: {gone: "#place-order"}`)
	j.steps[0].timeout = 4 * time.Minute // opening them is the browser's work, and much of it
	r := walk(t, p, j, ample)
	wantResult(t, r, results.Critical, results.CauseAnswer, "the page opened more than 20 tabs or windows, which were closed")
}
