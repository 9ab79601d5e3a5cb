package journeys

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed capture.js
var captureScript string

// ownWorld is the name of the JavaScript world in which the page's scripts see nothing
// of ours.
const ownWorld = "foreshock"

// showLimit is how long it may take to make a page readable again after a picture.
const showLimit = 2 * time.Second

// capture takes a picture (PNG) of what the window shows.
func (p *Page) capture(ctx context.Context) ([]byte, error) {
	return p.taken(ctx, chromedp.CaptureScreenshot())
}

// taken takes a picture by shot. Every picture of a page is taken here: fields and texts that show a secret which this run has typed are blurred
// in it, and if they cannot be, there is no picture. It may be called from several
// goroutines.
func (p *Page) taken(ctx context.Context, shot chromedp.Action[[]byte]) ([]byte, error) {
	p.pictures.taking.Lock()
	defer p.pictures.taking.Unlock()
	if secrets := p.pictures.secrets(); len(secrets) > 0 {
		defer p.blur(context.WithoutCancel(ctx), []string{}) //nolint:errcheck // what stays blurred does no harm
		if err := p.blur(ctx, secrets); err != nil {
			return nil, fmt.Errorf("no picture, as what was typed could not be blurred: %w", err)
		}
	}
	return shot(ctx, p.target)
}

// blur makes secrets unreadable in all frames of the page, and what was so before
// readable.
func (p *Page) blur(ctx context.Context, secrets []string) error {
	ctx, cancel := context.WithTimeout(ctx, showLimit)
	defer cancel()
	arg, err := json.Marshal(secrets)
	if err != nil {
		return err
	}
	frames, err := p.frames(ctx)
	if err != nil {
		return err
	}
	for i, f := range frames {
		world, err := p.world(ctx, f)
		if err == nil {
			_, err = chromedp.Evaluate[int]("("+captureScript+")("+string(arg)+")", inWorld(world))(ctx, p.target)
		}
		if err != nil && (i == 0 || !navigating(err)) { // a frame that is gone shows nothing
			return err
		}
	}
	return nil
}

// frames lists the frames of the page, the main one first.
func (p *Page) frames(ctx context.Context) ([]cdp.FrameID, error) {
	tree, err := cdp.Call(ctx, p.target, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	var all []cdp.FrameID
	var add func(t *page.FrameTree)
	add = func(t *page.FrameTree) {
		all = append(all, t.Frame.ID)
		for _, c := range t.ChildFrames {
			add(c)
		}
	}
	add(tree.FrameTree)
	return all, nil
}

// world returns the world of ours in a frame.
func (p *Page) world(ctx context.Context, f cdp.FrameID) (runtime.ExecutionContextID, error) {
	w, err := cdp.Call(ctx, p.target, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: f, WorldName: ownWorld})
	return w.ExecutionContextID, err
}

func inWorld(id runtime.ExecutionContextID) chromedp.EvaluateOption {
	return func(p *runtime.EvaluateParams) { p.ContextID = id }
}

// pictures guards the taking of pictures: one at a time, or one would show what another
// has blurred.
type pictures struct {
	taking sync.Mutex

	mu    sync.Mutex
	typed []string // secrets
}

// noteTyped keeps what of a text is a secret, and reports whether anything is.
func (p *Page) noteTyped(text string) bool {
	p.pictures.mu.Lock()
	defer p.pictures.mu.Unlock()
	found := append(p.secrets.Within(text), p.own.Within(text)...)
	for _, s := range found {
		if !slices.Contains(p.pictures.typed, s) {
			p.pictures.typed = append(p.pictures.typed, s)
		}
	}
	return len(found) > 0
}

func (s *pictures) secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.typed)
}
