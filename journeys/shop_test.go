package journeys

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/results"
)

// The shipped journey, against the shipped shop: well, without payments, and down.
func TestShopExample(t *testing.T) {
	p := warm(t)
	t.Parallel()
	shop := filepath.Join(t.TempDir(), "shop")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", shop, "../cmd/shop").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	payments, stopPayments := role(t, shop, "payments")
	catalog, _ := role(t, shop, "catalog")
	storefront, stopStorefront := role(t, shop, "storefront", "-payments", payments, "-catalog", catalog)

	vars := testVars("../examples/shop")
	vars.Env = func(name string) (string, bool) { return storefront, name == "SHOP_URL" }
	j, err := Load("../examples/shop/journeys/buy-a-mug.yaml", vars, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range j.steps { // how fast this machine is now is not the question
		j.steps[i].warning, j.steps[i].critical, j.steps[i].timeout = 0, 0, busyPatience
	}
	r := walk(t, p, j, ample)
	wantResult(t, r, results.OK, "")
	first := documented(t, storefront)
	wantResult(t, walk(t, p, first, ample), results.OK, "")
	stopPayments()
	wantResult(t, walk(t, p, j, ample), results.OK, "")
	stopStorefront()
	wantResult(t, walk(t, p, j, ample), results.Critical, results.CauseRefused, "choose: open "+storefront)
}

// documented is the journey that the documentation writes first.
func documented(t *testing.T, storefront string) *Journey {
	t.Helper()
	var text string
	for _, block := range blocks(t, "../docs/journeys.md") {
		if strings.HasPrefix(block, "name:") {
			text = block
		}
	}
	dir := files(t, map[string]string{"first.yaml": text})
	j, err := Load(filepath.Join(dir, "first.yaml"), testVars(dir), map[string]string{"base": storefront})
	if err != nil {
		t.Fatal(err)
	}
	for i := range j.steps {
		j.steps[i].warning, j.steps[i].critical, j.steps[i].timeout = 0, 0, busyPatience
	}
	return j
}

// role starts one service of the shop and returns its address.
func role(t *testing.T, shop, name string, flags ...string) (address string, stop func()) {
	t.Helper()
	cmd := exec.Command(shop, append([]string{name, "-listen", "127.0.0.1:0"}, flags...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), " listening on ")
	if !ok {
		t.Fatalf("%s said %q (%v), want where it listens", name, line, err)
	}
	return address, stop
}
