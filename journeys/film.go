package journeys

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/results"
)

const (
	framesKept   = 20                     // of one run: the newest
	frameLimit   = 500 * time.Millisecond // a page that takes longer to draw has no frame
	frameShare   = 10                     // at most one part in so many of the run's time goes into its film
	frameCost    = 50 * time.Millisecond  // of the first frame, as far as can be told before
	frameQuality = 30                     // of the JPEG
)

// A film is a strip of pictures, one after an action. Their cost is bounded: a run that
// is quick has few, and one that is slow, of which more is to be seen, has one of each.
type film struct {
	frames  []still
	dropped int
	spent   time.Duration // also on frames that did not come to be
	last    time.Duration // what the last one took; 0: there was none
}

type still struct {
	span *results.Span // of the action that led to it
	data []byte        // a JPEG
}

// shoot adds what the page shows now, if that is worth its cost. elapsed is how long
// the run has taken.
func (p *Page) shoot(ctx context.Context, span *results.Span, elapsed time.Duration) {
	f := &p.film
	if (f.spent+cmp.Or(f.last, frameCost))*frameShare > elapsed || p.lost() != nil {
		return
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, frameLimit)
	defer cancel()
	data, err := p.taken(ctx, small)
	f.last = time.Since(begin)
	f.spent += f.last
	if err != nil {
		p.log.DebugContext(ctx, "a frame of the film is missing", "error", err)
		return
	}
	f.add(still{span, data})
}

func (f *film) add(shot still) {
	if len(f.frames) == framesKept {
		f.frames = slices.Delete(f.frames, 0, 1)
		f.dropped++
	}
	f.frames = append(f.frames, shot)
}

// small takes a picture that is quick to make and to keep.
func small(ctx context.Context, t *chromedp.Target) ([]byte, error) {
	quality, fast := int64(frameQuality), true
	shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatJpeg, Quality: &quality, OptimizeForSpeed: &fast,
	})
	return shot.Data, err
}
