package probes

import (
	"context"
	"crypto/tls"
	"errors"
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

// phases turns the trace of a dial or of an HTTP request into steps, one after the
// other without a gap. A redirect adds its own. The trace is called from goroutines
// of the transport's.
type phases struct {
	rec   *results.Recorder
	mu    sync.Mutex
	name  string // the phase going on, or ""
	since time.Time
	wrong *results.Error // what a phase said of itself when it failed
}

func newPhases(rec *results.Recorder) *phases { return &phases{rec: rec} }

func (p *phases) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { p.begin(phaseResolve) },
		DNSDone:      func(i httptrace.DNSDoneInfo) { p.end(phaseResolve, i.Err) },
		ConnectStart: func(string, string) { p.begin(phaseConnect) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil { // after an error, another address may do
				p.end(phaseConnect, nil)
			}
		},
		TLSHandshakeStart:    func() { p.begin(phaseTLS) },
		TLSHandshakeDone:     func(_ tls.ConnectionState, err error) { p.end(phaseTLS, err) },
		GotConn:              func(httptrace.GotConnInfo) { p.begin(phaseProcessing) },
		GotFirstResponseByte: func() { p.begin(phaseTransfer) },
	})
}

// begin ends the phase going on and begins another.
func (p *phases) begin(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name == p.name { // another address is tried
		return
	}
	p.add(nil, nil)
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
	if p.name == "" {
		return
	}
	s := results.Step{
		Name: p.name, Offset: p.since.Sub(p.rec.Start()), Duration: time.Since(p.since), Values: values,
	}
	if err != nil {
		s.Status, s.Cause = judge(p.name, err)
		s.Error = err.Error()
		p.wrong = &results.Error{Status: s.Status, Cause: s.Cause, Err: err}
	}
	p.rec.Add(s)
	p.name = ""
}

// judge reads an error with what is known of the phase: a deadline that ends while a
// name is looked up is a silent resolver, which says nothing of the service.
func judge(phase string, err error) (results.Status, results.Cause) {
	status, cause := results.Judge(err)
	switch {
	case errors.Is(err, context.Canceled):
		return results.Unknown, results.CauseStopped
	case phase == phaseResolve && cause == results.CauseTimeout:
		return results.Unknown, results.CauseResolver
	}
	return status, cause
}

// finish records the phase in which the request ended, with values, and returns err
// with the status and cause of that phase: the transport, which made err, knows less.
func (p *phases) finish(err error, values map[string]float64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(err, values)
	if err == nil || p.wrong == nil {
		return err
	}
	return &results.Error{Status: p.wrong.Status, Cause: p.wrong.Cause, Err: err}
}
