package probes

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/foreshock/foreshock/results"
)

// The phases of a request, named as blackbox_exporter names them.
const (
	phaseResolve    = "resolve"
	phaseConnect    = "connect"
	phaseTLS        = "tls"
	phaseProcessing = "processing"
	phaseTransfer   = "transfer"
)

// phases turns the trace of an HTTP request into steps. A redirect adds its own. The
// transport calls the trace from goroutines of its own.
type phases struct {
	rec   *results.Recorder
	mu    sync.Mutex
	name  string // the phase going on, or ""
	since time.Time
	over  bool // the request has ended: a dial that goes on in the background is not recorded
}

func newPhases(rec *results.Recorder) *phases { return &phases{rec: rec} }

func (p *phases) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { p.begin(phaseResolve) },
		DNSDone:              func(i httptrace.DNSDoneInfo) { p.end(phaseResolve, i.Err) },
		ConnectStart:         func(string, string) { p.begin(phaseConnect) },
		ConnectDone:          func(_, _ string, err error) { p.end(phaseConnect, err) },
		TLSHandshakeStart:    func() { p.begin(phaseTLS) },
		TLSHandshakeDone:     func(_ tls.ConnectionState, err error) { p.end(phaseTLS, err) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { p.begin(phaseProcessing) },
		GotFirstResponseByte: func() { p.end(phaseProcessing, nil); p.begin(phaseTransfer) },
	})
}

func (p *phases) begin(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name, p.since = name, time.Now()
}

func (p *phases) end(name string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name == name {
		p.add(err, nil)
	}
}

// add records the phase going on; the caller holds the lock.
func (p *phases) add(err error, values map[string]float64) {
	if p.over || p.name == "" {
		return
	}
	s := results.Step{
		Name: p.name, Offset: p.since.Sub(p.rec.Start()), Duration: time.Since(p.since), Values: values,
	}
	if err != nil {
		s.Status, s.Cause = results.Judge(err)
		s.Error = err.Error()
	}
	p.rec.Add(s)
	p.name = ""
}

// failed records the phase in which the request ended.
func (p *phases) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(err, nil)
	p.over = true
}

// transferred records the last phase, up to the end of the body.
func (p *phases) transferred(status, bytes int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(err, map[string]float64{"status_code": float64(status), "bytes": float64(bytes)})
	p.over = true
}
