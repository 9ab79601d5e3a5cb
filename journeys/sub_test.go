package journeys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/results"
)

// files writes files by their names and returns their directory.
func files(tb testing.TB, texts map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func TestSubJourney(t *testing.T) {
	p := warm(t)
	t.Parallel()
	dir := files(t, map[string]string{
		"main.yaml": `
vars: {base: "` + serve(t) + `"}
steps:
- {step: open, do: [{open: "${base}/form.html"}]}
- {step: first, journey: {file: parts/order.yaml, vars: {who: Ada}}}
- {step: again, do: [{see: "Ada, 1"}, {open: "${base}/form.html"}]}
- {step: second, journey: parts/order.yaml}
- {step: end, do: [{see: "Bob, 1"}]}
`,
		"parts/order.yaml": `
vars: {who: Bob}
steps:
- {step: name, do: [{type: {into: "#name", text: "${who}"}}]}
- {step: send, journey: send.yaml}
`,
		"parts/send.yaml": `steps: [{step: click, do: [{click: {role: button, name: Place order}}]}]`,
	})
	j, err := Load(filepath.Join(dir, "main.yaml"), testVars(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := walk(t, p, j, ample)
	wantResult(t, r, results.OK, "")
	for _, name := range []string{"first: name", "first: send: click", "second: send: click"} {
		stepNamed(t, r, name)
	}
}

func TestBadSubJourneys(t *testing.T) {
	t.Parallel()
	const open = `- {step: o, do: [{open: "http://x/"}]}` + "\n"
	for want, texts := range map[string]map[string]string{
		"inside itself": {
			"main.yaml": "steps:\n" + open + "- {step: a, journey: b.yaml}\n",
			"b.yaml":    "steps:\n- {step: b, journey: main.yaml}\n",
		},
		"no such file":                                  {"main.yaml": "steps:\n" + open + "- {step: a, journey: none.yaml}\n"},
		`b.yaml:1:25: unknown action "clik"`:            {"main.yaml": "steps:\n" + open + "- {step: a, journey: b.yaml}\n", "b.yaml": `steps: [{step: s, do: [{clik: a}]}]`},
		"main.yaml:3:4: got no name":                    {"main.yaml": "steps:\n" + open + "- {journey: b.yaml}\n"},
		`unknown variable "whp"`:                        {"main.yaml": "steps:\n" + open + "- {step: a, journey: {file: b.yaml, vars: {whp: x}}}\n", "b.yaml": "vars: {who: a}\nsteps: [{step: s, do: [{click: a}]}]"},
		`b.yaml:1:25: do[0]: got click before any open`: {"main.yaml": "steps: [{step: a, journey: b.yaml}]", "b.yaml": `steps: [{step: s, do: [{click: a}]}]`},
	} {
		dir := files(t, texts)
		_, err := Load(filepath.Join(dir, "main.yaml"), testVars(dir), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
