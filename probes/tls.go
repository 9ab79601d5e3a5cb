package probes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

var tlsKind = kind.Of("tls", "verifies a server's certificate and how long it lasts", `
address: 127.0.0.1:443
server_name: shop.example
expires: {warning: 336h, critical: 72h}
`, tlsProbe{Expires: expiry{Warning: 14 * 24 * time.Hour, Critical: 3 * 24 * time.Hour}}, func(p tlsProbe) (results.Check, error) {
	host, err := hostOf(p.Address)
	if err != nil {
		return nil, kind.At("address", err)
	}
	if p.ServerName == "" {
		p.ServerName = host
	}
	if p.Expires.Critical > p.Expires.Warning {
		return nil, kind.At("expires.critical", fmt.Errorf("got %v, want less than the warning's %v", p.Expires.Critical, p.Expires.Warning))
	}
	if p.CA == "" {
		return p, nil
	}
	pem, err := os.ReadFile(string(p.CA))
	if err != nil {
		return nil, kind.At("ca", err)
	}
	p.roots = x509.NewCertPool()
	if !p.roots.AppendCertsFromPEM(pem) {
		return nil, kind.At("ca", fmt.Errorf("got %s, want a file with certificates in PEM", p.CA))
	}
	return p, nil
})

type tlsProbe struct {
	Address    string    `yaml:"address"`
	ServerName string    `yaml:"server_name"` // default: the host of address
	CA         kind.Path `yaml:"ca"`          // PEM file of the roots to trust; default: the system's
	Expires    expiry    `yaml:"expires"`

	roots *x509.CertPool
}

// expiry is how long the certificate must still last.
type expiry struct {
	Warning  time.Duration `yaml:"warning"`
	Critical time.Duration `yaml:"critical"`
}

// Run implements [results.Check].
func (p tlsProbe) Run(ctx context.Context, rec *results.Recorder) error {
	conn, err := dial(ctx, rec, p.Address)
	if err != nil {
		return err
	}
	defer conn.Close()
	return rec.Step(ctx, phaseTLS, func(ctx context.Context, span *results.Span) error {
		c := tls.Client(conn, &tls.Config{ServerName: p.ServerName, RootCAs: p.roots, MinVersion: tls.VersionTLS12})
		if err := c.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("tls %s as %s: %w", p.Address, p.ServerName, err)
		}
		last := earliest(c.ConnectionState().VerifiedChains)
		left := time.Until(last)
		span.Set("seconds_left", left.Seconds())
		return p.Expires.judge(p.Address, last, left)
	})
}

// earliest is when the first certificate ends of the chain that lasts longest: a
// client is well as long as one chain is.
func earliest(chains [][]*x509.Certificate) time.Time {
	var best time.Time
	for _, chain := range chains {
		end := chain[0].NotAfter
		for _, cert := range chain[1:] {
			if cert.NotAfter.Before(end) {
				end = cert.NotAfter
			}
		}
		if end.After(best) {
			best = end
		}
	}
	return best
}

func (e expiry) judge(address string, last time.Time, left time.Duration) error {
	told := func(limit time.Duration) error {
		return fmt.Errorf("certificate of %s: ends in %v (%s), want at least %v", address, left.Round(time.Minute), last.UTC().Format(time.RFC3339), limit)
	}
	switch {
	case left < e.Critical:
		return results.Fault(results.CauseExpiring, told(e.Critical))
	case left < e.Warning:
		return results.Warn(results.CauseExpiring, told(e.Warning))
	}
	return nil
}
