package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
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

// An HTTP client with a breaker for each host. What follows is all that a service has
// to write.
func ExampleTransport() {
	payments := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer payments.Close()

	breakers, err := breaker.NewGroup(breaker.Settings{
		FailureRate: 0.5, MinCalls: 4, SlowCall: 300 * time.Millisecond,
		OpenFor: 30 * time.Second, OpenFactor: 2, OpenMax: 5 * time.Minute, OpenJitter: 0.1,
	}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: &breaker.Transport{Group: breakers}}
	checkout := func(w http.ResponseWriter, r *http.Request) {
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, payments.URL, nil)
		res, err := client.Do(req)
		if breaker.Refuse(w, err) { // 503 and Retry-After, at once
			return
		}
		if err != nil {
			http.Error(w, "payments: "+err.Error(), http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /checkout", checkout)
	mux.Handle("GET /breakers", breaker.Handler(breakers))

	for range 5 {
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/checkout", nil))
		fmt.Println(rec.Code)
	}
	// Output:
	// 502
	// 502
	// 502
	// 502
	// 503
}

// Half of the last ten seconds' calls failed, or were slow, of twenty at least; two
// probes, and never more than fifty calls at once.
func ExampleSettings() {
	b, err := breaker.New(breaker.Settings{
		Name:        "catalog",
		FailureRate: 0.5, SlowCall: 200 * time.Millisecond, SlowRate: 0.5,
		MinCalls: 20, Window: 10 * time.Second,
		HalfOpenCalls: 2, MaxConcurrency: 50, CallTimeout: time.Second,
		OnTransition: func(t breaker.Transition) { fmt.Println(t.Name, t.From, "to", t.To, "because", t.Cause) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 20 {
		_ = b.Do(context.Background(), func(context.Context) error { return errors.New("out of memory") })
	}
	// Output:
	// catalog closed to open because 20 of 20 calls failed, limit 50%
}

func ExampleHandler() {
	catalog, _ := breaker.New(breaker.Settings{Name: "catalog"})
	payments, _ := breaker.New(breaker.Settings{Name: "payments"})
	mux := http.NewServeMux()
	mux.Handle("GET /breakers", breaker.Handler(catalog, payments))
	fmt.Println(catalog.Snapshot().State, payments.Snapshot().Rejected)
	// Output: closed 0
}

// That there is no such product is an answer, and no failure of the catalog.
func ExampleClassify() {
	errNotFound := errors.New("no such product")
	catalog, _ := breaker.New(breaker.Settings{
		Name: "catalog", Failures: 1,
		Classify: func(ctx context.Context, err error) breaker.Outcome {
			if errors.Is(err, errNotFound) {
				return breaker.Success
			}
			return breaker.Classify(ctx, err)
		},
	})
	fmt.Println(catalog.Do(context.Background(), func(context.Context) error { return errNotFound }))
	fmt.Println(catalog.State())
	// Output:
	// no such product
	// closed
}

// A call in two steps, for what is no function.
func ExampleBreaker_Allow() {
	queue, _ := breaker.New(breaker.Settings{Name: "queue"})
	ctx, done, err := queue.Allow(context.Background())
	if err != nil {
		return
	}
	fmt.Println(ctx.Err()) // use ctx for the call
	done(nil)
	fmt.Println(queue.Snapshot().Successes)
	// Output:
	// <nil>
	// 1
}
