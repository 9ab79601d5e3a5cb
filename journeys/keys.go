package journeys

import (
	"context"
	"errors"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// typeKeys types a text key by key, as a quick typist does: a key may still be going
// up while the next one goes down. Each key that goes down waits for the page, which
// makes a third of the round trips of going down, writing and going up in turn. A
// page that prevents a key from going down gets no letter of it.
func typeKeys(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var (
			up   sync.WaitGroup
			mu   sync.Mutex
			errs []error
			last string // the key that is going up
		)
		for _, r := range text {
			down, release := keyEvents(r)
			if down.Key == last {
				up.Wait() // one and the same key
			}
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, down); err != nil {
				up.Wait()
				return err
			}
			last = down.Key
			up.Go(func() {
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, release); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			})
		}
		up.Wait()
		return errors.Join(errs...)
	})
}

// keyEvents are those of a key going down, which writes its letter if it has one, and
// going up.
func keyEvents(r rune) (down, up input.DispatchKeyEventParams) {
	events := kb.Encode(r)
	down, up = *events[0], *events[len(events)-1]
	if len(events) == 3 {
		down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
	}
	return down, up
}
