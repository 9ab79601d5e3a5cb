package scenarios_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/internal/proof"
)

// TestOnTheKernel runs each TestInside in namespaces of its own, as an ordinary user
// could: a scenario does not run beside another in the same.
func TestOnTheKernel(t *testing.T) {
	if os.Getenv(insideEnv) != "" { //nolint:forbidigo // set below
		t.Skip("inside already")
	}
	if _, err := exec.LookPath("iptables"); err != nil {
		proof.Lacks(t, "iptables is missing: apt-get install iptables")
	}
	t.Setenv(insideEnv, "1")
	t.Run("together", func(t *testing.T) {
		for _, name := range []string{"Verdicts0", "Verdicts1", "Verdicts2", "Evidence", "Instances", "Checks", "Stops", "Measured", "Processes", "Target"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				runInside(t, name)
			})
		}
	})
	// It takes all cores, which the others need to come to a verdict.
	t.Run("Load", func(t *testing.T) { runInside(t, "Load") })
}

// runInside runs one of the tests in namespaces of its own.
func runInside(t *testing.T, name string) {
	t.Helper()
	var out strings.Builder
	code, err := isolate.Run(t.Context(), isolate.Command{Args: []string{"-test.run=^TestInside" + name + "$", "-test.v", "-rounds=" + strconv.Itoa(*rounds), "-burn=" + strconv.FormatBool(*burns)}, Stdout: &out, Stderr: &out})
	if err != nil || code != 0 || !strings.Contains(out.String(), "--- PASS: TestInside"+name) {
		t.Errorf("exit code %d, error %v\n%s", code, err, out.String())
	}
	if testing.Verbose() {
		t.Log(out.String())
	}
}
