package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/contracts/broker/brokertest"
	"github.com/foreshock/foreshock/internal/proof"
)

// Whoever copies a recipe of docs/ci.md relies on it: each is run as it stands.
func TestRecipesForCI(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(pactLibrary(t)); err != nil {
		proof.Lacks(t, "libpact_ffi is missing: scripts/setup-pact.sh")
	}
	s := newShell(t)
	b := brokertest.New(t)
	b.Pact(t, "../../examples/shop/pacts/storefront-catalog.json", false)
	b.JSON("PUT /pacticipants/catalog/branches/main/versions/7", `{}`)
	b.JSON("GET /matrix", `{"summary":{"deployable":true,"reason":"all kept"},"matrix":[]}`)
	b.JSON("GET /pacticipants/catalog/versions/7", `{"_links":{"pb:record-deployment":[{"href":"BASE/deploy","name":"staging"}]}}`)
	b.JSON("POST /deploy", `{}`)
	pacts, err := filepath.Abs("../../examples/shop/pacts")
	if err == nil {
		err = os.Symlink(pacts, filepath.Join(s.dir, "pacts"))
	}
	if err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, "PROVIDER_URL="+startCatalog(t, s.bin), "PACT_BROKER_BASE_URL="+b.URL, "PACT_BROKER_TOKEN=t",
		"VERSION=7", "BRANCH=main", "BUILD_URL=http://ci/7", "GITHUB_STEP_SUMMARY="+filepath.Join(s.dir, "summary.md"))
	text, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, block := range regexp.MustCompile("(?s)```(?:sh|yaml)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, line := range regexp.MustCompile(`(?m)^(?:- run: |  - )?(foreshock (?:.*\\\n)*.*)$`).FindAllStringSubmatch(block[1], -1) {
			s.exits(0, "sh", "-c", "foreshock() { \"$0\" \"$@\"; }\n"+line[1], "foreshock")
			n++
		}
	}
	if n != strings.Count(string(text), "\nforeshock ")+strings.Count(string(text), "- foreshock ")+strings.Count(string(text), "- run: foreshock ") || n < 7 {
		t.Errorf("ran %d recipes, want all of them", n)
	}
}
