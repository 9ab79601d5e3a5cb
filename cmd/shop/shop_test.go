package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/breaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A service is one role of the shop, started through run.
type service struct {
	url  string
	stop func() // and wait, at most a second
}

func start(t *testing.T, args ...string) service {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, args, in, &stderr)
		in.Close()
	}()
	line := make([]byte, 200)
	n, err := out.Read(line)
	m := regexp.MustCompile(`^shop (\w+) listening on (http://127\.0\.0\.1:[1-9]\d*)\n$`).FindSubmatch(line[:n])
	if err != nil || m == nil || string(m[1]) != args[0] {
		cancel()
		t.Fatalf("shop %v: got %q, %v, want the line that tells its address; stderr: %s", args, line[:n], err, &stderr)
	}
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case code := <-ended:
			if code != 0 {
				t.Errorf("shop %s: got exit code %d, want 0: %s", args[0], code, &stderr)
			}
		case <-time.After(time.Second):
			t.Errorf("shop %s: still there a second after it was told to stop", args[0])
		}
	})
	t.Cleanup(stop)
	return service{string(m[2]), stop}
}

// A visitor has a cookie jar and leaves no connection behind.
func visitor(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: tr, Timeout: 5 * time.Second}
}

// ask makes one request and reads all of its answer.
func ask(t *testing.T, c *http.Client, method, url, mediaType, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", mediaType)
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// get wants the status and every one of the texts.
func get(t *testing.T, c *http.Client, url string, status int, texts ...string) string {
	t.Helper()
	got, body := ask(t, c, "GET", url, "", "")
	return want(t, "GET "+url, got, body, status, texts)
}

func post(t *testing.T, c *http.Client, url string, form url.Values, status int, texts ...string) string {
	t.Helper()
	got, body := ask(t, c, "POST", url, "application/x-www-form-urlencoded", form.Encode())
	return want(t, "POST "+url, got, body, status, texts)
}

func postJSON(t *testing.T, c *http.Client, url, data string, status int, texts ...string) string {
	t.Helper()
	got, body := ask(t, c, "POST", url, "application/json", data)
	return want(t, "POST "+url+" "+data, got, body, status, texts)
}

func want(t *testing.T, what string, got int, body string, status int, texts []string) string {
	t.Helper()
	if got != status {
		t.Fatalf("%s: got status %d, want %d: %s", what, got, status, body)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("%s: no %q in the answer:\n%s", what, text, body)
		}
	}
	return body
}

// place places one order as a machine does.
func place(t *testing.T, c *http.Client, shop, id string) orderAnswer {
	t.Helper()
	body := postJSON(t, c, shop+"/api/checkout", `{"id":"`+id+`"}`, 200)
	var a orderAnswer
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Order != "order-"+id {
		t.Fatalf("checkout: got %s, want order-%s", body, id)
	}
	message := map[bool]string{true: "order placed", false: "order placed, we will charge you later"}[a.Paid]
	if a.Message != message {
		t.Fatalf("checkout: got %s, want the message %q", body, message)
	}
	return a
}

func breakerOf(t *testing.T, c *http.Client, shop, name string) breaker.Snapshot {
	t.Helper()
	body := get(t, c, shop+"/breakers", 200)
	var all []breaker.Snapshot
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("breakers: %v: %s", err, body)
	}
	for _, b := range all {
		if b.Name == name {
			return b
		}
	}
	t.Fatalf("breakers: no %s in %s", name, body)
	return breaker.Snapshot{}
}

// eventually waits until ok, for a few seconds at most.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited 5s in vain: %s", what)
}

// A tap is a real payments service that counts the connections it accepts, and can
// fall silent.
type tap struct {
	url         string
	connections atomic.Int64
	silent      atomic.Bool
}

func newTap(t *testing.T) *tap {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{url: "http://" + listener.Addr().String()}
	well := newPayments()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if p.silent.Load() {
				_, _ = io.Copy(io.Discard, r.Body) // or the caller's leaving goes unseen
				<-r.Context().Done()
				return
			}
			well.ServeHTTP(w, r)
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				p.connections.Add(1)
			}
		},
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { server.Close(); wg.Wait() })
	return p
}
