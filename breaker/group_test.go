package breaker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/foreshock/foreshock/breaker"
)

func newGroup(t *testing.T, s breaker.Settings, limit int) *breaker.Group {
	t.Helper()
	g, err := breaker.NewGroup(s, limit)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func names(g *breaker.Group) (all []string) {
	for _, s := range g.Snapshots() {
		all = append(all, s.Name)
	}
	return all
}

func TestOneOutageDoesNotCutOffAnother(t *testing.T) {
	t.Parallel()
	g := newGroup(t, breaker.Settings{Failures: 2}, 0)
	for range 2 {
		_ = g.Do(t.Context(), "payments", func(context.Context) error { return errDown })
	}
	wantState(t, g.Get("payments"), breaker.Open)
	if err := g.Do(t.Context(), "catalog", new(dependency).call); err != nil {
		t.Errorf("catalog: %v", err)
	}
	if got := fmt.Sprint(names(g)); got != "[catalog payments]" {
		t.Errorf("got %s, want both, by name", got)
	}
}

func TestAGroupForgetsTheLeastUsedAndKeepsTheOpen(t *testing.T) {
	t.Parallel()
	g := newGroup(t, breaker.Settings{Failures: 1}, 3)
	own := newBreaker(t, breaker.Settings{Failures: 7})
	if err := g.Add(own); err != nil {
		t.Fatal(err)
	}
	if err := g.Add(own); err == nil || err.Error() != "breaker group: add payments: got a second one, want each name once" {
		t.Errorf("got %v", err)
	}
	fail(t, g.Get("a"), 1)
	_, done, err := g.Get("b").Allow(t.Context()) // has a call under way
	if err != nil {
		t.Fatal(err)
	}
	g.Get("c")
	for n := range 100 {
		g.Get(fmt.Sprint("x", n))
	}
	if got := fmt.Sprint(names(g)); got != "[a b payments x99]" {
		t.Errorf("got %s, want a (open), b (busy), payments (added) and the last", got)
	}
	done(nil)
	if g.Get("payments") != own {
		t.Error("payments is not the one that was added")
	}
	g.Get("a")
	g.Get("y")
	g.Get("b")
	g.Get("z") // y is idle, and so goes before a and b
	g.Get("b")
	if got := fmt.Sprint(names(g)); got != "[a b payments z]" {
		t.Errorf("got %s, want a, b, payments and z", got)
	}
}

func TestAGroupGivesEveryoneTheSame(t *testing.T) {
	t.Parallel()
	g := newGroup(t, breaker.Settings{}, 1)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { _ = g.Do(t.Context(), "payments", new(dependency).call) })
	}
	wg.Wait()
	if s := g.Snapshots(); len(s) != 1 || s[0].Successes != 50 {
		t.Errorf("got %+v, want one that saw all 50", s)
	}
}

func TestGroupOutOfRange(t *testing.T) {
	t.Parallel()
	for want, try := range map[string]func() (*breaker.Group, error){
		"breaker group: limit: got -1, want 1 to 1000000":                                     func() (*breaker.Group, error) { return breaker.NewGroup(breaker.Settings{}, -1) },
		"breaker group: name: got x, want none: its breakers are named by their dependencies": func() (*breaker.Group, error) { return breaker.NewGroup(breaker.Settings{Name: "x"}, 0) },
		"breaker group: failures: got -1, want 1 to 1000000":                                  func() (*breaker.Group, error) { return breaker.NewGroup(breaker.Settings{Failures: -1}, 0) },
	} {
		if _, err := try(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
