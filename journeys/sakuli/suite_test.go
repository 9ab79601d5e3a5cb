package sakuli

import (
	"testing"
	"time"

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
