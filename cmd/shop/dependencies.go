package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/foreshock/foreshock/breaker"
)

// A guard stands before the calls to one dependency: a breaker's Do, or unguarded.
type guard func(ctx context.Context, call func(context.Context) error) error

// unguarded makes every call.
func unguarded(ctx context.Context, call func(context.Context) error) error { return call(ctx) }

// A till charges through a guard.
type till struct {
	client *paymentsClient
	guard  guard
}

// charge reports whether payments took the money. If it gave no answer, whatever the
// reason, the order stands and is charged later.
func (t *till) charge(ctx context.Context, c charge) (paid bool) {
	return nil == t.guard(ctx, func(ctx context.Context) error {
		return t.client.Charge(ctx, c)
	})
}

// A shelf shows the catalog through a guard. When the catalog rests, it shows what it
// saw last, and says so.
type shelf struct {
	client *catalogClient
	guard  guard

	mu   sync.Mutex
	last []product
}

// list returns all products. If the catalog rests they are those of the last time, or
// none if there was none.
func (s *shelf) list(ctx context.Context) (products []product, resting bool) {
	err := s.guard(ctx, func(ctx context.Context) (err error) {
		products, err = s.client.List(ctx)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return slices.Clone(s.last), true
	}
	s.last = products
	return slices.Clone(products), false
}

// product returns one product, as list does. It fails with [errNotFound] if the
// catalog says that there is none, and with [errResting] if nobody can say.
func (s *shelf) product(ctx context.Context, id string) (p product, resting bool, err error) {
	err = s.guard(ctx, func(ctx context.Context) (err error) {
		p, err = s.client.Product(ctx, id)
		return err
	})
	if err == nil || errors.Is(err, errNotFound) {
		return p, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.last {
		if p.ID == id {
			return p, true, nil
		}
	}
	return product{}, true, errResting
}

// errResting is what a look-up ends with that neither the catalog nor memory answers.
var errResting = errors.New("the catalog is resting")

// classify judges a call for a breaker: that there is no such product is an answer.
func classify(ctx context.Context, err error) breaker.Outcome {
	if errors.Is(err, errNotFound) {
		return breaker.Success
	}
	return breaker.Classify(ctx, err)
}
