package breaker_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A service that imports the package gets gobreaker and nothing else.
func TestDependencies(t *testing.T) {
	t.Parallel()
	format := `{{if not .Standard}}{{.ImportPath}}{{end}}`
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	want := []string{"github.com/sony/gobreaker/v2", "github.com/foreshock/foreshock/breaker"}
	if !slices.Equal(got, want) {
		t.Errorf("dependencies: got %v, want %v", got, want)
	}
}
