package pause

import (
	"errors"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/results"
)

func TestWhoMayBePaused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		capable     bool
		scope, want string
		possible    bool
	}{
		{true, "", "any process", true},
		{true, "2", "any process", true},
		{true, "3", "until the next boot", false},
		{false, "", "processes of uid 7", true},
		{false, "0", "processes of uid 7", true},
		{false, "1", "ptrace_scope is 1 and CAP_SYS_PTRACE is missing", false},
		{false, "2", "ptrace_scope is 2 and CAP_SYS_PTRACE is missing", false},
	} {
		whose, err := may(c.capable, c.scope, 7)
		said := whose
		if err != nil {
			said = err.Error()
		}
		if (err == nil) != c.possible || !strings.Contains(said, c.want) || err != nil && !errors.Is(err, results.ErrUnknown) {
			t.Errorf("%+v: got %q, %v", c, whose, err)
		}
	}
	whose, err := Probe()
	if (whose == "") == (err == nil) {
		t.Errorf("got %q, %v, want one of them", whose, err)
	}
	t.Logf("here: %s %v", whose, err)
}
