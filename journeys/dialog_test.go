package journeys

import (
	"testing"

	"github.com/foreshock/foreshock/results"
)

func TestDialogs(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	j := one(t, base, "/dialogs.html",
		`click: "#confirm"`, `see: said deleted`, `see: {dialog: Really delete?}`,
		`click: "#prompt"`, `see: said name null`,
		`dialog: dismiss`, `click: "#confirm"`, `see: said kept`,
		`dialog: {answer: accept, text: Ada}`, `click: "#prompt"`, `see: said name Ada`, `see: {dialog: "Your name?"}`)
	wantResult(t, walk(t, p, j, ample), results.OK, "")
	wantResult(t, walk(t, p, hasty(t, base, "/dialogs.html", `click: "#prompt"`, `see: {dialog: Delete}`), ample),
		results.Critical, results.CauseTimeout, `see dialog "Delete": the last one says "Your name?" after`)
	wantResult(t, walk(t, p, hasty(t, base, "/dialogs.html", `see: {dialog: Delete}`), ample),
		results.Critical, results.CauseTimeout, "no dialog opened after")
}
