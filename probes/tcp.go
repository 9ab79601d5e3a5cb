package probes

import (
	"context"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

var tcpKind = kind.Of("tcp", "opens a TCP connection", `
address: 127.0.0.1:5432
`, tcpProbe{}, func(p tcpProbe) (results.Check, error) {
	if _, err := hostOf(p.Address); err != nil {
		return nil, kind.At("address", err)
	}
	return p, nil
})

type tcpProbe struct {
	Address string `yaml:"address"`
}

// Run implements [results.Check].
func (p tcpProbe) Run(ctx context.Context, rec *results.Recorder) error {
	conn, err := dial(ctx, rec, p.Address)
	if err != nil {
		return err
	}
	return conn.Close()
}
