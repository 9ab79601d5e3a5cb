package journeys

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type throttle struct {
	State    string        `yaml:"state"`    // offline or online; empty if the rest says
	Download float64       `yaml:"download"` // bytes a second; 0 is no limit
	Upload   float64       `yaml:"upload"`   // bytes a second; 0 is no limit
	Latency  time.Duration `yaml:"latency"`  // until an answer begins, at least
}

func networkKind() kind.Kind[Action] {
	return kind.Of("network", "makes the page's network slow, cuts it off, or gives it back",
		"offline\n", throttle{},
		func(s throttle) (Action, error) {
			limited := s.Download != 0 || s.Upload != 0 || s.Latency != 0
			switch {
			case s.State != "" && s.State != "offline" && s.State != "online":
				return nil, kind.At("state", errors.New(kind.UnknownWord("state", s.State, []string{"offline", "online"})))
			case s.State != "" && limited:
				return nil, kind.At("state", errors.New("got it beside download, upload or latency, want one of them"))
			case s.State == "" && !limited:
				return nil, errors.New("got nothing, want offline, online, or download, upload and latency")
			case s.Download < 0 || s.Upload < 0 || s.Latency < 0:
				return nil, errors.New("got less than 0, want bytes a second and a time; leave out what has no limit")
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *throttle) UnmarshalNode(n kind.Node) error {
	type whole throttle
	return decodeShort(n, &a.State, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *throttle) NodeSchema(g *kind.Schemas) *kind.Schema {
	state := kind.WordsSchema("offline", "online")
	s := g.Fields(*a, map[string]*kind.Schema{"state": state})
	s.OneOf = []*kind.Schema{{Required: []string{"state"}}, {AnyOf: []*kind.Schema{
		{Required: []string{"download"}}, {Required: []string{"upload"}}, {Required: []string{"latency"}},
	}}}
	return kind.Either(state, s)
}

// String implements [Action].
func (a throttle) String() string {
	if a.State != "" {
		return "network " + a.State
	}
	return fmt.Sprintf("network %g down, %g up, %v late", a.Download, a.Upload, a.Latency)
}

// Do implements [Action].
func (a throttle) Do(ctx context.Context, p *Page, _ *results.Span) error {
	return p.set(ctx, "network", a.apply)
}

func (a throttle) apply(ctx context.Context, t *chromedp.Target) error {
	limit := func(rate float64) float64 {
		if rate == 0 {
			return -1
		}
		return rate
	}
	c := network.Conditions{
		Offline: a.State == "offline", DownloadThroughput: limit(a.Download), UploadThroughput: limit(a.Upload),
		Latency: float64(a.Latency) / float64(time.Millisecond),
	}
	_, err := cdp.Call(ctx, t, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{&c},
	})
	if err != nil {
		return err
	}
	_, err = cdp.Call(ctx, t, network.OverrideNetworkState, network.OverrideNetworkStateParams{
		Offline: c.Offline, Latency: c.Latency, DownloadThroughput: c.DownloadThroughput, UploadThroughput: c.UploadThroughput,
	})
	return err
}
