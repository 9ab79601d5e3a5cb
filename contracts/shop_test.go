package contracts_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/results"
)

// The sample shop's catalog, as it is built, keeps the pact that the storefront's own
// test writes; and a catalog that does not would be found out.
func TestShopCatalogKeepsTheStorefrontsPact(t *testing.T) {
	t.Parallel()
	w := realWorker(t)
	const pact = "../examples/shop/pacts/storefront-catalog.json"
	url := startCatalog(t)
	text, err := os.ReadFile(pact)
	if err != nil {
		t.Fatal(err)
	}
	stricter := filepath.Join(t.TempDir(), "stricter.json")
	os.WriteFile(stricter, []byte(strings.ReplaceAll(string(text), `"match": "integer"`, `"match": "decimal"`)), 0o600)

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req := contracts.Request{Provider: "catalog", URL: url, Files: []string{pact}, StateURL: url + "/_pact/state"}
	start := time.Now()
	rep, err := w.Verify(ctx, req)
	t.Logf("%d interactions verified in %v", len(rep.Interactions), time.Since(start))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"storefront: a request for all products, given products exist = ok",
		"storefront: a request for an unknown product, given no product nope = ok",
		"storefront: a request for one product, given product mug-blue exists = ok",
	}, lines(rep)); diff != "" || rep.ExitCode() != 0 {
		t.Errorf("exit code %d, interactions (-want +got):\n%s", rep.ExitCode(), diff)
	}
	req.Files = []string{stricter}
	if rep, err = w.Verify(ctx, req); err != nil || rep.ExitCode() != 1 || rep.Count(contracts.Broken) != 2 {
		t.Errorf("stricter pact: got %q, %v", lines(rep), err)
	}
	if s, c := results.Judge(rep.Err()); s != results.Critical || c != results.CauseContract {
		t.Errorf("stricter pact: got %v %q", s, c)
	}
}

// startCatalog builds the shop and returns the URL of its catalog.
func startCatalog(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "shop")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/shop").CombinedOutput(); err != nil {
		t.Fatalf("build the shop: %v: %s", err, out)
	}
	catalog := exec.Command(bin, "catalog", "-listen", "127.0.0.1:0", "-pact-states")
	stdout, err := catalog.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := catalog.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { catalog.Process.Kill(); catalog.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_, url, found := strings.Cut(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("the catalog said %q, %v", line, err)
	}
	return url
}
