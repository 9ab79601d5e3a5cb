package journeys

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/results"
)

//go:embed vitals.js
var vitalsScript string

const (
	vitalsBinding = "foreshockVitals" // how it tells
	vitalsPages   = 100               // of one run
	// vitalsFlush is how long the last page may take to draw what it has: a frame is 16 ms.
	vitalsFlush = 100 * time.Millisecond
)

// vitals gathers how fast users saw each page of a run, as the pages tell.
type vitals struct {
	mu    sync.Mutex
	span  *results.Span // of the action under way, which loads what is loaded now
	pages []*seenPage
	by    map[runtime.ExecutionContextID]*seenPage
}

// A seenPage is one document, and what it told last.
type seenPage struct {
	span *results.Span
	said *pageVitals
}

// pageVitals is what vitals.js says, in milliseconds; absent is not known.
type pageVitals struct {
	LCP        *float64    `json:"lcp"`
	FCP        *float64    `json:"fcp"`
	INP        *float64    `json:"inp"`
	CLS        *float64    `json:"cls"`
	Navigation *navigation `json:"navigation"`
}

// A navigation is the PerformanceNavigationTiming of a document; 0 is not yet, or not at all.
type navigation struct {
	DomainLookupStart        float64 `json:"domainLookupStart"`
	DomainLookupEnd          float64 `json:"domainLookupEnd"`
	ConnectStart             float64 `json:"connectStart"`
	SecureConnectionStart    float64 `json:"secureConnectionStart"`
	ConnectEnd               float64 `json:"connectEnd"`
	RequestStart             float64 `json:"requestStart"`
	ResponseStart            float64 `json:"responseStart"`
	ResponseEnd              float64 `json:"responseEnd"`
	DOMContentLoadedEventEnd float64 `json:"domContentLoadedEventEnd"`
	LoadEventEnd             float64 `json:"loadEventEnd"`
	ActivationStart          float64 `json:"activationStart"`
}

func newVitals() *vitals { return &vitals{by: map[runtime.ExecutionContextID]*seenPage{}} }

// during says which action is under way.
func (v *vitals) during(span *results.Span) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.span = span
}

// acting is the action under way; nil is none.
func (v *vitals) acting() *results.Span {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.span
}

func (v *vitals) event(ev any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch ev := ev.(type) {
	case *page.EventFrameNavigated:
		if ev.Frame.ParentID == "" && len(v.pages) < vitalsPages {
			v.pages = append(v.pages, &seenPage{span: v.span})
		}
	case *runtime.EventBindingCalled:
		if ev.Name == vitalsBinding && len(v.pages) > 0 {
			v.take(ev)
		}
	}
}

// take keeps what a document says. The first word of one comes after the browser has
// told of its navigation, and before anything of the next.
func (v *vitals) take(ev *runtime.EventBindingCalled) {
	var said pageVitals
	if json.Unmarshal([]byte(ev.Payload), &said) != nil {
		return
	}
	p := v.by[ev.ExecutionContextID]
	if p == nil {
		p = v.pages[len(v.pages)-1]
		v.by[ev.ExecutionContextID] = p
	}
	p.said = &said
}

// record writes what was told into the actions that loaded the pages. Of several pages
// that one action loaded, the last counts.
func (v *vitals) record() {
	v.mu.Lock()
	last := map[*results.Span]*pageVitals{}
	for _, p := range v.pages {
		if p.span != nil && p.said != nil {
			last[p.span] = p.said
		}
	}
	v.mu.Unlock()
	for span, said := range last {
		said.record(span)
	}
}

func (s *pageVitals) record(span *results.Span) {
	for name, ms := range map[string]*float64{"lcp_seconds": s.LCP, "fcp_seconds": s.FCP, "inp_seconds": s.INP} {
		if ms != nil {
			span.Set(name, *ms/1000)
		}
	}
	if s.CLS != nil {
		span.Set("cls", *s.CLS)
	}
	if s.Navigation != nil {
		s.Navigation.record(span)
	}
}

// measure has every document of a tab from here on tell how fast it was.
func measure(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, runtime.AddBinding, runtime.AddBindingParams{Name: vitalsBinding, ExecutionContextName: ownWorld})
	if err == nil {
		_, err = cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: vitalsScript, WorldName: ownWorld})
	}
	if err != nil {
		return fmt.Errorf("preparing the page: %w", err)
	}
	return nil
}

// recordVitals keeps what the pages told, after the last one has drawn what it has.
func (p *Page) recordVitals(ctx context.Context) {
	if p.lost() == nil {
		ctx, cancel := context.WithTimeout(ctx, vitalsFlush)
		defer cancel()
		// What is painted now is told of after the next frame.
		_, err := chromedp.Evaluate[chromedp.Void]("new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)))"+
			".then(() => { dispatchEvent(new Event('foreshock')) })", chromedp.EvalAwaitPromise)(ctx, p.target)
		if err != nil {
			p.log.DebugContext(ctx, "the last page did not draw", "error", err)
		}
	}
	seen := []tab{p.tab}
	if p.tabs != nil {
		seen = append([]tab{p.tabs.home}, p.tabs.known...)
	}
	for _, t := range seen {
		t.watch.vitals.record()
	}
}
