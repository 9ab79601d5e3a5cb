package scenarios_test

import (
	"context"
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/scenarios"
)

// TestInsideEvidence: without evidence nothing passes and nothing fails.
func TestInsideEvidence(t *testing.T) {
	enter(t)
	right := func(t *testing.T) *rig { t.Helper(); return newRig(t, newGate(t, failures, openFor)) }

	t.Run("a port nobody uses", func(t *testing.T) {
		var r *rig
		want(t, patient(t, verdict.Invalid, func() *scenarios.Report {
			r = right(t)
			r.address = nobody(t)
			return r.run(t.Context(), t)
		}), verdict.Invalid, 4, "the fault met no packet in 13 calls: does the service use "+r.address)
	})
	t.Run("a port nobody uses, and a check that hangs", func(t *testing.T) {
		rep := patient(t, verdict.Invalid, func() *scenarios.Report {
			r := right(t)
			r.address = nobody(t)
			begun := atomic.Bool{}
			r.looks["a"] = func(ctx context.Context) error {
				if begun.Swap(true) {
					return sleep(ctx, 8*time.Second)
				}
				return nil
			}
			r.change = func(s string) string {
				s = strings.Replace(s, "calls: 5", "calls: 50", 1) // until the check hangs
				return s + "checks: [{name: a, timeout: 9s, look: {like: a}}]\nisolated: [a]\n"
			}
			return r.run(t.Context(), t)
		})
		want(t, rep, verdict.Invalid, 4, "the fault met no packet")
		last := rep.Timeline[len(rep.Timeline)-1]
		for _, e := range rep.Timeline {
			if e.Type == "call" {
				last = e
			}
		}
		if f := rep.Faults[0]; f.HealedMS > last.AtMS+2000 || rep.DurationMS > last.AtMS+4000 {
			t.Errorf("the last call was at %v, the fault healed at %v, the run ended at %v; want it at once", last.AtMS, f.HealedMS, rep.DurationMS)
		}
	})
	t.Run("the dependency is reachable in another way", func(t *testing.T) {
		// Two of three calls meet the fault: never three failures in a row.
		r := right(t)
		other := newRig(t, off{})
		r.service.client.Transport = &detour{every: 3, to: other.address, RoundTripper: r.service.client.Transport}
		rep := r.run(t.Context(), t)
		want(t, rep, verdict.Inconclusive, 3, "trips-at-threshold: ")
	})
	t.Run("the target is down", func(t *testing.T) {
		r := right(t)
		r.url = "http://" + nobody(t)
		rep := r.run(t.Context(), t)
		want(t, rep, verdict.Inconclusive, 3, "unhealthy baseline: 0 of 1 calls succeeded, want 100%; the last was failed: Post")
		if len(rep.Faults) != 1 || rep.Faults[0].HealedBy != "" {
			t.Errorf("got %+v, want one fault that was never armed", rep.Faults)
		}
	})
	t.Run("attempts that no call caused", func(t *testing.T) {
		r := right(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			noise := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for ctx.Err() == nil {
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.address, http.NoBody)
				if resp, err := noise.Do(req); err == nil {
					resp.Body.Close()
				}
				time.Sleep(50 * time.Millisecond)
			}
		}()
		defer func() { stop(); <-done }()
		want(t, r.run(t.Context(), t), verdict.Inconclusive, 3, "connection attempts that no call caused")
	})
	for name, rule := range map[string][]string{
		"the jump is deleted":    {"-D", "OUTPUT", "1"},
		"the chain is emptied":   {"-F", "FS"},
		"a rule comes before it": {"-I", "OUTPUT", "1", "-p", "tcp", "-j", "ACCEPT"},
	} {
		t.Run(name, func(t *testing.T) {
			var r *rig
			expect := verdict.Invalid
			if rule[0] == "-I" {
				expect = verdict.Inconclusive
			}
			rep := patient(t, expect, func() *scenarios.Report {
				r = right(t)
				done := make(chan struct{})
				ctx, over := context.WithCancel(t.Context())
				go func() {
					defer close(done)
					if !r.await(ctx, "the breaker opened") {
						return
					}
					args := append([]string{"-w", "5"}, rule...)
					if rule[0] == "-F" {
						found, err := (&faults.Injector{}).List(ctx)
						if err != nil || len(found) != 1 {
							t.Errorf("got %v, %v, want one fault", found, err)
							return
						}
						args[3] = found[0].Chain
					}
					if out, err := exec.Command("iptables", args...).CombinedOutput(); err != nil {
						t.Errorf("iptables %v: %v: %s", args, err, out)
					}
				}()
				rep := r.run(t.Context(), t)
				over()
				<-done
				if rule[0] == "-I" {
					_ = exec.Command("iptables", "-w", "5", "-D", "OUTPUT", "1").Run()
				}
				return rep
			})
			if rule[0] == "-I" {
				want(t, rep, verdict.Inconclusive, 3, "Rules of others came before the fault's during the run")
				return
			}
			if last := rep.Phases[len(rep.Phases)-1].Name; last != "open" {
				t.Errorf("ended in %s, want it to end in open, where it was seen", last)
			}
			want(t, rep, verdict.Invalid, 4, "the rules of drop "+r.address+" were touched during the run: ")
		})
	}
	t.Run("another run's fault is on this host", func(t *testing.T) {
		r := right(t)
		other := right(t).spec(t)
		in, err := (&faults.Injector{}).Install(t.Context(), other.Faults()[0], faults.Options{Run: "theirs", Name: "other-outage", Until: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		rep := r.engine.Run(t.Context(), r.spec(t))
		r.consistent(t, rep)
		if err := in.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, rep, verdict.Aborted, 5, "another run injects faults on this host: drop "+other.Faults()[0].Target().String()+" of run theirs (other-outage)")
		if len(rep.Faults) != 0 {
			t.Errorf("got %v, want no fault installed", rep.Faults)
		}
		nothingLeft(t)
	})
	t.Run("chaos is not allowed", func(t *testing.T) {
		r := right(t)
		r.engine.Allowed = func() error {
			return faults.Allowed(func(string) (string, bool) { return "", false }, false)
		}
		rep := r.run(t.Context(), t)
		want(t, rep, verdict.Aborted, 5, "FORESHOCK_CHAOS=allowed")
		if !strings.Contains(rep.Reason, faults.AllowedFile) || len(rep.Faults) != 0 {
			t.Errorf("got %q and %d faults, want both ways and none", rep.Reason, len(rep.Faults))
		}
	})
	t.Run("healing fails", func(t *testing.T) {
		r := right(t)
		s := &stubborn{Injector: &faults.Injector{}}
		r.engine.Injector = s
		rep := r.engine.Run(t.Context(), r.spec(t))
		if rep.ExitCode != 6 || !strings.Contains(rep.Reason, "the fault could not be healed: no way; run: foreshock fault heal --all") {
			t.Errorf("got exit code %d (%s), want 6 and what to do", rep.ExitCode, rep.Reason)
		}
		if err := s.real.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

// detour sends every nth call to another place.
type detour struct {
	http.RoundTripper
	every, n int
	to       string
}

func (d *detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.n++; d.n%d.every == 0 {
		r = r.Clone(r.Context())
		r.URL.Host = d.to
		r.Host = d.to
	}
	return d.RoundTripper.RoundTrip(r)
}

// stubborn installs a fault whose rules cannot be removed.
type stubborn struct {
	*faults.Injector
	real faults.Injection
}

func (s *stubborn) Install(ctx context.Context, f faults.Fault, o faults.Options) (in faults.Injection, err error) {
	s.real, err = s.Injector.Install(ctx, f, o)
	return stays{s.real}, err
}

type stays struct{ faults.Injection }

func (s stays) Close(ctx context.Context) error {
	return errors.Join(errors.New("no way"), s.Disarm(ctx))
}

// await waits for a note that begins with text, until ctx ends.
func (r *rig) await(ctx context.Context, text string) bool {
	for {
		select {
		case n := <-r.notes:
			if strings.HasPrefix(n.Text, text) {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// TestInsideInstances: each replica is called at its own address and judged.
func TestInsideInstances(t *testing.T) {
	enter(t)
	for _, c := range []struct {
		name   string
		second gate
		v      verdict.Verdict
		code   int
		failed []string
	}{
		{"both right", newGate(t, failures, openFor), verdict.Pass, 0, nil},
		{"one without", off{}, verdict.Fail, 1, []string{"trips-at-threshold", "quiet-while-open", "fails-fast", "answer-while-open"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := patient(t, c.v, func() *scenarios.Report {
				r, other := newRig(t, newGate(t, failures, openFor)), newRig(t, c.second)
				other.service.dependency = r.service.dependency
				addresses := []string{strings.TrimPrefix(r.url, "http://"), strings.TrimPrefix(other.url, "http://")}
				r.change = func(s string) string {
					return strings.Replace(s, "  success:", "  instances: ["+strings.Join(addresses, ", ")+"]\n  success:", 1)
				}
				rep := r.engine.Run(t.Context(), r.spec(t))
				nothingLeft(t)
				if len(rep.Instances) != 2 || rep.Instances[1].Address != addresses[1] || len(rep.Faults) != 2 {
					t.Errorf("got instances %+v and %d faults, want two of each", rep.Instances, len(rep.Faults))
				}
				if p := property(t, rep, "trips-at-threshold"); c.failed != nil && !strings.HasPrefix(p.Detail, addresses[1]) {
					t.Errorf("got %q, want it of %s", p.Detail, addresses[1])
				}
				return rep
			})
			want(t, rep, c.v, c.code, "", c.failed...)
		})
	}
}
