package reader_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/breaker/reader"
	"github.com/foreshock/foreshock/results"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func fixture(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A service answers at some paths, and what it answers may change.
type service struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]string
	asked []string
}

func serve(t *testing.T, pages map[string]string) *service {
	t.Helper()
	s := &service{pages: pages}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	body, ok := s.pages[r.URL.Path]
	s.asked = append(s.asked, r.URL.RequestURI())
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, ".sse"):
		w.Header().Set("Content-Type", "text/event-stream;charset=UTF-8")
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for r.Context().Err() == nil { // as Hystrix does, on and on
			w.Write([]byte(body))
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-tick.C:
			}
		}
		return
	case strings.HasPrefix(body, "{") || strings.HasPrefix(body, "["):
		w.Header().Set("Content-Type", "application/vnd.spring-boot.actuator.v3+json")
	case strings.HasPrefix(body, "<"):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	default:
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	}
	w.Write([]byte(body))
}

func (s *service) set(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = body
}

func build(t *testing.T, kind, settings string) reader.Reader {
	t.Helper()
	r, err := reader.Kinds().BuildText(kind, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func read(t *testing.T, r reader.Reader) reader.Sample {
	t.Helper()
	s, err := r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.State == reader.Unknown && s.Note == "" {
		t.Errorf("got an unknown state without a note: %+v", s)
	}
	return s
}

// blind reads and wants an error that is unknown and says all of the words.
func blind(t *testing.T, r reader.Reader, cause results.Cause, words ...string) {
	t.Helper()
	s, err := r.Read(t.Context())
	if err == nil {
		t.Errorf("got %+v, want an error", s)
		return
	}
	if status, c := results.Judge(err); status != results.Unknown || c != cause {
		t.Errorf("got %v, %v, want unknown, %v: %v", status, c, cause, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got error %q, want %q in it", err, w)
		}
	}
}
