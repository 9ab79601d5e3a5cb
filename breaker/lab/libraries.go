package lab

import (
	"context"
	"errors"
	"strings"

	"github.com/afex/hystrix-go/hystrix"
	eapache "github.com/eapache/go-resiliency/breaker"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	gobreaker1 "github.com/sony/gobreaker"
	"github.com/sony/gobreaker/v2"

	"github.com/foreshock/foreshock/breaker"
)

// newForeshock is our own.
func newForeshock(s Service) (gate, error) {
	b, err := breaker.New(breaker.Settings{
		Name: "payments", Failures: s.Failures, OpenFor: ms(s.OpenMS), HalfOpenCalls: s.HalfOpenCalls, CallTimeout: ms(s.CallTimeoutMS),
	})
	return gate{
		do: func(ctx context.Context, fn func(context.Context) error) error {
			return rejected(b.Do(ctx, fn), breaker.ErrOpen)
		},
		says: func() string { return strings.ReplaceAll(b.State().String(), "-", "_") },
	}, err
}

// rejected is errRejected if err is one of those that a library rejects with, else err.
func rejected(err error, with ...error) error {
	for _, w := range with {
		if errors.Is(err, w) {
			return errRejected
		}
	}
	return err
}

// gobreaker's own default trips at the sixth failure.
func newGobreaker1(s Service) (gate, error) {
	b := gobreaker1.NewCircuitBreaker(gobreaker1.Settings{
		MaxRequests: uint32(s.HalfOpenCalls), Timeout: ms(s.OpenMS), //nolint:gosec // one of the lab's own cases
		ReadyToTrip: func(c gobreaker1.Counts) bool { return int(c.ConsecutiveFailures) >= s.Failures },
	})
	return gate{do: func(ctx context.Context, fn func(context.Context) error) error {
		_, err := b.Execute(func() (any, error) { return nil, fn(ctx) })
		return rejected(err, gobreaker1.ErrOpenState, gobreaker1.ErrTooManyRequests)
	}}, nil
}

func newGobreaker2(s Service) (gate, error) {
	b := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: uint32(s.HalfOpenCalls), Timeout: ms(s.OpenMS), //nolint:gosec // one of the lab's own cases
		ReadyToTrip: func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= s.Failures },
	})
	return gate{do: func(ctx context.Context, fn func(context.Context) error) error {
		_, err := b.Execute(func() (struct{}, error) { return struct{}{}, fn(ctx) })
		return rejected(err, gobreaker.ErrOpenState, gobreaker.ErrTooManyRequests)
	}}, nil
}

func newFailsafe(s Service) (gate, error) {
	b := circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(uint(s.Failures)).
		WithSuccessThreshold(uint(s.HalfOpenSuccesses)).
		WithDelay(ms(s.OpenMS)).Build()
	return gate{do: func(ctx context.Context, fn func(context.Context) error) error {
		err := failsafe.With(b).WithContext(ctx).Run(func() error { return fn(ctx) })
		return rejected(err, circuitbreaker.ErrOpen)
	}}, nil
}

// newHystrix trips at a rate of failures in ten seconds, as Hystrix does. The library
// keeps its breakers by name for the whole process, which here is one service.
func newHystrix(_ context.Context, s Service) ([]gate, error) {
	var gs []gate
	for _, dependency := range s.Dependencies {
		hystrix.ConfigureCommand(dependency, hystrix.CommandConfig{
			Timeout: s.CallTimeoutMS, MaxConcurrentRequests: 100, SleepWindow: s.OpenMS,
			RequestVolumeThreshold: s.MinCalls, ErrorPercentThreshold: int(100 * s.Rate),
		})
		gs = append(gs, gate{do: func(ctx context.Context, fn func(context.Context) error) error {
			err := hystrix.DoC(ctx, dependency, fn, nil)
			return rejected(err, hystrix.ErrCircuitOpen, hystrix.ErrMaxConcurrency)
		}})
	}
	return gs, nil
}

// newEapache admits any number of calls while half open.
func newEapache(s Service) (gate, error) {
	b := eapache.New(s.Failures, s.HalfOpenSuccesses, ms(s.OpenMS))
	return gate{do: func(ctx context.Context, fn func(context.Context) error) error {
		return rejected(b.Run(func() error { return fn(ctx) }), eapache.ErrBreakerOpen)
	}}, nil
}
