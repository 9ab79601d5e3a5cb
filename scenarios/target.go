package scenarios

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// A target is the service that holds the breaker, called in one of two protocols.
type target struct {
	HTTP *httpTarget `yaml:"http"`
	GRPC *grpcTarget `yaml:"grpc"`
	// Instances are the addresses of replicas: each is called and judged.
	Instances []string `yaml:"instances"`
	Success   expected `yaml:"success"` // an answer that came from the dependency
}

// defaultPatience is how long a call may take unless the target says.
const defaultPatience = 2 * time.Second

// complete fills in what the file need not say.
func (t *target) complete() {
	if h := t.HTTP; h != nil {
		if h.Method == "" {
			h.Method = http.MethodGet
		}
		if h.Timeout == 0 {
			h.Timeout = defaultPatience
		}
	}
	if g := t.GRPC; g != nil && g.Timeout == 0 {
		g.Timeout = defaultPatience
	}
}

func (t *target) given() bool { return t.HTTP != nil || t.GRPC != nil }

// key is the one of the two that is given.
func (t *target) key() string {
	if t.GRPC != nil {
		return "target.grpc"
	}
	return "target.http"
}

// timeout is how long a caller waits for an answer; 0 if no target is given.
func (t *target) timeout() time.Duration {
	switch {
	case t.GRPC != nil:
		return t.GRPC.Timeout
	case t.HTTP != nil:
		return t.HTTP.Timeout
	}
	return 0
}

// String says how the service is called, in the words of the file.
func (t *target) String() string {
	switch {
	case t.GRPC != nil:
		return "grpc " + t.GRPC.Address + " " + t.GRPC.Method
	case t.HTTP != nil:
		return t.HTTP.Method + " " + t.HTTP.URL.String()
	}
	return ""
}

// isAddress says that text is HOST:PORT.
func isAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	n, wrong := strconv.ParseUint(port, 10, 16)
	return err == nil && host != "" && wrong == nil && n > 0
}

// validTarget returns everything that is wrong with the target.
func (s *Spec) validTarget(doc kind.Node) error {
	var errs []error
	at, t := doc.Get("target"), &s.Target
	standIns := s.standIns()
	standIns["call"] = "1"
	switch {
	case t.HTTP != nil && t.GRPC != nil:
		errs = append(errs, at.Get("grpc").Errorf("target.grpc: got it beside target.http, want one of them"))
	case t.GRPC != nil:
		errs = append(errs, t.GRPC.valid(at.Get("grpc")))
	default:
		errs = append(errs, t.HTTP.valid(at.Get("http"), standIns))
	}
	for i, a := range t.Instances {
		if !isAddress(a) {
			errs = append(errs, doc.Locate(kind.At(fmt.Sprintf("target.instances[%d]", i), fmt.Errorf("got %q, want HOST:PORT of a replica", a))))
		}
	}
	return errors.Join(errs...)
}

// validAnswers returns everything that is wrong with what answers should be.
func (s *Spec) validAnswers(doc kind.Node) error {
	var errs []error
	for _, a := range []struct {
		path string
		want *expected
	}{{"target.success", &s.Target.Success}, {"breaker.rejected", &s.Breaker.Rejected}, {"breaker.fallback", &s.Breaker.Fallback}} {
		if err := a.want.compile(s.Target.GRPC != nil); err != nil {
			errs = append(errs, doc.Locate(kind.At(a.path, err)))
		}
	}
	if ok := &s.Target.Success; ok.IsZero() {
		if s.Target.GRPC != nil {
			ok.Code = []string{"OK"}
		} else {
			ok.Status = []int{200, 201, 202, 204}
		}
	}
	return errors.Join(errs...)
}
