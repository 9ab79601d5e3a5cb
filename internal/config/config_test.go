package config_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foreshock/foreshock/internal/config"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

// look is a kind of check that only keeps its settings.
type look struct {
	At   string    `yaml:"at"`
	File kind.Path `yaml:"file"`
}

func (look) Run(context.Context, *results.Recorder) error { return nil }

// slow knows how long it may take.
type slow struct{ look }

func (slow) DefaultTimeout() time.Duration { return 90 * time.Second }

type sink struct{ To string }

func (sink) Send(context.Context, []results.Record) error { return nil }
func (sink) Close() error                                 { return nil }

func kinds() config.Kinds {
	return config.Kinds{
		Checks: func(*kind.Vars) kind.Table[results.Check] {
			return kind.Table[results.Check]{
				kind.Of("look", "", "", look{At: "default"}, func(l look) (results.Check, error) {
					if l.At == "" || strings.Contains(l.At, "wrong") {
						return nil, kind.At("at", fmt.Errorf("got %q, want a place", l.At))
					}
					return l, nil
				}),
				kind.Of("slow", "", "", struct{}{}, func(struct{}) (results.Check, error) { return slow{}, nil }),
			}
		},
		Sinks: kind.Table[results.Sink]{
			kind.Of("file", "", "", sink{}, func(s sink) (results.Sink, error) { return s, nil }),
			kind.Of("wire", "", "", sink{}, func(s sink) (results.Sink, error) { return s, nil }),
		},
		Browser: func(n kind.Node) error {
			return n.Decode(&struct {
				Max int `yaml:"max"`
			}{})
		},
	}
}

// load reads text as the file foreshock.yaml of a directory of its own.
func load(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"foreshock.yaml": text, "token": "file-s3cret\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"PLACE": "shop", "KEY": "hunter2", "OTHER": "not-secret"}
	return config.Load(filepath.Join(dir, "foreshock.yaml"), kinds(), func(name string) (string, bool) {
		s, ok := env[name]
		return s, ok
	})
}

func TestLoad(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
location: berlin
listen: "[::]:80"
store: {sqlite: {path: data/f.db, evidence_mib: 100}}
checks:
  - name: storefront
    every: 10s
    timeout: 3s
    warning: 300ms
    critical: 1s
    labels: {team: shop}
    look: {at: "${env:PLACE}", file: x.yaml}
  - name: Nächtlich 1/2._-
    cron: "0 3 * * 1-5"
    timezone: Europe/Berlin
    look: {}
sinks:
  - wire: {}
  - file: {}
`)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(c.Path)
	want := &config.Config{
		Path: filepath.Join(dir, "foreshock.yaml"), Location: "berlin", Listen: "[::]:80", Store: filepath.Join(dir, "data/f.db"), Evidence: 100 << 20,
		Entries: []run.Entry{
			{
				Name: "storefront", Kind: "look", Every: 10 * time.Second, Timeout: 3 * time.Second, Warning: 300 * time.Millisecond, Critical: time.Second,
				Labels: map[string]string{"team": "shop"}, Check: look{"shop", kind.Path(filepath.Join(dir, "x.yaml"))},
			},
			{Name: "Nächtlich 1/2._-", Kind: "look", Cron: "0 3 * * 1-5", Timezone: "Europe/Berlin", Timeout: 10 * time.Second, Check: look{At: "default"}},
		},
		Sinks: []config.Sink{{Name: "wire", Sink: sink{}}, {Name: "file", Sink: sink{}}},
	}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreFields(config.Config{}, "Secrets")); diff != "" {
		t.Error(diff)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := load(t, "{}")
	if err != nil {
		t.Fatal(err)
	}
	if c.Location != "local" || c.Listen != "127.0.0.1:8440" || c.Store != filepath.Join(filepath.Dir(c.Path), "foreshock.db") || c.Evidence != 1<<30 || len(c.Entries)+len(c.Sinks) > 0 {
		t.Errorf("got %+v, want the documented defaults", c)
	}
	c, err = load(t, `checks:
- {name: a, every: 1m, look: {}}
- {name: b, every: 3s, look: {}}
- {name: c, every: 5m, slow: {}}
- {name: d, every: 1m, slow: {}}
- {name: e, cron: "@hourly", slow: {}}
- {name: f, every: 5m, timeout: 1s, slow: {}}
- {name: g, every: 100ms, look: {}}
`)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Duration{10 * time.Second, 3 * time.Second, 90 * time.Second, time.Minute, 90 * time.Second, time.Second, 100 * time.Millisecond} {
		if got := c.Entries[i].Timeout; got != want {
			t.Errorf("%s: got a timeout of %v, want %v", c.Entries[i].Name, got, want)
		}
	}
}

// What the directory of bad configurations in cmd/foreshock does not have.
func TestErrors(t *testing.T) {
	t.Parallel()
	check := func(more string) string { return "checks: [{name: a, " + more + ", look: {}}]" }
	for text, want := range map[string]string{
		"secret_env: KEY":                              `1:13: secret_env: got "KEY", want a list`,
		"secret_env: [[KEY]]":                          "1:14: secret_env[0]: got a list, want a text",
		"location: ''":                                 "1:11: location: got nothing, want the name of the place that looks from here",
		"listen: ''":                                   `1:9: listen: got "", want HOST:PORT such as 127.0.0.1:8440`,
		"store: {sqlite: {path: ''}}":                  `1:24: store.sqlite.path: got "", want the path of a file`,
		"store: {sqlite: {evidence_mib: 63}}":          "1:32: evidence_mib: got 63, want 64 or more",
		"browser: {max: many}":                         `1:16: max: got "many", want a whole number`,
		"sinks: [{wire: {}}, {file: {}}, {wire: {}}]":  `1:34: got a second sink "wire", want each once`,
		"sinks: [{wire: {}, file: {}}]":                "1:10: got several: wire, file, want one sink: file, wire",
		"- a":                                          "1:1: got a list, want a mapping with location, listen, secret_env, store, browser, checks, sinks",
		"checks: [{name: a (b), every: 1s, look: {}}]": `1:17: name: got "a (b)", want 1 to 128 letters, digits, spaces and ._/-`,
		check("every: 99ms"):                           "1:27: every: got 99ms, want at least 100ms",
		check("every: 1s, timezone: UTC"):              `1:41: timezone: got "UTC" without cron, want it beside cron only`,
		check("every: 1m, warning: 10s"):               "1:40: warning: got 10s, want less than timeout, which is 10s",
		check("every: 5s, critical: 5s"):               "1:41: critical: got 5s, want less than timeout, which is 5s",
		check("every: 1s, labels: {b c: d, 1: e}"):     `1:51: labels: got "1", want a name of letters, digits and _ that does not start with a digit`,
		"checks: [{every: 1s, look: {}}]":              `1:11: name: got "", want 1 to 128 letters, digits, spaces and ._/-`,
		"checks: [{name: " + strings.Repeat("a", 129) + ", every: 1s, look: {}}]": `1:17: name: got "` + strings.Repeat("a", 129) + `", want 1 to 128 letters, digits, spaces and ._/-`,
		"checks: [{name: a, every: 1s, look: {at: ''}}]":                          `1:42: at: got "", want a place`,
		"checks: [{name: a, every: 1s, look: {}}, {name: b, look: {}}, {name: a, every: 2s, look: {}}]": "1:43: check \"b\": got neither every nor cron, want one of them\n" +
			`F:1:70: name: got "a", which the check at line 1 has already`,
		"checks: [{name: a, look: {at: '${env:NONE}'}}]":                          "1:31: ${env:NONE}: environment variable NONE is not set",
		"secret_env: [KEY]\nlisten: '${env:KEY}'":                                 `2:9: listen: got "***", want HOST:PORT such as 127.0.0.1:8440`,
		"checks: [{name: a, every: 1s, look: {at: 'wrong ${file:token}'}}]":       `1:42: at: got "wrong ***", want a place`,
		"secret_env: [KEY]\nchecks: [{name: '${env:KEY}!', every: 1s, look: {}}]": `2:17: name: got "***!", want 1 to 128 letters, digits, spaces and ._/-`,
		"secret_env: [KEY]\nchecks: [{name: a, every: '${env:KEY}', look: {}}]":   `2:27: every: got "***", want a duration with its unit, such as 300ms or 10s`,
		"secret_env: [KEY]\nchecks: [{name: a, cron: 'x ${env:KEY}', look: {}}]":  `2:26: cron: got "x ***", want five fields such as "0 3 * * 1-5" (minute hour day month weekday)`,
	} {
		for range 3 { // the order of a map changes
			_, err := load(t, text)
			got := ""
			if err != nil {
				lines := strings.Split(err.Error(), "\n")
				for i, l := range lines {
					_, l, _ = strings.Cut(l, "foreshock.yaml:")
					lines[i] = l
				}
				got = strings.Join(lines, "\nF:")
			}
			if got != want {
				t.Errorf("%s:\ngot  %s\nwant %s", text, got, want)
				break
			}
		}
	}
	_, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"), kinds(), nil)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
secret_env: [KEY]
location: "${env:OTHER}"
checks:
  - {name: a, every: 1s, look: {at: "${env:KEY} ${file:token} ${cmd:echo cmd-s3cret}"}}
`)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Secrets.Mask("hunter2 file-s3cret cmd-s3cret not-secret"); got != "*** *** *** not-secret" {
		t.Errorf("got %q, want the values of secret_env, file and cmd masked, and no other", got)
	}
	if got := c.Entries[0].Check.(look).At; got != "hunter2 file-s3cret cmd-s3cret" {
		t.Errorf("got %q, want the check to have the real values", got)
	}
}

// Relative paths and files start at the configuration, wherever the program was started.
func TestPathsStartAtTheFile(t *testing.T) {
	t.Parallel()
	c, err := load(t, `checks: [{name: a, every: 1s, look: {at: "${file:token}", file: sub/x}}]`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(c.Entries[0].Check.(look).File), filepath.Join(filepath.Dir(c.Path), "sub/x"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A check that a scenario brings along needs no schedule, and all else all the same.
func TestCheckWithoutSchedule(t *testing.T) {
	t.Parallel()
	one := func(text string) (run.Entry, error) {
		docs, err := kind.Parse("f.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return config.Check(docs[0], kinds().Checks(nil), false)
	}
	e, err := one("{name: a, look: {}}")
	if err != nil || e.Name != "a" || e.Timeout != 10*time.Second || e.Every != 0 {
		t.Errorf("got %+v and %v", e, err)
	}
	if _, err := one("{look: {}}"); err == nil || !strings.Contains(err.Error(), "f.yaml:1:2: name: ") {
		t.Errorf("got %v, want the name asked for", err)
	}
}
