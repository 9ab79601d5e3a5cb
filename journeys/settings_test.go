package journeys

import (
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

// The secrets and passwords of RFC 6238, appendix B.
func TestOneTimePasswords(t *testing.T) {
	t.Parallel()
	for algorithm, c := range map[string]struct{ secret, early, late string }{
		"sha1":   {"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "94287082", "65353130"},
		"sha256": {"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA", "46119246", "77737706"},
		"sha512": {
			"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA",
			"90693936", "47863826",
		},
	} {
		a, err := Actions().BuildText("one_time_password", "{into: a, digits: 8, algorithm: "+algorithm+", secret: "+c.secret+"}")
		if err != nil {
			t.Fatal(err)
		}
		if got := a.(oneTimePassword).at(time.Unix(59, 0)); got != c.early {
			t.Errorf("%s: got %s at 59s, want %s", algorithm, got, c.early)
		}
		if got := a.(oneTimePassword).at(time.Unix(20000000000, 0)); got != c.late {
			t.Errorf("%s: got %s in the year 2603, want %s", algorithm, got, c.late)
		}
	}
}

func TestOneTimePasswordIsTyped(t *testing.T) {
	p := warm(t)
	t.Parallel()
	j := hasty(t, serve(t), "/form.html", `one_time_password: {into: "#name", secret: "jbsw y3dp ehpk 3pxp"}`,
		`click: "#place-order"`, `store: {as: typed, text_of: p, match: "^[0-9]{6}, 1"}`, "see: nothing")
	r := walk(t, p, j, ample)
	wantResult(t, r, results.Critical, results.CauseTimeout, `see "nothing"`, `says "Order placed ***, 1`)
	for _, s := range r.Steps {
		if strings.Contains(s.Name+s.Error, "jbsw") {
			t.Errorf("step %q: %s: shows the secret", s.Name, s.Error)
		}
	}
}

func TestSettings(t *testing.T) {
	p := warm(t)
	t.Parallel()
	base := serve(t)
	login := strings.Replace(base, "http://", "http://ada:s3cret-word@", 1)
	j := write(t, base, `
steps:
- step: before the first page
  do:
  - cookie: {name: consent, value: all, url: "${base}"}
  - header: {name: X-Monitor, value: one}
  - viewport: phone
- step: look
  do:
  - open: "${base}/asked"
  - see: cookie all, header one, 390x844 at 3 touch
  - viewport: {width: 1000, height: 700}
  - header: {name: x-monitor, value: two}
  - open: "${base}/asked"
  - see: cookie all, header two, 1000x700 at 1
- step: log in
  do:
  - open: "`+login+`/asked?login=1"
  - see: user ada s3c
`)
	r := walk(t, p, j, ample)
	wantResult(t, r, results.OK, "")
	for _, s := range r.Steps {
		if strings.Contains(s.Name+s.Error, "s3cret-word") {
			t.Errorf("step %q shows the password", s.Name)
		}
	}
	// The next run has none of it.
	wantResult(t, walk(t, p, one(t, base, "/asked", "see: cookie , header , 1280x800 at 1"), ample), results.OK, "")
}
