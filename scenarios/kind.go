package scenarios

import (
	"fmt"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// Kind is the kind of check that runs a scenario on the engine.
func Kind(e *Engine, l Loader) kind.Kind[results.Check] {
	type settings struct {
		File kind.Path `yaml:"file"`
	}
	return kind.Of("scenario", "breaks something on purpose and judges how it is borne", `
file: scenarios/payments-outage.yaml
`, settings{}, func(s settings) (results.Check, error) {
		if s.File == "" {
			return nil, kind.At("file", fmt.Errorf("got none, want the path of a scenario file"))
		}
		specs, err := l.Load(string(s.File))
		if err != nil {
			return nil, err
		}
		if len(specs) != 1 {
			return nil, kind.At("file", fmt.Errorf("got %s with %d scenarios, want one for a check", s.File, len(specs)))
		}
		return e.Check(specs[0]), nil
	})
}
