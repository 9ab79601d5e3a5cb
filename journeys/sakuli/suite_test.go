package sakuli

import (
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/results"
)

func TestSuites(t *testing.T) {
	base := serve(t)
	for _, tc := range []struct{ dir, want string }{
		{"testdata/v1", "shop-v1 of mugs: ok\n  login: ok\n    log in: ok\n    open a mug: ok\n    order: ok\n"},
		{"testdata/v2/testsuite.suite", "shop-v2: ok\n  order a mug: ok\n    log in: ok\n    open a mug: ok\n    order: ok\n"},
	} {
		s, err := Load(tc.dir, testVars(base), map[string]string{"password": "hunter22"}, discard())
		if err != nil {
			t.Fatal(err)
		}
		r := runSuite(t, s, 30*time.Second)
		if r.Status != results.OK || tree(r) != tc.want {
			t.Errorf("%s: got %v: %s\n%s\nwant\n%s", tc.dir, r.Status, r.Message, tree(r), tc.want)
		}
	}
}

// A configuration names a suite as any other journey.
func TestConfiguration(t *testing.T) {
	base := serve(t)
	kinds := journeys.Kinds(pool, "testdata", testVars(base), Format(pool, discard()))
	check, err := kinds.BuildText("journey", "file: v1\nevidence: always\n")
	if err != nil {
		t.Fatal(err)
	}
	rec := results.NewRecorder()
	r := rec.Finish(check.Run(t.Context(), rec))
	if r.Status != results.OK || r.Steps[1].Name != "shop-v1 of mugs" || len(r.Steps[1].Artifacts) == 0 || r.Steps[1].Artifacts[0].Name != "end" {
		t.Errorf("got %v: %s, and %d artifacts beside %s, want what the page showed at the end", r.Status, r.Message, len(r.Steps[1].Artifacts), r.Steps[1].Name)
	}
	if _, err := kinds.BuildText("journey", "file: nowhere/testsuite.suite\n"); err == nil || !strings.Contains(err.Error(), "journey:1:7: file: suite: open ") {
		t.Errorf("got %v, want the place in the configuration", err)
	}
}
