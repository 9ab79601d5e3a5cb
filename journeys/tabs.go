package journeys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/results"
)

// mostTabs is how many tabs a page may open: others are closed at once, or one page
// could take the machine from all journeys.
const mostTabs = 20

// tabs are those of one run: the one it started with, and what pages have opened.
type tabs struct {
	home  tab
	own   *chromedp.Context // of home
	stack []tab             // through which the journey came to the one it is in
	known []tab             // in which it has been, besides home

	mu     sync.Mutex
	opened []target.ID // that the journey has not gone to
	count  int         // of all that were opened
}

// followTabs begins to follow which tabs the pages of p open, until p is closed.
func (p *Page) followTabs() *tabs {
	t := &tabs{home: p.tab, own: p.inBrowser()}
	created, stopCreated := p.target.Subscribe(target.TargetCreated.Method)
	destroyed, stopDestroyed := p.target.Subscribe(target.TargetDestroyed.Method)
	own := t.own
	go func() {
		defer stopCreated()
		defer stopDestroyed()
		for {
			select {
			case <-t.home.ctx.Done():
				return
			case raw, ok := <-created:
				var ev target.EventTargetCreated
				if !ok || json.Unmarshal(raw, &ev) != nil {
					return
				}
				i := ev.TargetInfo
				if i.Type == "page" && i.BrowserContextID == own.BrowserContextID && i.TargetID != own.Target.TargetID && !t.add(i.TargetID) {
					_, err := cdp.Call(t.home.ctx, own.Browser, target.CloseTarget, target.CloseTargetParams{TargetID: i.TargetID})
					p.log.DebugContext(t.home.ctx, "a page opened too many tabs", "error", err)
				}
			case raw, ok := <-destroyed:
				var ev target.EventTargetDestroyed
				if !ok || json.Unmarshal(raw, &ev) != nil {
					return
				}
				t.remove(ev.TargetID)
			}
		}
	}()
	return t
}

// inBrowser says which browser a tab is in, and which profile of it.
func (t tab) inBrowser() *chromedp.Context { return chromedp.FromContext(t.ctx) }

// add reports whether the tab may stay.
func (t *tabs) add(id target.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if t.count > mostTabs {
		return false
	}
	t.opened = append(t.opened, id)
	return true
}

func (t *tabs) remove(id target.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opened = slices.DeleteFunc(t.opened, func(o target.ID) bool { return o == id })
}

// take returns the tab that was opened last, and forgets those before it.
func (t *tabs) take() (target.ID, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.opened) == 0 {
		return "", false
	}
	id := t.opened[len(t.opened)-1]
	t.opened = nil
	return id, true
}

// tooMany is an error if pages opened more tabs than they may.
func (t *tabs) tooMany() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count <= mostTabs {
		return nil
	}
	return results.Fault(results.CauseAnswer, fmt.Errorf("the page opened more than %d tabs or windows, which were closed", mostTabs))
}

// enter goes to the tab that a page opened last, once there is one.
func (p *Page) enter(ctx context.Context) error {
	var id target.ID
	for {
		var ok bool
		if id, ok = p.tabs.take(); ok {
			break
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return &notReady{query{}, answer{State: "no tab"}}
		}
	}
	return p.enterTab(ctx, id)
}

// enterTab goes to a tab in which the journey has not been.
func (p *Page) enterTab(ctx context.Context, id target.ID) error {
	tabCtx, fail := context.WithCancelCause(p.tabs.home.ctx)
	w := newWatch(func() { fail(errPageCrashed) })
	w.joins(p.watch)
	tabCtx, end := chromedp.NewContext(tabCtx, chromedp.WithTargetID(id), chromedp.WithListener(w.event))
	t := tab{tabCtx, fail, end, w}
	stop := context.AfterFunc(ctx, func() { fail(context.Cause(ctx)) })
	err := t.attach()
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		end()
		return err
	}
	p.tabs.stack = append(p.tabs.stack, p.tab)
	p.tabs.known = append(p.tabs.known, t)
	p.turnTo(t)
	go p.answerDialogs(t)
	for _, s := range p.settings {
		if err := s.apply(ctx, p.target); err != nil {
			return err
		}
	}
	_, err = p.await(ctx, query{Op: opLoaded})
	return err
}

// visit goes to the tab at an address, in which * stands for any text, once there is one.
func (p *Page) visit(ctx context.Context, address string) error {
	own := p.tabs.own
	want := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(address), `\*`, ".*") + "$")
	var seen answer
	for {
		all, err := cdp.Call(ctx, own.Browser, target.GetTargets, target.GetTargetsParams{})
		if err != nil {
			if ctx.Err() != nil && seen.State != "" {
				return &notReady{query{}, seen}
			}
			return err
		}
		var there []string
		for _, i := range all.TargetInfos {
			if i.BrowserContextID != own.BrowserContextID || i.Type != "page" {
				continue
			}
			if want.MatchString(i.URL) {
				return p.goTo(ctx, i.TargetID)
			}
			there = append(there, redact(i.URL))
		}
		if p.goInto(ctx, want.MatchString) {
			return nil
		}
		seen = answer{State: "other tabs", Detail: strings.Join(there, ", ")}
		if sleep(ctx, 20*time.Millisecond) != nil {
			return &notReady{query{}, seen}
		}
	}
}

// goTo goes to a tab, be it one in which the journey has been or not.
func (p *Page) goTo(ctx context.Context, id target.ID) error {
	if p.target.TargetID == id {
		p.inner = ""
		return nil
	}
	for _, t := range append([]tab{p.tabs.home}, p.tabs.known...) {
		if t.lost() == nil && t.target().TargetID == id {
			p.tabs.stack = append(p.tabs.stack, p.tab)
			p.turnTo(t)
			_, err := cdp.Call(ctx, p.target, page.BringToFront, cdp.Empty{})
			return err
		}
	}
	p.tabs.remove(id)
	return p.enterTab(ctx, id)
}

// goHome goes to the tab with which the journey began.
func (p *Page) goHome(ctx context.Context) error {
	p.turnTo(p.tabs.home)
	p.tabs.stack = nil
	_, err := cdp.Call(ctx, p.target, page.BringToFront, cdp.Empty{})
	return err
}

// leave goes back to the tab from which the journey came, and closes the one it is in
// if asked to.
func (p *Page) leave(ctx context.Context, closing bool) error {
	if len(p.tabs.stack) == 0 {
		return results.Blind(results.CauseInternal, errors.New("the journey is in its first tab, want one that it went to with tab: new"))
	}
	closing = closing && p.inner == ""
	old, last := p.tab, len(p.tabs.stack)-1
	p.turnTo(p.tabs.stack[last])
	p.tabs.stack = p.tabs.stack[:last]
	if closing {
		old.fail(nil)
		old.end()
	}
	_, err := cdp.Call(ctx, p.target, page.BringToFront, cdp.Empty{})
	return err
}

// turnTo makes t the tab in which the journey goes on.
func (p *Page) turnTo(t tab) { p.tab, p.target, p.inner = t, t.target(), "" }

// closedItself reports whether the tab that the journey went to is no more, while the
// one it started with is.
func (p *Page) closedItself(err error) bool {
	return p.tabs != nil && len(p.tabs.stack) > 0 && p.tabs.home.lost() == nil &&
		(errors.Is(err, chromedp.ErrTargetDetached) || p.lost() != nil && !errors.Is(p.lost(), errPageCrashed))
}
