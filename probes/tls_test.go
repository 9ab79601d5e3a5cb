package probes_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

// An authority signs certificates of the tests' own.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate in PEM
}

func newAuthority(t *testing.T, lasts time.Duration) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lasts), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{cert, key, filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue makes a certificate for 127.0.0.1 and shop.example that ends in lasts.
func (a *authority) issue(t *testing.T, lasts time.Duration) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(lasts),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"shop.example"},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func serveTLS(t *testing.T, c tls.Certificate) string {
	t.Helper()
	conf := &tls.Config{Certificates: []tls.Certificate{c}}
	return listen(t, func(ctx context.Context, conn *net.TCPConn) {
		_ = tls.Server(conn, conf).HandshakeContext(ctx)
		_, _ = conn.Read(make([]byte, 1))
	})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	ca, other, ending := newAuthority(t, 365*day), newAuthority(t, 365*day), newAuthority(t, 2*day)
	year := serveTLS(t, ca.issue(t, 90*day))
	for name, c := range map[string]struct {
		address, more string
		status        results.Status
		cause         results.Cause
		says          string
		steps         string
		left          time.Duration
	}{
		"ok":                {year, "ca: " + ca.file, results.OK, "", "", "connect tls", 90 * day},
		"by name":           {year, "server_name: shop.example, ca: " + ca.file, results.OK, "", "", "connect tls", 90 * day},
		"expiring":          {serveTLS(t, ca.issue(t, 10*day)), "ca: " + ca.file, results.Warning, results.CauseExpiring, "ends in 240h0m0s (", "connect tls:expiring", 10 * day},
		"expiring soon":     {serveTLS(t, ca.issue(t, day)), "ca: " + ca.file, results.Critical, results.CauseExpiring, "want at least 72h0m0s", "connect tls:expiring", day},
		"own limits":        {serveTLS(t, ca.issue(t, day)), "expires: {warning: 2h, critical: 1h}, ca: " + ca.file, results.OK, "", "", "connect tls", day},
		"authority expires": {serveTLS(t, ending.issue(t, 90*day)), "ca: " + ending.file, results.Critical, results.CauseExpiring, "want at least 72h0m0s", "connect tls:expiring", 2 * day},
		"expired":           {serveTLS(t, ca.issue(t, -time.Hour)), "ca: " + ca.file, results.Critical, results.CauseTLS, "certificate has expired", "connect tls:tls", 0},
		"wrong name":        {year, "server_name: bank.example, ca: " + ca.file, results.Critical, results.CauseTLS, "as bank.example: ", "connect tls:tls", 0},
		"other authority":   {year, "ca: " + other.file, results.Critical, results.CauseTLS, "certificate signed by unknown authority", "connect tls:tls", 0},
		"system's roots":    {year, "", results.Critical, results.CauseTLS, "certificate signed by unknown authority", "connect tls:tls", 0},
		"no TLS": {listen(t, func(_ context.Context, c *net.TCPConn) {
			_, _ = c.Write([]byte("220 mail.example ESMTP\r\n"))
			_, _ = c.Read(make([]byte, 4096))
		}), "", results.Critical, results.CauseTLS, "first record does not look like a TLS handshake", "connect tls:tls", 0},
		"no handshake": {listen(t, hold), "", results.Critical, results.CauseTimeout, "no end within the timeout of 400ms", "connect tls:timeout", 0},
		"refused":      {refusing(t), "", results.Critical, results.CauseRefused, "connection refused", "connect:refused", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := patience
			if c.cause == results.CauseTimeout {
				timeout = 400 * time.Millisecond
			}
			text := "tls: {address: '" + c.address + "'"
			if c.more != "" {
				text += ", " + c.more
			}
			res := look(t, text+"}", timeout)
			wants(t, res, c.status, c.cause, c.says, c.steps)
			left, told := res.Steps[len(res.Steps)-1].Values["seconds_left"]
			if told != (c.left > 0) || told && (left > c.left.Seconds() || left < c.left.Seconds()-60) {
				t.Errorf("got %v seconds left (%v), want %v", left, told, c.left.Seconds())
			}
		})
	}
}

func TestTCP(t *testing.T) {
	t.Parallel()
	address := listen(t, hold)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, look(t, "tcp: {address: '"+address+"'}", patience), results.OK, "", "", "connect")
	wants(t, look(t, "tcp: {address: 'localhost:"+port+"'}", patience), results.OK, "", "", "resolve connect")
	wants(t, look(t, "tcp: {address: '"+refusing(t)+"'}", patience), results.Critical, results.CauseRefused, "connection refused", "connect:refused")
}
