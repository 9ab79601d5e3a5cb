package lab

import (
	"context"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/foreshock/foreshock/breaker"
	guard "github.com/foreshock/foreshock/breaker/grpc"
)

// overGRPC is the builder of our own breaker as its gRPC interceptor has it: the
// connection holds the breaker, and the gate knows its rejections.
const overGRPC = "foreshock-grpc"

func newInterceptor(Service) (gate, error) {
	return gate{do: func(ctx context.Context, fn func(context.Context) error) error {
		return rejected(fn(ctx), breaker.ErrOpen)
	}}, nil
}

// dial makes the connection to a dependency that all calls go over. It reconnects by
// itself, and soon, as owners set it who have a breaker before it: as it comes, gRPC has
// 20 s of patience with a connection that is made, and pauses that grow to two minutes,
// so that neither calls nor probes reach a dependency that is back.
func (s Service) dial(address string) (*grpc.ClientConn, error) {
	opts := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy()}
	if !s.AsItComes {
		opts = append(opts, grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1, MaxDelay: 100 * time.Millisecond},
			MinConnectTimeout: 200 * time.Millisecond,
		}))
	}
	if s.Breaker == overGRPC {
		group, err := breaker.NewGroup(breaker.Settings{Failures: s.Failures, OpenFor: ms(s.OpenMS), HalfOpenCalls: s.HalfOpenCalls, CallTimeout: ms(s.CallTimeoutMS)}, 1)
		if err != nil {
			return nil, err
		}
		opts = append(opts, grpc.WithChainUnaryInterceptor((&guard.Interceptor{Group: group}).Unary))
	}
	return grpc.NewClient("passthrough:///"+address, opts...)
}

// callGRPC makes a call over the connection to a dependency. It waits for that, or, as
// gRPC comes, fails at once where the last try to connect has failed.
func callGRPC(ctx context.Context, conn *grpc.ClientConn, waits bool) error {
	_, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.WaitForReady(waits))
	return err
}

// eitherWay answers calls over gRPC, and others by h.
func eitherWay(h http.Handler) http.Handler {
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			s.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
