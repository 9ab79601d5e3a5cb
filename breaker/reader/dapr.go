package reader

import (
	"context"
	"fmt"

	"github.com/foreshock/foreshock/internal/kind"
)

// The text of HELP beside this gauge still speaks of an older form, of numbers.
const daprState = "dapr_resiliency_cb_state"

var daprKind = kind.Of("dapr", "a circuit breaker of Dapr's resiliency, from the sidecar's metrics", `
url: http://127.0.0.1:9090/metrics
name: myresiliency
labels: {target: app_server}
`, dapr{web: defaults()}, func(d dapr) (Reader, error) {
	if err := d.prepare(); err != nil {
		return nil, err
	}
	return &d, named(d.Name, "resiliency resource")
})

type dapr struct {
	web
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
}

// Read implements [Reader].
func (d *dapr) Read(ctx context.Context) (Sample, error) {
	p, err := d.metrics(ctx, d.base)
	if err != nil {
		return Sample{}, err
	}
	mine := with(d.Labels, "name", d.Name)
	all := p.series(daprState, mine)
	if len(all) == 0 {
		return Sample{Note: fmt.Sprintf("no %s of %q yet, Dapr has it from a breaker's first call on; %s",
			daprState, d.Name, those(d.Name, p.values(daprState, "name")))}, nil
	}
	if err := one(d.Name, all, "status"); err != nil {
		return Sample{}, blind(d.base, err)
	}
	sample := hot(all, "status", stateOf)
	if sample.State == Unknown && sample.Note == "" {
		sample.Note = "Dapr itself says unknown"
	}
	sample.count("open_activations", p.series("dapr_resiliency_activations_total", with(mine, "status", "open")))
	return sample, nil
}
