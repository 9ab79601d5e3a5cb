package journeys

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/internal/kind"
)

func options(t *testing.T, text string) (PoolOptions, error) {
	t.Helper()
	docs, err := kind.Parse("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Options(docs[0])
}

func TestOptions(t *testing.T) {
	t.Parallel()
	got, err := options(t, "path: chromium\nmax: 3\nno_sandbox: true\nrecycle: {runs: 50, age: 1h, memory: 2GiB}\n")
	if err != nil {
		t.Fatal(err)
	}
	want := PoolOptions{
		Browser: "chromium", Max: 3, NoSandbox: true,
		Recycle: Recycle{Runs: 50, Age: time.Hour, Memory: 2 << 30},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := options(t, "remote: http://10.0.0.1:9222"); err != nil || got.Remote != "http://10.0.0.1:9222" {
		t.Errorf("got %+v, %v, want the remote browser", got, err)
	}
	for text, want := range map[string]string{
		"max: -1":                     "1:6: max: got -1, want 1 or more",
		"recycle: {runs: -1}":         "recycle.runs: got -1, want 1 or more",
		"recycle: {age: -1s}":         `recycle.age: got "-1s", want a duration`,
		"recycle: {memory: 100}":      `got "100", want a size such as 1GiB or 800MB`,
		"recycle: {memory: 0GiB}":     `got "0GiB", want a size`,
		"remote: 127.0.0.1:9222":      "remote: want a DevTools address such as http://127.0.0.1:9222",
		"{remote: 'ws://a', path: b}": "remote: got it beside path",
		"sandbox: false":              "no_sandbox",
	} {
		if _, err := options(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestRecycleDue(t *testing.T) {
	t.Parallel()
	r := PoolOptions{}.withDefaults().Recycle
	for _, c := range []struct {
		service
		want string
	}{
		{service{999, 23 * time.Hour, 1<<30 - 1}, ""},
		{service{runs: 1000}, "it has served 1000 runs"},
		{service{age: 24 * time.Hour}, "it is 24h0m0s old"},
		{service{memory: 1 << 30}, "it holds 1024 MiB of memory"},
	} {
		if got := r.due(c.service); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.service, got, c.want)
		}
	}
}
