package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
)

// A Service is one that calls its dependencies through a breaker. Its JSON form is the
// command line of its process, whatever the language.
type Service struct {
	Breaker      string   `json:"breaker"`      // its word in gates, or that of the language's own
	Dependencies []string `json:"dependencies"` // HOST:PORT; /checkout calls the first, /catalog the last

	Failures          int     `json:"failures"` // in a row, or
	Rate              float64 `json:"rate"`     // of failed calls in a window, from 0 to 1,
	MinCalls          int     `json:"min_calls"`
	WindowMS          int     `json:"window_ms"`
	WindowCalls       int     `json:"window_calls"` // if the window is one of calls
	SlowCallMS        int     `json:"slow_call_ms"` // a success that took longer counts as slow
	OpenMS            int     `json:"open_ms"`
	HalfOpenCalls     int     `json:"half_open_calls"`
	HalfOpenSuccesses int     `json:"half_open_successes"`
	CallTimeoutMS     int     `json:"call_timeout_ms"`

	Fresh       bool   `json:"fresh"`        // a new connection for each call
	HTTP2       bool   `json:"http2"`        // all calls on one connection
	GRPC        bool   `json:"grpc"`         // calls over gRPC, on one connection that reconnects by itself
	AsItComes   bool   `json:"as_it_comes"`  // gRPC by its defaults: calls fail while it reconnects, with long pauses
	HealthCheck int    `json:"health_check"` // connects to the dependency every so many ms
	Spare       bool   `json:"spare"`        // keeps a spare connection, and refills it at once
	Neighbour   bool   `json:"neighbour"`    // somebody else calls the dependency too, from an address of its own
	Retries     int    `json:"retries"`      // of a call that failed
	Answer      int    `json:"answer"`       // status of the answer while open, 503
	Body        string `json:"body"`         // of the same

	Flaw string `json:"flaw"` // in other languages: what is wrong with it
}

// complete fills in what most cases have in common.
func (s Service) complete() Service {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&s.Failures, 5)
	def(&s.OpenMS, 2000)
	def(&s.HalfOpenCalls, 1)
	def(&s.HalfOpenSuccesses, s.HalfOpenCalls)
	def(&s.CallTimeoutMS, 300)
	def(&s.Answer, http.StatusServiceUnavailable)
	if s.Body == "" {
		s.Body = `{"error": "try again later"}`
	}
	return s
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// A server is a Service at work.
type server struct {
	Service
	client *http.Client
	conns  []*grpc.ClientConn // by dependency, if calls are over gRPC
	gates  []gate             // by dependency
}

// handler builds what the service answers with. What it starts ends with ctx.
func (s Service) handler(ctx context.Context) (http.Handler, error) {
	s = s.complete()
	build, ok := gates()[s.Breaker]
	if !ok {
		return nil, fmt.Errorf("breaker: got %q, which the lab does not have", s.Breaker)
	}
	gs, err := build(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("breaker %s: %w", s.Breaker, err)
	}
	srv := &server{Service: s, gates: gs, client: &http.Client{Transport: s.transport()}}
	if err := srv.connect(ctx); err != nil {
		return nil, err
	}
	if s.HealthCheck > 0 {
		go knock(ctx, s.Dependencies[0], ms(s.HealthCheck))
	}
	if s.Neighbour {
		go neighbour(ctx, s.Dependencies[0])
	}
	if s.Spare {
		go spare(ctx, s.Dependencies[0])
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /checkout", func(w http.ResponseWriter, r *http.Request) { srv.answer(w, r, 0) })
	mux.HandleFunc("GET /catalog", func(w http.ResponseWriter, r *http.Request) { srv.answer(w, r, len(s.Dependencies)-1) })
	mux.HandleFunc("GET /metrics", srv.metrics)
	return mux, nil
}

// connect makes a connection to each dependency that is called over gRPC. They end with ctx.
func (s *server) connect(ctx context.Context) error {
	if !s.GRPC {
		return nil
	}
	for _, address := range s.Dependencies {
		conn, err := s.dial(address)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		s.conns = append(s.conns, conn)
	}
	return nil
}

func (s Service) transport() *http.Transport {
	t := &http.Transport{DisableKeepAlives: s.Fresh, MaxIdleConnsPerHost: 20}
	if s.HTTP2 {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	return t
}

// answer calls a dependency through its gate and tells the caller how that went.
func (s *server) answer(w http.ResponseWriter, r *http.Request, dependency int) {
	call := func(ctx context.Context) error { return s.call(ctx, dependency) }
	err := s.gates[dependency].do(r.Context(), call)
	for n := 0; n < s.Retries && err != nil && !errors.Is(err, errRejected); n++ {
		err = s.gates[dependency].do(r.Context(), call)
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case err == nil:
		fmt.Fprintln(w, `{"paid": true}`)
	case errors.Is(err, errRejected):
		w.WriteHeader(s.Answer)
		fmt.Fprintln(w, s.Body)
	default:
		w.WriteHeader(http.StatusBadGateway)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()}) // a caller that went away is no concern of ours
	}
}

// call is a call over gRPC or a POST, which the client does not repeat by itself.
func (s *server) call(ctx context.Context, dependency int) error {
	ctx, cancel := context.WithTimeout(ctx, ms(s.CallTimeoutMS))
	defer cancel()
	if s.GRPC {
		return callGRPC(ctx, s.conns[dependency], !s.AsItComes)
	}
	address := s.Dependencies[dependency]
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	req.GetBody = nil // so that it is not repeated on a new connection either
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("dependency: got status %d, want 200", resp.StatusCode)
	}
	return nil
}

// metrics is what the breaker of the first dependency says of itself, in the words of
// resilience4j.
func (s *server) metrics(w http.ResponseWriter, _ *http.Request) {
	if s.gates[0].says == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	now := s.gates[0].says()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprintln(w, "# TYPE resilience4j_circuitbreaker_state gauge")
	for _, state := range []string{"closed", "open", "half_open"} {
		on := 0
		if state == now {
			on = 1
		}
		fmt.Fprintf(w, "resilience4j_circuitbreaker_state{name=\"payments\",state=%q} %d\n", state, on)
	}
}

// knock connects to an address at a steady rate, as a health check of the service does.
func knock(ctx context.Context, address string, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	d := net.Dialer{Timeout: every / 2}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if conn, err := d.DialContext(ctx, "tcp", address); err == nil {
				_ = conn.Close()
			}
		}
	}
}

// neighbour connects to an address five times a second, as another client on another
// host would.
func neighbour(ctx context.Context, address string) {
	const every = 200 * time.Millisecond
	d := net.Dialer{Timeout: every / 2, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	for ctx.Err() == nil {
		if conn, err := d.DialContext(ctx, "tcp", address); err == nil {
			_ = conn.Close()
		}
		pause(ctx, every)
	}
}

// spareEvery is how long the refill of a spare connection waits between two tries.
const spareEvery = time.Second

// spare holds a connection open and makes a new one when it ends, as a pool that is
// never let empty does. Its keep-alive tells it of a dependency that is gone.
func spare(ctx context.Context, address string) {
	d := net.Dialer{Timeout: spareEvery / 2, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: spareEvery, Interval: spareEvery, Count: 1}}
	t := time.NewTicker(spareEvery)
	defer t.Stop()
	for ctx.Err() == nil {
		if conn, err := d.DialContext(ctx, "tcp", address); err == nil {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			_, _ = conn.Read(make([]byte, 1)) // until it ends
			stop()
			_ = conn.Close()
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
}
