// Package bench_test compares the cost of an allowed call with that of other breakers,
// in one run. It has a directory of its own because hystrix-go leaves goroutines
// behind, and because no user of package breaker should need these modules.
package bench_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/afex/hystrix-go/hystrix"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"github.com/foreshock/foreshock/breaker"
)

func fine(context.Context) error { return nil }

// Each makes one call that is allowed and succeeds.
var contenders = []struct {
	name string
	make func(testing.TB) func(context.Context) error
}{
	{"gobreaker", func(testing.TB) func(context.Context) error {
		b := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{})
		return func(ctx context.Context) error {
			_, err := b.Execute(func() (struct{}, error) { return struct{}{}, fine(ctx) })
			return err
		}
	}},
	{"gobreaker-twostep", func(testing.TB) func(context.Context) error {
		b := gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{})
		return func(ctx context.Context) error {
			done, err := b.Allow()
			if err == nil {
				err = fine(ctx)
				done(err)
			}
			return err
		}
	}},
	{"gobreaker-rolling", func(testing.TB) func(context.Context) error {
		b := gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{Interval: 10 * time.Second, BucketPeriod: time.Second})
		return func(ctx context.Context) error {
			done, err := b.Allow()
			if err == nil {
				err = fine(ctx)
				done(err)
			}
			return err
		}
	}},
	{"gobreaker-timeout", func(testing.TB) func(context.Context) error { // what foreshock-timeout needs at least
		b := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{})
		return func(ctx context.Context) error {
			_, err := b.Execute(func() (struct{}, error) {
				ctx, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				return struct{}{}, fine(ctx)
			})
			return err
		}
	}},
	{"foreshock", ours(breaker.Settings{})},
	{"foreshock-rate", ours(breaker.Settings{FailureRate: 0.5})},
	{"foreshock-everything", ours(breaker.Settings{
		Failures: 5, FailureRate: 0.5, SlowCall: time.Second, MaxConcurrency: 100, OpenFactor: 2, OpenJitter: 0.1,
	})},
	{"foreshock-timeout", ours(breaker.Settings{CallTimeout: time.Second})},
	{"failsafe-go", func(testing.TB) func(context.Context) error {
		b := circuitbreaker.NewBuilder[any]().WithFailureThreshold(5).Build()
		run := failsafe.With[any](b)
		return func(ctx context.Context) error { return run.Run(func() error { return fine(ctx) }) }
	}},
	{"hystrix-go", func(testing.TB) func(context.Context) error {
		hystrix.ConfigureCommand("bench", hystrix.CommandConfig{MaxConcurrentRequests: 1000})
		return func(ctx context.Context) error { return hystrix.DoC(ctx, "bench", fine, nil) }
	}},
}

func ours(s breaker.Settings) func(testing.TB) func(context.Context) error {
	s.Name = "bench"
	return func(tb testing.TB) func(context.Context) error {
		tb.Helper()
		b, err := breaker.New(s)
		if err != nil {
			tb.Fatal(err)
		}
		return func(ctx context.Context) error { return b.Do(ctx, fine) }
	}
}

func BenchmarkAllowed(b *testing.B) {
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			call := c.make(b)
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if err := call(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAllowedParallel(b *testing.B) {
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			call := c.make(b)
			ctx := b.Context()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_ = call(ctx)
				}
			})
		})
	}
}

func BenchmarkRefused(b *testing.B) {
	errDown := errors.New("down")
	br, err := breaker.New(breaker.Settings{Name: "bench", Failures: 1, OpenFor: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	_ = br.Do(ctx, func(context.Context) error { return errDown })
	b.ReportAllocs()
	for b.Loop() {
		if err := br.Do(ctx, fine); !errors.Is(err, breaker.ErrOpen) {
			b.Fatal(err)
		}
	}
}

// A call costs no allocation that gobreaker's own two steps do not.
func TestAllocations(t *testing.T) {
	allocs := map[string]float64{}
	for _, c := range contenders {
		call := c.make(t)
		ctx := t.Context()
		allocs[c.name] = testing.AllocsPerRun(100, func() { _ = call(ctx) })
	}
	for _, ours := range []string{"foreshock", "foreshock-rate", "foreshock-everything"} {
		if allocs[ours] > allocs["gobreaker-twostep"] {
			t.Errorf("%s: got %v allocations a call, want those of gobreaker's two steps, %v", ours, allocs[ours], allocs["gobreaker-twostep"])
		}
	}
}
