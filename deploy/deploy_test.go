// Package deploy_test holds the files of this directory to what the program does:
// names that the exporter emits, files that are there, a configuration that loads.
package deploy_test

import (
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/internal/config"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/probes"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/results/export"
)

// emitted are the metrics with the labels they have, out of the exposition that the
// exporter's own test compares with the real thing.
func emitted(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{"foreshock_build_info": {"version", "goversion"}}
	sample := regexp.MustCompile(`^(foreshock_\w+)(?:\{(.*)\})? `)
	label := regexp.MustCompile(`(\w+)="`)
	for line := range strings.Lines(read(t, "../results/export/testdata/demo.prom")) {
		m := sample.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			found[m[1]] = append(found[m[1]], l[1])
		}
		found[m[1]] = append(found[m[1]], "")
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkQuery holds that a query names only what is emitted, and returns those names.
func checkQuery(t *testing.T, known map[string][]string, query string) []string {
	t.Helper()
	var names []string
	for _, m := range regexp.MustCompile(`(foreshock_\w+)(\{[^}]*\})?`).FindAllStringSubmatch(query, -1) {
		labels, ok := known[m[1]]
		if !ok {
			t.Errorf("%s: no metric is called %s", query, m[1])
			continue
		}
		names = append(names, m[1])
		for _, l := range regexp.MustCompile(`(\w+)(?:=~|!=|!~|=)"`).FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(labels, l[1]) {
				t.Errorf("%s: %s has no label %s", query, m[1], l[1])
			}
		}
	}
	return names
}

// TestDashboard holds that the Grafana dashboard asks for what there is, asks it of the
// chosen data source, and leaves no metric out.
func TestDashboard(t *testing.T) {
	t.Parallel()
	known := emitted(t)
	var dash any
	if err := json.Unmarshal([]byte(read(t, "grafana/dashboards/foreshock.json")), &dash); err != nil {
		t.Fatal(err)
	}
	drawn := map[string]bool{}
	queries := 0
	walk(dash, func(key string, v any) {
		text, _ := v.(string)
		switch key {
		case "expr", "definition":
			queries++
			for _, name := range checkQuery(t, known, text) {
				drawn[name] = true
			}
		case "datasource":
			if ds, ok := v.(map[string]any); ok && ds["uid"] != "${ds}" {
				t.Errorf("datasource: got %v, want the variable ${ds}", ds)
			}
		}
	})
	if queries < 15 {
		t.Errorf("got %d queries, want a dashboard full", queries)
	}
	for name := range known {
		family := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if !drawn[name] && !drawn[family+"_bucket"] {
			t.Errorf("%s is exported and drawn nowhere", name)
		}
	}
}

func walk(v any, visit func(key string, v any)) {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			visit(k, e)
			walk(e, visit)
		}
	case []any:
		for _, e := range x {
			walk(e, visit)
		}
	}
}

// TestRules holds the alerts to the same names.
func TestRules(t *testing.T) {
	t.Parallel()
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	decode(t, "prometheus/rules.yml", &rules)
	known, n := emitted(t), 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			n += len(checkQuery(t, known, r.Expr))
		}
	}
	if n == 0 {
		t.Error("got no rule that asks for a metric")
	}
}

func decode(t *testing.T, path string, v any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, path)), v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

type compose struct {
	Services map[string]struct {
		Image       string
		Build       string
		Volumes     []string
		Environment map[string]string
		DependsOn   []string `yaml:"depends_on"`
	}
	Volumes map[string]any
}

// TestCompose holds that what docker-compose.yml mounts and names is there.
func TestCompose(t *testing.T) {
	t.Parallel()
	var c compose
	decode(t, "../docker-compose.yml", &c)
	for _, name := range []string{"foreshock", "storefront", "catalog", "payments", "prometheus", "grafana"} {
		if c.Services[name].Image == "" {
			t.Errorf("service %s: got none, or one without an image", name)
		}
	}
	for name, s := range c.Services {
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			_, named := c.Volumes[from]
			if _, err := os.Stat(filepath.Join("..", from)); err != nil && !named {
				t.Errorf("service %s mounts %s: %v", name, v, err)
			}
		}
		for _, d := range s.DependsOn {
			if c.Services[d].Image == "" {
				t.Errorf("service %s depends on %s, which is not there", name, d)
			}
		}
	}
	var prom struct {
		ScrapeConfigs []struct {
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	decode(t, "prometheus/prometheus.yml", &prom)
	host, port, err := net.SplitHostPort(prom.ScrapeConfigs[0].StaticConfigs[0].Targets[0])
	_, served, err2 := net.SplitHostPort(load(t, c).Listen)
	if err != nil || err2 != nil || c.Services[host].Image == "" || port != served {
		t.Errorf("prometheus asks %s:%s, want a service and the port %s where it listens", host, port, served)
	}
}

// load reads the configuration as the container does, with the environment it has.
func load(t *testing.T, c compose) *config.Config {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	pool := journeys.NewPool(journeys.PoolOptions{}, log)
	t.Cleanup(func() { _ = pool.Close(t.Context()) })
	kinds := config.Kinds{
		Checks: func(vars *kind.Vars) kind.Table[results.Check] {
			return slices.Concat(probes.Kinds(), journeys.Kinds(pool, vars.Dir, vars), kind.Table[results.Check]{contracts.Kind(vars.Dir, &contracts.Worker{})})
		},
		Sinks: export.Kinds(export.NewPrometheus(export.PrometheusOptions{})),
	}
	cfg, err := config.Load("compose/foreshock.yaml", kinds, func(name string) (string, bool) {
		v, ok := c.Services["foreshock"].Environment[name]
		return v, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Entries) != 4 || len(cfg.Sinks) != 1 {
		t.Errorf("got %d checks and %d sinks, want 4 and 1", len(cfg.Entries), len(cfg.Sinks))
	}
	return cfg
}

// TestNamedFiles holds that what the configuration names is there.
func TestNamedFiles(t *testing.T) {
	t.Parallel()
	n := 0
	for _, m := range regexp.MustCompile(`\.\./[\w./-]+`).FindAllString(read(t, "compose/foreshock.yaml"), -1) {
		n++
		if _, err := os.Stat(filepath.Join("compose", m)); err != nil {
			t.Errorf("compose/foreshock.yaml names %s: %v", m, err)
		}
	}
	if n != 2 {
		t.Errorf("got %d files, want the journey and the pact", n)
	}
}

// TestDockerfile holds that what is copied into the image is there to be copied.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	text := read(t, "../Dockerfile")
	n := 0
	for _, m := range regexp.MustCompile(`(?m)^COPY ([^-].*) \S+$`).FindAllStringSubmatch(text, -1) {
		for from := range strings.FieldsSeq(m[1]) {
			n++
			if _, err := os.Stat(filepath.Join("..", from)); err != nil {
				t.Errorf("COPY %s: %v", from, err)
			}
		}
	}
	if n == 0 {
		t.Error("got no COPY, want some")
	}
}
