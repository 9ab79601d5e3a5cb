package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/contracts/broker/brokertest"
	"github.com/foreshock/foreshock/internal/proof"
)

func TestContractVerifyFromBroker(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(pactLibrary(t)); err != nil {
		proof.Lacks(t, "libpact_ffi is missing: scripts/setup-pact.sh")
	}
	s := newShell(t)
	catalog := startCatalog(t, s.bin)
	b := brokertest.New(t)
	b.Pact(t, "../../examples/shop/pacts/storefront-catalog.json", false)
	b.JSON("PUT /pacticipants/catalog/branches/main/versions/7", `{}`)
	s.env = append(s.env, "PACT_BROKER_TOKEN=hush-hush")
	ours := []string{
		"contract", "verify", "--provider", "catalog", "--provider-base-url", catalog, "--broker-base-url", b.URL,
		"--consumer-version-selectors", `{"mainBranch":true}`, "--provider-branch", "main", "--enable-pending",
		"--publish", "--provider-app-version", "7", "--build-url", "http://ci/7",
	}
	s.foreshock(0, ours...).out("because of main").err("results of 1 pacts published for version 7 of catalog")
	if got := b.Last(); !strings.Contains(got, `"success":true,"providerApplicationVersion":"7","buildUrl":"http://ci/7"`) {
		t.Errorf("the broker was told %s", got)
	}
	// The same in the words of `pact verifier`.
	before := len(b.Calls())
	s.foreshock(0, "contract", "verify", "-n", "catalog", "--provider-base-url", catalog, "-b", b.URL, "--provider-version", "7",
		"--provider-branch", "main", "--consumer-version-selectors", `{"mainBranch":true}`, "--enable-pending", "--build-url", "http://ci/7",
		"--publish", "--request-timeout", "5000")
	if calls := b.Calls(); strings.Join(calls[:before], "\n") != strings.Join(calls[before:], "\n") {
		t.Errorf("asked\n%s\nand in other words\n%s", strings.Join(calls[:before], "\n"), strings.Join(calls[before:], "\n"))
	}
	for _, a := range b.Authorization() {
		if a != "Bearer hush-hush" {
			t.Errorf("authorization: got %q, want the token of the environment", a)
		}
	}
	// A broker that cannot be asked is no verdict on the contract.
	b.Answer("GET /", http.StatusUnauthorized, "application/json", "{}")
	s.foreshock(3, ours...).out("").err("401 Unauthorized").err("broker-token")
	b.Answer("GET /", http.StatusOK, "text/html", "<html>")
	s.foreshock(3, ours...).out("").err("is this its address")
	s.foreshock(2, "contract", "verify", "--provider", "catalog", "--provider-base-url", catalog, "--publish", "x.json").err("--publish: got no broker")
	s.foreshock(2, "contract", "verify", "--provider", "catalog", "--provider-base-url", catalog, "--broker-base-url", b.URL,
		"--consumer-version-selectors", `{"mainBranche":true}`).err(`did you mean "mainBranch"`)
}

// All that is written says the same, and filters that leave nothing are no success.
func TestContractReports(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(pactLibrary(t)); err != nil {
		proof.Lacks(t, "libpact_ffi is missing: scripts/setup-pact.sh")
	}
	s := newShell(t)
	site := startSite(t)
	pacts, err := filepath.Abs("../../examples/shop/pacts")
	if err != nil {
		t.Fatal(err)
	}
	verify := []string{"contract", "verify", "--provider", "catalog", "--provider-base-url", site, pacts}
	s.foreshock(1, append(verify, "--json", "r.json", "--junit", "r.xml", "--markdown", "r.md")...)
	for file, want := range map[string]string{"r.json": `"exit_code":1`, "r.xml": "<failure", "r.md": "### Contract of catalog"} {
		text, err := os.ReadFile(filepath.Join(s.dir, file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: got %s (%v), want %s in it", file, text, err, want)
		}
	}
	s.foreshock(4, append(verify, "--filter-description", "nothing like it")...).out("nothing was verified")
	s.foreshock(2, append(verify, "--filter-description", "(")...).err("--filter-description")
	// With a configuration the result takes the road of every result.
	if err := os.WriteFile(filepath.Join(s.dir, "foreshock.yaml"), []byte("checks: []\nstore: {sqlite: {path: f.db}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.foreshock(1, append(verify, "-c", "foreshock.yaml")...)
	s.foreshock(0, "report", "availability", "-c", "foreshock.yaml").out("contract of catalog")
}

func TestCanIDeploy(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	b := brokertest.New(t)
	ask := []string{"contract", "can-i-deploy", "--pacticipant", "Foo", "--version", "4", "--to-environment", "staging", "--broker-base-url", b.URL}
	// Whatever the format, yes, no and unknown end differently.
	for deployable, want := range map[string]struct {
		code                      int
		text, json, junit, github string
	}{
		"true":  {0, "can i deploy: yes", `"answer":"yes","deployable":true`, `failures="0"`, "::notice"},
		"false": {1, "can i deploy: no", `"answer":"no","deployable":false`, "<failure", "::error"},
		"null":  {3, "can i deploy: unknown", `"answer":"unknown","deployable":null`, "<error", "::warning"},
	} {
		b.JSON("GET /matrix", fmt.Sprintf(`{"summary":{"deployable":%s,"reason":"because"},"matrix":[]}`, deployable))
		s.foreshock(want.code, ask...).out(want.text)
		s.foreshock(want.code, append(ask, "-o", "json")...).json().out(want.json)
		s.foreshock(want.code, append(ask, "-o", "junit")...).out(want.junit)
		s.foreshock(want.code, append(ask, "-o", "github")...).out(want.github)
	}
	b.JSON("GET /matrix", `{"hello":1}`)
	s.foreshock(3, ask...).out("").err("without summary")
	s.foreshock(2, "contract", "can-i-deploy", "--version", "1").err("before any --pacticipant")
	s.foreshock(2, "contract", "can-i-deploy", "--pacticipant", "Foo", "--broker-base-url", b.URL).err("got 0 of version, branch")
	s.foreshock(2, "contract", "can-i-deploy", "--pacticipant", "Foo").err("--broker-base-url: got none")
}

func TestRecordDeployment(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	b := brokertest.New(t)
	b.JSON("GET /pacticipants/Foo/versions/4", `{"_links":{"pb:record-deployment":[{"href":"BASE/deploy/staging","name":"staging"}]}}`)
	b.JSON("POST /deploy/staging", `{}`)
	record := []string{"contract", "record-deployment", "--pacticipant", "Foo", "--version", "4", "--broker-base-url", b.URL, "--environment"}
	s.foreshock(0, append(record, "staging")...).out("recorded as deployed to staging")
	if got := b.Last(); got != "POST /deploy/staging {}" {
		t.Errorf("the broker was told %s", got)
	}
	s.foreshock(2, append(record, "stagging")...).err(`did you mean "staging"`)
	s.foreshock(3, "contract", "record-deployment", "--pacticipant", "Foo", "--version", "5", "--broker-base-url", b.URL, "--environment", "staging").
		err("does not know it")
}
