package scenarios

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/kind"
)

// validate returns everything that is wrong with the values, each with its place.
func (s *Spec) validate(doc kind.Node) error {
	if !s.Target.given() {
		return errors.Join(s.validName(doc), doc.Get("target").Errorf("target: got no target, want target.http or target.grpc, the service as a user calls it"))
	}
	err := errors.Join(s.validName(doc), s.validTarget(doc), s.validAnswers(doc), s.validBreaker(doc), s.validLoad(doc), s.validRequire(doc), s.validWithout(doc))
	if err != nil {
		return err // and whatever follows from it would be noise
	}
	return s.validLimit(doc)
}

func (s *Spec) validName(doc kind.Node) error {
	if !regexp.MustCompile(`^[\pL\pN][\pL\pN ._/+-]{0,63}$`).MatchString(s.Name) {
		return doc.Get("name").Errorf("name: got %q, want 1 to 64 letters, digits, spaces and ._/+-", s.Name)
	}
	return nil
}

func (s *Spec) validBreaker(doc kind.Node) error {
	b, at := s.Breaker, doc.Get("breaker")
	errs := []error{s.validWindow(at)}
	if scopes := []string{scopeInstance, scopeShared, scopeHost}; b.Scope != "" && !slices.Contains(scopes, b.Scope) {
		errs = append(errs, at.Get("scope").Errorf("breaker.scope: %s", kind.UnknownWord("scope", b.Scope, scopes)))
	}
	for _, n := range []struct {
		key        string
		got, least int
	}{{"failures", b.Failures, 0}, {"retries", b.Retries, 0}, {"half_open_calls", b.HalfOpenCalls, 1}, {"half_open_successes", b.HalfOpenSuccesses, 1}} {
		const most = 1000
		follows := n.key == "half_open_successes" && !at.Has(n.key)
		if !follows && (n.got < n.least || n.got > most) {
			errs = append(errs, at.Get(n.key).Errorf("breaker.%s: got %d, want %d to %d%s", n.key, n.got, n.least, most, atLeastOne(n.key, n.got)))
		}
	}
	if b.FailsFastIn == 0 {
		errs = append(errs, at.Get("fails_fast_in").Errorf("breaker.fails_fast_in: got 0s, want the slowest allowed answer while open, such as 50ms"))
	}
	if at.Has("open_for") && b.OpenFor.First < leastOpen {
		errs = append(errs, at.Get("open_for").Errorf("breaker.open_for: got %v, want at least %v, or it cannot be seen from outside", b.OpenFor.First, leastOpen))
	}
	if patience := s.Target.timeout(); b.CallTimeout > patience {
		errs = append(errs, at.Get("call_timeout").Errorf("breaker.call_timeout: got %v, want at most %s.timeout, which is %v: calls would overlap", b.CallTimeout, s.Target.key(), patience))
	}
	return errors.Join(errs...)
}

// atLeastOne says what to write in the place of the 0 that some libraries take for a default.
func atLeastOne(key string, got int) string {
	if key == "half_open_calls" && got == 0 {
		return ": a breaker that lets nobody through never closes; where 0 stands for a library's default, as MaxRequests does in gobreaker (1), write that, or leave the key out for 1"
	}
	return ""
}

// validWindow holds together what says when a breaker opens that counts in a window.
func (s *Spec) validWindow(at kind.Node) error {
	b := s.Breaker
	counts, windowed := b.counts(), b.Window != window{}
	switch {
	case counts && b.Failures > 0:
		return at.Get("failure_rate").Errorf("breaker.failure_rate: got it beside failures, want one of them: a breaker counts in a row or by rate")
	case counts && !windowed:
		return at.Get("failure_rate").Errorf("breaker.window: got none, want what the rate is of, such as 10s or \"100 calls\"")
	case counts && b.MinCalls < 1 || b.MinCalls > 1000:
		return at.Get("min_calls").Errorf("breaker.min_calls: got %d, want 1 to 1000: the least number of calls that a rate is made of", b.MinCalls)
	case !counts && b.MinCalls > 0 && b.SlowCall == 0:
		return at.Get("min_calls").Errorf("breaker.min_calls: got %d without failure_rate, want both or neither", b.MinCalls)
	case windowed && !counts && b.Failures == 0 && b.SlowCall == 0:
		return at.Get("window").Errorf("breaker.window: got %v and nothing that is counted in it, want failure_rate or failures", b.Window)
	case b.Window.calls > 0 && b.MinCalls > b.Window.calls:
		return at.Get("min_calls").Errorf("breaker.min_calls: got %d, want at most %d, which the window holds", b.MinCalls, b.Window.calls)
	case b.SlowRate > 0 && b.SlowCall == 0:
		return at.Get("slow_rate").Errorf("breaker.slow_rate: got it without slow_call, want both: from when on a call is slow")
	case b.SlowCall > 0 && b.SlowCall >= b.CallTimeout:
		return at.Get("slow_call").Errorf("breaker.slow_call: got %v, want less than call_timeout, which is %v: a slower call fails", b.SlowCall, b.CallTimeout)
	case b.Adaptive && (b.Failures > 0 || counts || b.OpenFor.First > 0):
		return at.Get("adaptive").Errorf("breaker.adaptive: got it beside a threshold or open_for, want one or the other: an adaptive breaker has no states")
	}
	return nil
}

// leastOpen is the shortest open time in which enough calls can be made.
const leastOpen = 200 * time.Millisecond

func (s *Spec) validLoad(doc kind.Node) error {
	if s.Baseline.Calls < 1 {
		return doc.Get("baseline").Get("calls").Errorf("baseline.calls: got %d, want at least 1", s.Baseline.Calls)
	}
	if n := s.Load.MaxConcurrency; n < 1 || n > 1000 {
		return doc.Get("load").Get("max_concurrency").Errorf("load.max_concurrency: got %d, want 1 to 1000", n)
	}
	if s.Load.MaxRate < 1 {
		return doc.Get("load").Get("max_rate").Errorf("load.max_rate: got %v/s, want at least 1/s", s.Load.MaxRate)
	}
	if b := s.Breaker; b.OpenFor.First >= leastOpen && s.openLeast(1)*9/10 < leastLooks*s.pause() {
		least := leastLooks / (s.openLeast(1).Seconds() * 0.9)
		return doc.Get("load").Get("max_rate").Errorf("load.max_rate: got %v/s, want at least %.0f/s, so that %d calls fit into the open time of %v", s.Load.MaxRate, least+0.5, leastLooks, s.openLeast(1))
	}
	return nil
}

func (s *Spec) validWithout(doc kind.Node) error {
	for i, word := range s.Without {
		if !slices.Contains(faults.Missables(), word) {
			return doc.Locate(kind.At(fmt.Sprintf("accept_missing[%d]", i), errors.New(kind.UnknownWord("word", word, faults.Missables()))))
		}
	}
	return nil
}

func (s *Spec) validRequire(doc kind.Node) error {
	var errs []error
	for i, id := range s.Require {
		if !slices.Contains(verdict.IDs(), id) {
			errs = append(errs, doc.Locate(kind.At(fmt.Sprintf("require[%d]", i), errors.New(kind.UnknownWord("property", id, verdict.IDs())))))
		}
	}
	return errors.Join(errs...)
}

func (s *Spec) validLimit(doc kind.Node) error {
	need := s.need() * time.Duration(max(1, len(s.Target.Instances)))
	if s.Limit < need {
		return doc.Get("limit").Errorf("limit: got %v, want at least %v, which the plan needs", s.Limit, need)
	}
	return nil
}
