package contracts_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// pair writes a certificate of its own authority and its key, for client and server.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A provider that asks for a certificate is met with one; without it, that is no broken
// contract.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	cert, key := pair(t)
	loaded, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	s := httptest.NewUnstartedServer(inventory(t, 3).Config.Handler)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{loaded}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	s.StartTLS()
	t.Cleanup(s.Close)

	req := request(s.URL, "testdata/inventory.json")
	req.TLS = contracts.TLS{CA: kind.Path(cert), Cert: kind.Path(cert), Key: kind.Path(key)}
	want{[]string{known + " = ok", unknown + " = ok"}, results.OK, "", 0}.check(t, verify(t, req))
	req.TLS = contracts.TLS{CA: kind.Path(cert)}
	want{[]string{known + " = unreachable (tls)", unknown + " = unreachable (tls)"}, results.Unknown, results.CauseNetwork, 3}.check(t, verify(t, req))
	req.TLS = contracts.TLS{}
	want{[]string{known + " = unreachable (tls)", unknown + " = unreachable (tls)"}, results.Unknown, results.CauseNetwork, 3}.check(t, verify(t, req))
	req.TLS = contracts.TLS{CA: "none.pem"}
	if _, err := realWorker(t).Verify(t.Context(), req); err == nil || !strings.Contains(err.Error(), "none.pem") {
		t.Errorf("got %v, want the file to be named", err)
	}
}

// A token that lives for minutes is made for each verification, and never told.
func TestFreshHeader(t *testing.T) {
	t.Parallel()
	stock := inventory(t, 3).Config.Handler
	var got []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		stock.ServeHTTP(w, r)
	}).URL
	req := request(url, "testdata/inventory.json")
	count := filepath.Join(t.TempDir(), "count")
	req.Fresh = map[string][]string{"Authorization": {"sh", "-c", `echo x >> "$0"; echo "Bearer $(wc -l < "$0")"`, count}}
	verify(t, req)
	verify(t, req)
	if strings.Join(got, ", ") != "Bearer 1, Bearer 1, Bearer 2, Bearer 2" {
		t.Errorf("got %q, want a new token for each verification", got)
	}
	req.Fresh["Authorization"] = []string{"sh", "-c", "echo hush; echo hush"}
	_, err := realWorker(t).Verify(t.Context(), req)
	if s, cause := results.Judge(err); s != results.Unknown || cause != results.CauseTool || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v %v: %v, want unknown, tool, and not what the program printed", s, cause, err)
	}
}

// What the verifier sends arrives as the pact has it, and what it needs for itself is
// not counted as the provider's time.
func TestPassageChangesNothing(t *testing.T) {
	t.Parallel()
	pact := filepath.Join(t.TempDir(), "p.json")
	const text = `{"consumer":{"name":"c"},"provider":{"name":"inventory"},"interactions":[{"description":"d",
		"request":{"method":"GET","path":"/a%2Fb","query":{"q":["1;2","x y"]},"headers":{"X-Forwarded-For":"10.1.2.3","Accept-Encoding":"br"}},
		"response":{"status":200}}],"metadata":{"pactSpecification":{"version":"3.0.0"}}}`
	if err := os.WriteFile(pact, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var seen *http.Request
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen = r.Clone(r.Context()) })
	rep := verify(t, request(s.URL, pact))
	if len(rep.Interactions) != 1 || rep.Interactions[0].Outcome != contracts.OK {
		t.Fatalf("got %q", lines(rep))
	}
	for name, got := range map[string][2]string{
		"path":            {seen.URL.EscapedPath(), "/a%2Fb"},
		"query":           {seen.URL.RawQuery, "q=1%3B2&q=x+y"},
		"X-Forwarded-For": {seen.Header.Get("X-Forwarded-For"), "10.1.2.3"},
		"Accept-Encoding": {seen.Header.Get("Accept-Encoding"), "br"},
		"Host":            {seen.Host, strings.TrimPrefix(s.URL, "http://")},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: the provider got %q, want %q", name, got[0], got[1])
		}
	}
	if in := rep.Interactions[0]; in.Response <= 0 || in.Response > in.Duration {
		t.Errorf("the provider took %v of %v, want a part of it", in.Response, in.Duration)
	}
}

// A huge answer is none that a contract describes, and takes no more memory than that.
func TestHugeAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "104857600")
		w.WriteHeader(http.StatusOK)
	})
	rep := verify(t, request(s.URL, "testdata/inventory.json"))
	if rep.ExitCode() != 1 || !strings.Contains(rep.Interactions[0].Message, "more than") {
		t.Errorf("got exit code %d, %q, want broken, and why", rep.ExitCode(), lines(rep))
	}
}

// The verifier follows an answer that leads elsewhere. What was seen of the requests after
// that must not be mixed up.
func TestRedirect(t *testing.T) {
	t.Parallel()
	pact := filepath.Join(t.TempDir(), "p.json")
	const text = `{"consumer":{"name":"c"},"provider":{"name":"inventory"},"interactions":[
		{"description":"moved","request":{"method":"GET","path":"/old"},"response":{"status":200}},
		{"description":"cut off","request":{"method":"GET","path":"/cut"},"response":{"status":200}}],
		"metadata":{"pactSpecification":{"version":"2.0.0"}}}`
	if err := os.WriteFile(pact, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 9)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		switch r.URL.Path {
		case "/old":
			http.Redirect(w, r, "/new", http.StatusFound)
		case "/cut":
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	})
	rep := verify(t, request(s.URL, pact))
	paths := ""
	for len(asked) > 0 {
		paths += <-asked + " "
	}
	want := []string{"c: moved = ok", "c: cut off = unreachable (reset)"}
	if got := lines(rep); strings.Join(got, "\n") != strings.Join(want, "\n") || paths != "/old /new /cut " {
		t.Errorf("got %q, want %q; asked %q", got, want, paths)
	}
}
