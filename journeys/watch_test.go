package journeys

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Most of what a watch does is seen in the journeys; these are the orders of events
// that a page on a quiet machine does not show.
func TestWatch(t *testing.T) {
	t.Parallel()
	const main = cdp.FrameID("main")
	begin := func(w *watch) {
		w.event(&page.EventFrameNavigated{Frame: &cdp.Frame{ID: main}})
		w.expectLoad()
		w.event(&network.EventRequestWillBeSent{
			FrameID: main, Type: network.ResourceTypeDocument, RequestID: "1", Request: &network.Request{URL: "http://x/"},
		})
	}
	for name, c := range map[string]struct {
		events func(w *watch)
		takes  time.Duration
		err    error
	}{
		"nothing": {func(*watch) {}, 0, nil},
		"asked for, never begun": {func(w *watch) {
			w.event(&page.EventFrameRequestedNavigation{FrameID: main, Disposition: page.ClientNavigationDispositionCurrentTab})
		}, requestedLimit, nil},
		"another tab": {func(w *watch) {
			w.event(&page.EventFrameRequestedNavigation{FrameID: main, Disposition: page.ClientNavigationDispositionNewTab})
		}, 0, nil},
		"an inner frame": {func(w *watch) {
			w.event(&page.EventFrameNavigated{Frame: &cdp.Frame{ID: main}})
			w.event(&page.EventFrameStartedNavigating{FrameID: "inner"})
		}, 0, nil},
		"begun, never ended": {begin, 5 * time.Second, context.DeadlineExceeded},
		"arrives later": {func(w *watch) {
			begin(w)
			time.AfterFunc(3*time.Second, func() { w.event(&page.EventFrameNavigated{Frame: &cdp.Frame{ID: main}}) })
		}, 3 * time.Second, nil},
		"fails later": {func(w *watch) {
			begin(w)
			time.AfterFunc(3*time.Second, func() {
				w.event(&network.EventLoadingFailed{RequestID: "1", ErrorText: "net::ERR_CONNECTION_RESET"})
				w.event(&page.EventFrameNavigated{Frame: &cdp.Frame{ID: main}})
			})
		}, 3 * time.Second, chromedp.ErrPageLoad},
		"a picture fails": {func(w *watch) {
			w.event(&network.EventLoadingFailed{RequestID: "2", ErrorText: "net::ERR_CONNECTION_RESET"})
		}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				w := newWatch(func() { t.Error("got a crash") })
				c.events(w)
				start := time.Now()
				if err := w.loaded(ctx); !errors.Is(err, c.err) {
					t.Errorf("got %v, want %v", err, c.err)
				}
				if took := time.Since(start); took != c.takes {
					t.Errorf("took %v, want %v", took, c.takes)
				}
			})
		})
	}
}
