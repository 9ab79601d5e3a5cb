package scenarios_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/foreshock/foreshock/breaker"
	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/scenarios"
)

// spoken is the rig's service, spoken to over gRPC by those who know a word.
type spoken struct {
	grpc_health_v1.UnimplementedHealthServer
	*service
}

func (s *spoken) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if meta, _ := metadata.FromIncomingContext(ctx); strings.Join(meta.Get("word"), "") != "open sesame" {
		return nil, status.Error(codes.Unauthenticated, "no word")
	}
	err := s.gate.Do(ctx, s.pay)
	switch {
	case err == nil:
		return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
	case errors.Is(err, breaker.ErrOpen):
		return nil, status.Error(codes.Unavailable, "charged later")
	}
	return nil, status.Error(codes.Unavailable, err.Error())
}

// speak serves the rig's service over gRPC too.
func (r *rig) speak(t *testing.T) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, &spoken{service: r.service})
	reflection.Register(s)
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(ln) }()
	t.Cleanup(func() { s.Stop(); <-done })
	return ln.Addr().String()
}

// overGRPC is the scenario of a target that is spoken to over gRPC, with a setup that
// learns the word from a page.
func overGRPC(address, page, dir string) func(string) string {
	return func(text string) string {
		_, rest, _ := strings.Cut(text, "baseline:")
		rest = strings.Replace(rest, "{status: [503], body: charged later}", "{code: [UNAVAILABLE], body: charged later}", 1)
		return `
name: outage
setup: [{http: {method: POST, url: "` + page + `", save: {word: "$.word"}}}]
teardown: [{exec: [touch, "` + dir + `/done"]}, {exec: [sh, -c, "echo no ${word}; exit 1"]}]
target:
  grpc: {address: "` + address + `", method: grpc.health.v1.Health/Check, message: '{"service": "${call}"}', metadata: {word: "${word}"}}
  success: {json: {"$.status": SERVING}}
baseline:` + rest
	}
}

// TestInsideTarget: a target over gRPC is judged as one over HTTP is, with a setup
// before and a teardown after.
func TestInsideTarget(t *testing.T) {
	enter(t)
	for _, c := range []struct {
		name, page string
		gate       func(t *testing.T) gate
		v          verdict.Verdict
		code       int
		reason     string
		failed     []string
	}{
		{"right", `{"word": "open sesame"}`, func(t *testing.T) gate { t.Helper(); return newGate(t, failures, openFor) }, verdict.Pass, 0, "none failed", nil},
		{"never opens", `{"word": "open sesame"}`, func(*testing.T) gate { return off{} }, verdict.Fail, 1, "failed: trips-at-threshold", []string{"trips-at-threshold", "quiet-while-open", "fails-fast", "answer-while-open"}},
		{"wrong word", `{"word": "open wheat"}`, func(*testing.T) gate { return off{} }, verdict.Inconclusive, 3, "unhealthy baseline: 0 of 1 calls succeeded, want 100%; the last was failed: no rejected (code: got UNAUTHENTICATED", nil},
		{"no word", `{}`, func(*testing.T) gate { return off{} }, verdict.Inconclusive, 3, "setup: http POST ", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var done string
			rep := patientFor(t, c.v, c.reason, func() *scenarios.Report {
				r := newRig(t, c.gate(t))
				page := newRig(t, off{})
				page.service.gate, page.service.rejected, page.service.body = refuses{}, 200, c.page
				dir := t.TempDir()
				done = filepath.Join(dir, "done")
				r.change = overGRPC(r.speak(t), page.url, dir)
				return r.run(t.Context(), t)
			})
			want(t, rep, c.v, c.code, c.reason, c.failed...)
			if _, err := os.Stat(done); err != nil || !strings.HasPrefix(rep.Untidy, "exec sh -c echo no ${word}") || strings.Contains(rep.Untidy, "sesame") {
				t.Errorf("got %v and %q, want the teardown done, and told of without the word", err, rep.Untidy)
			}
		})
	}
}

// refuses is a gate that is always open.
type refuses struct{}

func (refuses) Do(context.Context, func(context.Context) error) error { return breaker.ErrOpen }
