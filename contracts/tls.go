package contracts

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/foreshock/foreshock/internal/kind"
)

// TLS says how the provider is met where it asks for more than a certificate of its
// own; the zero TLS asks for nothing.
type TLS struct {
	CA   kind.Path `yaml:"ca"`   // file of the authorities that are trusted, as PEM; empty: the system's
	Cert kind.Path `yaml:"cert"` // file of the client's certificate, as PEM
	Key  kind.Path `yaml:"key"`  // file of its key, as PEM
}

// apply reads the files: each run takes what is there then, since certificates are renewed.
func (t TLS) apply(to *tls.Config) error {
	if t.Cert != "" {
		cert, err := tls.LoadX509KeyPair(string(t.Cert), string(t.Key))
		if err != nil {
			return fmt.Errorf("tls: the client's certificate: %w", err)
		}
		to.Certificates = []tls.Certificate{cert}
	}
	if t.CA == "" {
		return nil
	}
	text, err := os.ReadFile(string(t.CA))
	if err != nil {
		return fmt.Errorf("tls: the authorities: %w", err)
	}
	to.RootCAs = x509.NewCertPool()
	if !to.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("tls: %s: got no certificate, want some as PEM", t.CA)
	}
	return nil
}
