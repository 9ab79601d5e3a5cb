package journeys

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/kind"
)

// Every action of the reference page works as it is written there, and none is missing.
func TestDocumentedActions(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| action | does |")
	table, _, _ = strings.Cut(table, "## A scenario file")
	seen := map[string]bool{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 2 {
			continue
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			docs, err := kind.Parse("docs", []byte(m[1]))
			if err != nil {
				t.Errorf("%s: %v", m[1], err)
				continue
			}
			name, _, err := Actions().Build("action", docs[0])
			if err != nil {
				t.Errorf("%s: %v", m[1], err)
			}
			seen[name] = true
		}
	}
	for _, name := range Actions().Names() {
		if !seen[name] {
			t.Errorf("the reference page does not show %s", name)
		}
	}
}

// blocks are the YAML of a page of the documentation.
func blocks(tb testing.TB, page string) []string {
	tb.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		tb.Fatal(err)
	}
	var list []string
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		list = append(list, m[1])
	}
	return list
}

// What the page for a first journey shows is loaded as it stands there.
func TestDocumentedJourney(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"shop-password": "hunter22", "shop-otp": "JBSWY3DPEHPK3PXP"})
	journeys := 0
	for _, text := range blocks(t, "../docs/journeys.md") {
		switch {
		case strings.HasPrefix(text, "checks:"):
			continue // of foreshock.yaml
		case !strings.HasPrefix(text, "name:"):
			text = "steps:\n  - step: only\n    do:\n      - device: iPhone 15\n      - open: http://127.0.0.1/\n" + strings.Replace(text, "      - device: iPhone 15 ", "      - screenshot: x #", 1)
		}
		path := filepath.Join(dir, "journey.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, testVars(dir), nil); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
		journeys++
	}
	if journeys != 3 {
		t.Errorf("got %d journeys or parts of them, want 3", journeys)
	}
}
