package journeys

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/foreshock/foreshock/results"
)

func TestActions(t *testing.T) {
	p := warm(t)
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("file "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	wantResult(t, walk(t, p, tour(t, serve(t), "/acts.html", [][2]string{
		{`double_click: "#twice"`, "said twice"},
		{`clear: "#field"` + "\n  - press: {keys: [x, Y, Enter], in: \"#field\"}", "said entered xY"},
		{`press: {keys: [Control+A, Delete, Z, Enter], in: "#field"}`, "said entered Z"},
		{`press: {keys: [Home, Shift+End, Backspace, Enter], in: "#field"}`, "said entered"},
		{`press: {keys: [Control+Alt+B], in: "#field"}`, "said chord"},
		{`check: {label: Tick}`, "said ticked true"},
		{`uncheck: {label: Ticked}`, "said ticked false"},
		{`check: {role: switch, name: Dark}`, "said switched"},
		{`upload: {into: "#files", files: ["` + a + `", "` + b + `"]}`, "said file a+file b"},
		{"hover: \"#menu\"\n  - click: {text: Inside}", "said menu"},
		{`drag: {from: "#item", to: "#drop"}`, "said dropped mug"},
		{`scroll: {to: "#end"}`, "said end"},
		{`scroll: {by: 300}`, "said page scrolled"},
		{`scroll: {by: 300, in: "#box"}`, "said box scrolled"},
	}), ample), results.OK, "")
	// A box that is as wanted is left alone: nothing is said.
	alone := one(t, serve(t), "/acts.html", `check: "#ticked"`, `uncheck: "#tick"`, `check: {label: Tick}`, `see: {text: said ticked true, in: "#said"}`)
	wantResult(t, walk(t, p, alone, ample), results.OK, "")
}

func TestActionsThatThePageDoesNotAllow(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	for action, want := range map[string]string{
		`check: "#twice"`: "check #twice: is button#twice, want a checkbox, a radio button or a switch after",
		`check: "#stuck"`: "check #stuck: is still unchecked, though it was clicked after",
		`upload: {into: "#twice", files: [/dev/null]}`:      "upload null into #twice: is button#twice, want an input of type file after",
		`upload: {into: "#file", files: [/proc, /dev]}`:     "upload proc, dev into #file: takes one file, got 2 after",
		`drag: {from: "#item", to: "#nowhere"}`:             "drag #item to #nowhere: no such element after",
		`press: {keys: [Enter], in: {text: Nobody at all}}`: `press Enter in text "Nobody at all": no such element after`,
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			r := walk(t, p, hasty(t, base, "/acts.html", action), ample)
			wantResult(t, r, results.Critical, results.CauseTimeout, want)
		})
	}
	r := walk(t, p, one(t, base, "/acts.html", `upload: {into: "#file", files: [/nowhere/x]}`), ample)
	wantResult(t, r, results.Unknown, results.CauseInternal, "the file to upload: stat /nowhere/x: no such file")
}
