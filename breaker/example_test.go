package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/foreshock/foreshock/breaker"
)

func Example() {
	payments, err := breaker.New(breaker.Settings{Name: "payments", Failures: 2, OpenFor: 2 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	charge := func(context.Context) error { return errors.New("connection refused") }
	for range 3 {
		err := payments.Do(context.Background(), charge)
		if open, ok := errors.AsType[*breaker.OpenError](err); ok {
			fmt.Println("charge you later; try again in", open.RetryAfter().Round(time.Second))
			continue
		}
		fmt.Println(err)
	}
	fmt.Println(payments.State())
	// Output:
	// connection refused
	// connection refused
	// charge you later; try again in 2s
	// open
}

func ExampleHandler() {
	catalog, _ := breaker.New(breaker.Settings{Name: "catalog"})
	payments, _ := breaker.New(breaker.Settings{Name: "payments"})
	// In a service: mux.Handle("GET /breakers", breaker.Handler(catalog, payments)).
	_ = breaker.Handler(catalog, payments)
	fmt.Println(catalog.Snapshot().State, payments.Snapshot().Rejected)
	// Output: closed 0
}
