package journeys

import "github.com/foreshock/foreshock/results"

// record writes the phases in which a page came, named as those of an HTTP check, and
// when it was ready. A phase that was not needed, such as a connection that was there
// already, is left out.
func (n *navigation) record(span *results.Span) {
	tcpEnd := n.ConnectEnd
	if n.SecureConnectionStart > 0 {
		tcpEnd = n.SecureConnectionStart
	}
	for _, phase := range []struct {
		name     string
		from, to float64
	}{
		{"resolve_seconds", n.DomainLookupStart, n.DomainLookupEnd},
		{"connect_seconds", n.ConnectStart, tcpEnd},
		{"processing_seconds", n.RequestStart, n.ResponseStart},
		{"transfer_seconds", n.ResponseStart, n.ResponseEnd},
	} {
		if phase.to > phase.from {
			span.Set(phase.name, (phase.to-phase.from)/1000)
		}
	}
	if n.SecureConnectionStart > 0 {
		span.Set("tls_seconds", (n.ConnectEnd-n.SecureConnectionStart)/1000)
	}
	for _, moment := range []struct {
		name string
		at   float64
	}{
		{"ttfb_seconds", n.ResponseStart},
		{"dom_content_loaded_seconds", n.DOMContentLoadedEventEnd},
		{"load_seconds", n.LoadEventEnd},
	} {
		if moment.at > 0 {
			span.Set(moment.name, max(moment.at-n.ActivationStart, 0)/1000)
		}
	}
}
