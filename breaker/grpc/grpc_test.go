package grpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/foreshock/foreshock/breaker"
	breakergrpc "github.com/foreshock/foreshock/breaker/grpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server answers with the code that it is told to, or not at all.
type server struct {
	health.UnimplementedHealthServer

	mu      sync.Mutex
	code    codes.Code
	hang    bool
	reached int
}

func (s *server) answer(code codes.Code, hang bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code, s.hang, s.reached = code, hang, 0
}

func (s *server) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reached
}

func (s *server) Check(ctx context.Context, _ *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	s.mu.Lock()
	code, hang := s.code, s.hang
	s.reached++
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if code != codes.OK {
		return nil, status.Error(code, "as told")
	}
	return &health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}, nil
}

// Watch sends one message, unless the code says otherwise, and then nothing for ever.
func (s *server) Watch(req *health.HealthCheckRequest, stream rpc.ServerStreamingServer[health.HealthCheckResponse]) error {
	res, err := s.Check(stream.Context(), req)
	if err != nil {
		return err
	}
	if err := stream.Send(res); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

// start returns a client behind breakers, its server, and the breaker between them.
func start(t *testing.T, settings breaker.Settings, i breakergrpc.Interceptor) (health.HealthClient, *server, *breaker.Breaker) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own := &server{}
	srv := rpc.NewServer()
	health.RegisterHealthServer(srv, own)
	go srv.Serve(l)
	t.Cleanup(srv.Stop)
	if i.Group, err = breaker.NewGroup(settings, 0); err != nil {
		t.Fatal(err)
	}
	i.Key = func(_, method string) string { return method[:len("/grpc.health.v1.Health")] }
	cc, err := rpc.NewClient(l.Addr().String(),
		rpc.WithTransportCredentials(insecure.NewCredentials()),
		rpc.WithUnaryInterceptor(i.Unary), rpc.WithStreamInterceptor(i.Stream))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return health.NewHealthClient(cc), own, i.Group.Get("/grpc.health.v1.Health")
}

func wantCounts(t *testing.T, b *breaker.Breaker, failures, successes, abandoned uint64) {
	t.Helper()
	s := b.Snapshot()
	if s.Failures != failures || s.Successes != successes || s.Abandoned != abandoned {
		t.Fatalf("got %d failures, %d successes, %d abandoned; want %d, %d, %d",
			s.Failures, s.Successes, s.Abandoned, failures, successes, abandoned)
	}
}

func TestUnary(t *testing.T) {
	t.Parallel()
	client, srv, b := start(t, breaker.Settings{Failures: 3, OpenFor: time.Hour}, breakergrpc.Interceptor{})
	for _, code := range []codes.Code{codes.OK, codes.NotFound, codes.Canceled, codes.Unavailable, codes.Internal, codes.DeadlineExceeded} {
		srv.answer(code, false)
		if _, err := client.Check(t.Context(), nil); status.Code(err) != code {
			t.Fatalf("got %v, want the server's own %v", err, code)
		}
	}
	wantCounts(t, b, 3, 3, 0)
	srv.answer(codes.OK, false)
	_, err := client.Check(t.Context(), nil)
	open, ok := errors.AsType[*breaker.OpenError](err)
	if !ok || open.RetryAfter() < 59*time.Minute || !errors.Is(err, breaker.ErrOpen) || status.Code(err) != codes.Unavailable || srv.calls() != 0 {
		t.Errorf("got %v after %d calls, want open, as Unavailable, and no call", err, srv.calls())
	}
	if _, err := client.Watch(t.Context(), nil); status.Code(err) != codes.Unavailable || srv.calls() != 0 {
		t.Errorf("stream: got %v after %d calls, want Unavailable and no call", err, srv.calls())
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	client, srv, b := start(t, breaker.Settings{}, breakergrpc.Interceptor{Codes: []codes.Code{codes.NotFound}})
	for _, code := range []codes.Code{codes.NotFound, codes.Unavailable} {
		srv.answer(code, false)
		_, _ = client.Check(t.Context(), nil)
	}
	wantCounts(t, b, 1, 1, 0)
}

func TestWhoIsToBlame(t *testing.T) {
	t.Parallel()
	client, srv, b := start(t, breaker.Settings{MaxConcurrency: 1}, breakergrpc.Interceptor{})
	srv.answer(codes.OK, true)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := client.Check(ctx, nil); ended <- err }()
	for srv.calls() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := client.Check(t.Context(), nil); status.Code(err) != codes.ResourceExhausted || !errors.Is(err, breaker.ErrFull) {
		t.Errorf("got %v, want full, as ResourceExhausted", err)
	}
	cancel()
	if err := <-ended; status.Code(err) != codes.Canceled {
		t.Errorf("got %v, want Canceled", err)
	}
	wantCounts(t, b, 0, 0, 1)

	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := client.Check(ctx, nil); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
	wantCounts(t, b, 1, 0, 1)
	<-ctx.Done() // the server's may be over first
	if _, err := client.Check(ctx, nil); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("a ctx that is over: got %v, want DeadlineExceeded", err)
	}
	wantCounts(t, b, 1, 0, 2) // was not made at all
}

func TestStream(t *testing.T) {
	t.Parallel()
	client, srv, b := start(t, breaker.Settings{}, breakergrpc.Interceptor{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, err := client.Watch(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := b.Snapshot().InFlight; n != 1 {
		t.Errorf("before the first message: %d in flight, want 1", n)
	}
	if _, err := s.Recv(); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, b, 0, 1, 0) // though the stream goes on
	cancel()
	if _, err := s.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("got %v, want Canceled", err)
	}
	wantCounts(t, b, 0, 1, 0)

	srv.answer(codes.Unavailable, false)
	s, err = client.Watch(t.Context(), nil)
	if err == nil {
		_, err = s.Recv()
	}
	if status.Code(err) != codes.Unavailable || errors.Is(err, io.EOF) {
		t.Errorf("got %v, want Unavailable", err)
	}
	wantCounts(t, b, 1, 1, 0)

	srv.answer(codes.OK, true)
	ctx, cancel = context.WithCancel(t.Context())
	if _, err = client.Watch(ctx, nil); err != nil {
		t.Fatal(err)
	}
	cancel() // and reads no more
	for b.Snapshot().InFlight != 0 {
		time.Sleep(time.Millisecond)
	}
	wantCounts(t, b, 1, 1, 1)
}

// A stream that has begun and says nothing is counted, and goes on.
func TestASilentStreamIsCounted(t *testing.T) {
	t.Parallel()
	client, srv, b := start(t, breaker.Settings{CallTimeout: 20 * time.Millisecond}, breakergrpc.Interceptor{})
	srv.answer(codes.OK, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, err := client.Watch(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for b.Snapshot().Failures == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Context().Err(); err != nil {
		t.Errorf("the stream was ended: %v", err)
	}
}

func TestNoGroup(t *testing.T) {
	t.Parallel()
	cc, err := rpc.NewClient("127.0.0.1:1", rpc.WithTransportCredentials(insecure.NewCredentials()),
		rpc.WithUnaryInterceptor((&breakergrpc.Interceptor{}).Unary), rpc.WithStreamInterceptor((&breakergrpc.Interceptor{}).Stream))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	const want = "breaker interceptor: group: got none, want the one that holds its breakers"
	if _, err := health.NewHealthClient(cc).Check(t.Context(), nil); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err := health.NewHealthClient(cc).Watch(t.Context(), nil); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func Example() {
	group, _ := breaker.NewGroup(breaker.Settings{Failures: 5}, 0)
	guard := &breakergrpc.Interceptor{Group: group}
	cc, err := rpc.NewClient("dns:///payments:9000",
		rpc.WithTransportCredentials(insecure.NewCredentials()),
		rpc.WithChainUnaryInterceptor(guard.Unary),
		rpc.WithChainStreamInterceptor(guard.Stream))
	if err != nil {
		return
	}
	defer cc.Close()
}
