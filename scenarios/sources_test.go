package scenarios

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// Attempts of others are left out, and replicas are told apart from them.
func TestOurs(t *testing.T) {
	t.Parallel()
	service, other, replica := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("10.0.0.3")
	dep4, dep6 := netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("fd00::1")
	o := &verdict.Observed{Idle: verdict.Span{End: time.Second}, Armed: verdict.Span{Start: 2 * time.Second}, Ended: 4 * time.Second}
	var calls []time.Duration
	for at := 2 * time.Second; at < 3*time.Second; at += 100 * time.Millisecond {
		o.Calls = append(o.Calls, verdict.Call{At: at, Took: 50 * time.Millisecond})
		calls = append(calls, at+time.Millisecond)
	}
	each := func(from, to netip.Addr, at ...time.Duration) (out []try) {
		for _, a := range at {
			out = append(out, try{a, from, to})
		}
		return out
	}
	for name, c := range map[string]struct {
		tries  []try
		shared bool
		want   []time.Duration
		doubt  string
	}{
		"alone":                       {each(service, dep4, calls...), false, calls, ""},
		"alone, with a background":    {each(service, dep4, append([]time.Duration{1}, calls...)...), false, append([]time.Duration{1}, calls...), ""},
		"another that also idles":     {slices.Concat(each(other, dep4, 1, 2), each(service, dep4, calls...), each(other, dep4, calls...)), false, calls, ""},
		"another now and then":        {slices.Concat(each(service, dep4, calls...), each(other, dep4, calls[3]+5, calls[7]+5)), false, calls, ""},
		"another alone, between":      {slices.Concat(each(service, dep4, calls[:5]...), each(other, dep4, calls[9])), false, calls[:5], ""},
		"two replicas in turn":        {slices.Concat(each(service, dep4, calls[:5]...), each(replica, dep4, calls[5:]...)), false, calls, "10.0.0.2, 10.0.0.3"},
		"two replicas with one state": {slices.Concat(each(service, dep4, calls[:5]...), each(replica, dep4, calls[5:]...)), true, calls, ""},
		"both addresses of a host":    {slices.Concat(each(service, dep6, calls...), each(service, dep4, calls...)), false, calls, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slices.SortStableFunc(c.tries, func(a, b try) int { return int(a.at - b.at) })
			at, doubt := ours(c.tries, o, c.shared)
			if !slices.Equal(at, c.want) || (c.doubt == "") != (doubt == "") || !strings.Contains(doubt, c.doubt) {
				t.Errorf("got %v %q, want %v %q", at, doubt, c.want, c.doubt)
			}
		})
	}
}
