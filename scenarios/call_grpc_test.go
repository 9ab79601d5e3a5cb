package scenarios

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/expect"
	"github.com/foreshock/foreshock/internal/kind"
)

// health answers as its caller asks it to, by the name of the service.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (health) Check(ctx context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	meta, _ := metadata.FromIncomingContext(ctx)
	what, n, _ := strings.Cut(req.GetService(), " ")
	switch what {
	case "authority":
		return nil, status.Error(codes.Unavailable, meta.Get(":authority")[0])
	case "well":
		if _, told := ctx.Deadline(); told {
			return nil, status.Error(codes.Unauthenticated, "got a deadline")
		}
		if got := meta.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+token || !strings.HasPrefix(n, "run-") {
			return nil, status.Errorf(codes.Unauthenticated, "got %v and %q", got, n)
		}
		return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
	case "default":
		return &grpc_health_v1.HealthCheckResponse{}, nil
	case "open":
		return nil, status.Error(codes.Unavailable, "charged later")
	case "odd":
		return nil, status.Error(99, "odd")
	case "hangs":
		<-ctx.Done()
	}
	return nil, status.Error(codes.Unavailable, "no connection")
}

// grpcServer serves health, and more if told to.
func grpcServer(t *testing.T, register func(*grpc.Server), opts ...grpc.ServerOption) (address string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(opts...)
	grpc_health_v1.RegisterHealthServer(s, health{})
	if register != nil {
		register(s)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(ln) }()
	stop = func() { s.Stop(); <-done }
	t.Cleanup(stop)
	return ln.Addr().String(), stop
}

func grpcCaller(t *testing.T, target grpcTarget, message, instance string) *caller {
	t.Helper()
	docs, err := kind.Parse("f.yaml", []byte("message: '"+message+"'\nmetadata: {Authorization: 'Bearer ${token}'}"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := docs[0].Expand(&kind.Vars{Deferred: []string{"call", "token"}})
	if err == nil {
		err = doc.Decode(&target)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &Spec{Target: speaks(target), instance: instance}
	s.Breaker.Rejected = expected{Code: []string{"UNAVAILABLE"}, HTTP: expect.HTTP{Body: "charged later"}}
	s.Target.Success = expected{Code: []string{"OK"}, HTTP: expect.HTTP{JSON: map[string]any{"$.status": "SERVING"}}}
	for _, e := range []*expected{&s.Breaker.Rejected, &s.Target.Success} {
		if err := e.compile(true); err != nil {
			t.Fatal(err)
		}
	}
	c := newCaller(s, "run", map[string]string{"token": token})
	t.Cleanup(func() { c.close() })
	return c
}

func speaks(g grpcTarget) target {
	if g.Method == "" {
		g.Method = "grpc.health.v1.Health/Check"
	}
	if g.Timeout == 0 {
		g.Timeout = 5 * time.Second
	}
	return target{GRPC: &g}
}

// A call over gRPC is classified as one over HTTP is.
func TestGRPCCalls(t *testing.T) {
	t.Parallel()
	address, _ := grpcServer(t, func(s *grpc.Server) { reflection.Register(s) })
	for message, c := range map[string]struct {
		want verdict.Outcome
		says string
	}{
		`{"service": "well ${call}"}`: {verdict.Success, ""},
		`{"service": "open"}`:         {verdict.Rejected, ""},
		`{"service": "default"}`:      {verdict.Failed, `no success (json $.status: got "UNKNOWN", want "SERVING")`},
		`{"service": "odd"}`:          {verdict.Failed, "no success (code: got UNKNOWN, want OK; "},
		``:                            {verdict.Failed, `no rejected (body: got "no connection", want it to contain "charged later"), no success (code: got UNAVAILABLE, want OK; json: got no message with UNAVAILABLE, want one)`},
	} {
		for _, instance := range []string{"", address} {
			to := grpcTarget{Address: address}
			if instance != "" {
				to.Address = "shop.example:1"
			}
			caller := grpcCaller(t, to, message, instance)
			if err := caller.ready(t.Context(), caller.values()); err != nil {
				t.Fatal(err)
			}
			got := caller.call(t.Context())
			if got.Outcome != c.want || !strings.Contains(got.Error, c.says) || got.GaveUp {
				t.Errorf("%s: got %v (%s), want %v (%s)", message, got.Outcome, got.Error, c.want, c.says)
			}
		}
	}
}

// A replica is called by its own address, and by the name of the service.
func TestGRPCAuthority(t *testing.T) {
	t.Parallel()
	address, _ := grpcServer(t, func(s *grpc.Server) { reflection.Register(s) })
	caller := grpcCaller(t, grpcTarget{Address: "shop.example:1"}, `{"service": "authority"}`, address)
	if err := caller.ready(t.Context(), caller.values()); err != nil {
		t.Fatal(err)
	}
	if got := caller.call(t.Context()); !strings.Contains(got.Error, `got "shop.example:1"`) {
		t.Errorf("got %q, want the authority shop.example:1", got.Error)
	}
}

// An answer that never came is no answer, whatever code gRPC has for it.
func TestGRPCWithoutAnswer(t *testing.T) {
	t.Parallel()
	address, stop := grpcServer(t, func(s *grpc.Server) { reflection.Register(s) })
	hangs := grpcCaller(t, grpcTarget{Address: address, Timeout: time.Second}, `{"service": "hangs"}`, "")
	if err := hangs.ready(t.Context(), hangs.values()); err != nil {
		t.Fatal(err)
	}
	if got := hangs.call(t.Context()); got.Outcome != verdict.Failed || !got.GaveUp || got.Error != "no answer within 1s" {
		t.Errorf("got %+v, want that we gave up", got)
	}
	ctx, leave := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer leave()
	if _, err := hangs.ask(ctx, hangs.values()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the caller to leave", err)
	}
	stop()
	hangs.spec.Breaker.Rejected = expected{Code: []string{"UNAVAILABLE"}} // as gRPC says of what it cannot reach
	if got := hangs.call(t.Context()); got.Outcome != verdict.Failed || got.Error == "" || got.GaveUp {
		t.Errorf("got %+v, want a failure: nobody rejected the call", got)
	}
}

// What cannot be called is told before anything is broken.
func TestGRPCReflection(t *testing.T) {
	t.Parallel()
	offered, _ := grpcServer(t, func(s *grpc.Server) { reflection.Register(s) })
	old, _ := grpcServer(t, func(s *grpc.Server) {
		grpc_reflection_v1alpha.RegisterServerReflectionServer(s, reflection.NewServer(reflection.ServerOptions{Services: s}))
	})
	none, _ := grpcServer(t, nil)
	closed, stop := grpcServer(t, nil)
	stop()
	for _, c := range []struct {
		name, address, method, message, want string
	}{
		{"offered", offered, "", `{"service": "a"}`, ""},
		{"only the old one", old, "", `{"service": "a"}`, ""},
		{"not offered", none, "", "", "the service does not offer it, want grpc.reflection.v1.ServerReflection registered"},
		{"nobody", closed, "", "", "connection refused"},
		{"no such service", offered, "grpc.health.v1.Heath/Check", "", `unknown service "grpc.health.v1.Heath"; did you mean "grpc.health.v1.Health"?`},
		{"no such method", offered, "grpc.health.v1.Health/Chek", "", `unknown method of grpc.health.v1.Health "Chek"; did you mean "Check"?`},
		{"a stream", offered, "grpc.health.v1.Health/Watch", "", "got grpc.health.v1.Health/Watch, which streams, want a unary method"},
		{"no service", offered, "grpc.health.v1.HealthCheckRequest/Check", "", "which is no service"},
		{"no such field", offered, "", `{"servce": "a"}`, `target.grpc.message: want grpc.health.v1.HealthCheckRequest as JSON: `},
		{"not JSON", offered, "", `{`, `target.grpc.message: want grpc.health.v1.HealthCheckRequest as JSON: `},
	} {
		caller := grpcCaller(t, grpcTarget{Address: c.address, Method: c.method}, c.message, "")
		err := caller.ready(t.Context(), caller.values())
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// Over TLS the service proves who it is.
func TestGRPCOverTLS(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(nil) // for its certificate, of 127.0.0.1 and example.com
	defer web.Close()
	address, _ := grpcServer(t, func(s *grpc.Server) { reflection.Register(s) }, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12})))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		tls  *grpcTLS
		want string
	}{
		{"known", &grpcTLS{CA: kind.Path(ca)}, ""},
		{"by name", &grpcTLS{CA: kind.Path(ca), ServerName: "example.com"}, ""},
		{"insecure", &grpcTLS{Insecure: true}, ""},
		{"unknown", &grpcTLS{}, "certificate signed by unknown authority"},
		{"another", &grpcTLS{CA: kind.Path(ca), ServerName: "shop.test"}, "not shop.test"},
	} {
		caller := grpcCaller(t, grpcTarget{Address: address, TLS: c.tls}, `{"service": "well ${call}"}`, "")
		err := caller.ready(t.Context(), caller.values())
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", c.name, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := caller.call(t.Context()); got.Outcome != verdict.Success {
			t.Errorf("%s: got %v (%s), want success", c.name, got.Outcome, got.Error)
		}
	}
}
