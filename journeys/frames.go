package journeys

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/chromedp/cdproto/cdp"
	jsonv2 "github.com/chromedp/cdproto/cdp/jsonv2"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// A strange frame is one of another origin than the page around it, whose scripts
// cannot look into it.
type strangeFrame struct {
	id     cdp.FrameID
	around cdp.FrameID    // the frame that its element is in
	outer  []strangeFrame // those that it is in, the innermost first
}

// strangeFrames lists the frames that a look at the page does not reach.
func (p *Page) strangeFrames(ctx context.Context) ([]strangeFrame, error) {
	tree, err := cdp.Call(ctx, p.target, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	var all []strangeFrame
	var add func(t *page.FrameTree, outer []strangeFrame)
	add = func(t *page.FrameTree, outer []strangeFrame) {
		for _, c := range t.ChildFrames {
			around := outer
			if c.Frame.SecurityOrigin != t.Frame.SecurityOrigin {
				f := strangeFrame{c.Frame.ID, t.Frame.ID, outer}
				all = append(all, f)
				around = append([]strangeFrame{f}, outer...)
			}
			add(c, around)
		}
	}
	add(tree.FrameTree, nil)
	return all, nil
}

// nothing reports that a look found none of what q means where it looked.
func (a answer) nothing(op operation) bool {
	switch a.State {
	case "missing", "unseen":
		return true
	case "other count":
		return a.Detail == "0"
	case ready:
		return op == opGone
	}
	return false
}

// askFrames looks for what q means in the frames of other origins, one after another.
// here is what the page itself said.
func (p *Page) askFrames(ctx context.Context, q query, here answer) (answer, error) {
	frames, err := p.strangeFrames(ctx)
	for i := 0; i < len(frames) && err == nil; i++ {
		var a answer
		a, err = p.askFrame(ctx, q, frames[i])
		if navigating(err) {
			err = nil // the frame is just being replaced
			continue
		}
		if err == nil && !a.nothing(q.Op) {
			return a, nil
		}
	}
	if err != nil && ctx.Err() != nil && here.State != ready {
		here.cut = true // the time is over
		return here, nil
	}
	return here, err
}

// askFrame looks into one frame for q: for all of it, or for the part of it that is in
// an element around the frame, or in the frame's own.
func (p *Page) askFrame(ctx context.Context, q query, f strangeFrame) (answer, error) {
	world, err := p.world(ctx, f.id)
	if err != nil {
		return answer{}, err
	}
	a, err := evaluate[answer](ctx, p, q, inWorld(world))
	for parts := q.splits(); err == nil && a.nothing(q.Op) && len(parts) > 0; parts = parts[1:] {
		var inside answer
		if inside, err = p.owner(ctx, f, query{Selector: parts[0].around, Op: opInside}); err == nil && inside.State == ready {
			inner := q
			inner.Selector = parts[0].inner
			a, err = evaluate[answer](ctx, p, inner, inWorld(world))
		}
	}
	if err != nil || a.nothing(q.Op) {
		return a, err
	}
	a.frame = f.id
	if a.State != ready || !a.placed(q.Op) {
		return a, nil
	}
	return p.placeInPage(ctx, f, a)
}

// placeInPage turns a place in a frame into one in the page, where users point.
func (p *Page) placeInPage(ctx context.Context, f strangeFrame, a answer) (answer, error) {
	for _, around := range append([]strangeFrame{f}, f.outer...) {
		at, err := p.owner(ctx, around, query{Op: opInFrame, X: a.X, Y: a.Y})
		if err != nil || at.State != ready {
			return at, err
		}
		a.X, a.Y = at.X, at.Y
	}
	return a, nil
}

// owner asks about the element that shows a frame.
func (p *Page) owner(ctx context.Context, f strangeFrame, q query) (answer, error) {
	var a answer
	world, err := p.world(ctx, f.around)
	if err != nil {
		return a, err
	}
	node, err := cdp.Call(ctx, p.target, dom.GetFrameOwner, dom.GetFrameOwnerParams{FrameID: f.id})
	if err != nil {
		return a, err
	}
	e, err := cdp.Call(ctx, p.target, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node.BackendNodeID, ExecutionContextID: world})
	if err != nil {
		return a, err
	}
	arg, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	yes := true
	said, err := cdp.Call(ctx, p.target, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: "function (query) { return (" + pageFunction() + ")(query, this) }",
		ObjectID:            e.Object.ObjectID, Arguments: []*runtime.CallArgument{{Value: jsonv2.Value(arg)}},
		ReturnByValue: &yes, AwaitPromise: &yes,
	})
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(said.Result.Value, &a)
}

// A split is a selector in two: what is around a frame, and what is in it.
type split struct{ around, inner Selector }

// splits lists the ways in which a frame's element may be in the selector's way.
func (s Selector) splits() []split {
	var all []split
	var inner []Selector
	for at := &s; at.In != nil; at = at.In {
		inner = append(inner, *at)
		var chain *Selector
		for _, part := range slices.Backward(inner) {
			part.In = chain
			chain = &part
		}
		all = append(all, split{*at.In, *chain})
	}
	return all
}

// placed reports whether a ready answer has a place to point at.
func (a answer) placed(op operation) bool {
	return !a.Done && (slices.Contains([]operation{opPoint, opPlace, opWheel, opTick}, op) || op == opFill && a.Detail == "box")
}

// element returns the element that q means, which a look has found in a frame; empty
// is the page itself.
func (p *Page) element(ctx context.Context, q query, frame cdp.FrameID) (*runtime.RemoteObject, error) {
	if frame == "" {
		return evaluate[*runtime.RemoteObject](ctx, p, q)
	}
	world, err := p.world(ctx, frame)
	if err != nil {
		return nil, err
	}
	e, err := evaluate[*runtime.RemoteObject](ctx, p, q, inWorld(world))
	for _, c := range q.splits() {
		if err == nil && e != nil && e.Subtype == runtime.RemoteObjectSubtypeNode {
			break
		}
		q.Selector = c.inner
		e, err = evaluate[*runtime.RemoteObject](ctx, p, q, inWorld(world))
	}
	return e, err
}
