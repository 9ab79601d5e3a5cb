package journeys

import (
	"os"
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
