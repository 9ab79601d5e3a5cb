package recorder

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

const mainTarget = "main"

// A step is one of a recording, with what all types have.
type step struct {
	*flow
	node kind.Node
	no   int // from 1
}

// common are the keys of every type.
type common struct {
	Type           literal     `yaml:"type"`
	Timeout        amount      `yaml:"timeout"` // milliseconds; 0 is that of the recording
	AssertedEvents []kind.Node `yaml:"assertedEvents"`
	Target         literal     `yaml:"target"` // main, or the address of another page
	Frame          []amount    `yaml:"frame"`
}

// An event is what followed a step when it was recorded.
type event struct {
	Type  literal `yaml:"type"`
	URL   literal `yaml:"url"`
	Title literal `yaml:"title"`
}

// types gives for each type of step what it becomes: a name and actions. No action is
// a step that has nothing to do.
func types() map[string]func(*step) (name string, do []kind.Node, c common, err error) {
	return map[string]func(*step) (string, []kind.Node, common, error){
		"change":                   change,
		"click":                    click,
		"close":                    closing,
		"customStep":               custom,
		"doubleClick":              doubleClick,
		"emulateNetworkConditions": network,
		"hover":                    hover,
		"keyDown":                  keyDown,
		"keyUp":                    keyUp,
		"navigate":                 navigate,
		"scroll":                   scroll,
		"setViewport":              viewport,
		"waitForElement":           waitForElement,
		"waitForExpression":        waitForExpression,
	}
}

// step turns one recorded step into one of a journey, or into none.
func (f *flow) step(n kind.Node, no int) ([]kind.Node, error) {
	s := &step{f, n, no}
	if n.Shape != kind.Mapping {
		return nil, n.Errorf("step %d: got %s, want an object with a type", no, n.Shape)
	}
	typ := n.Get("type")
	if !n.Has("type") {
		return nil, n.Errorf("step %d: got no type, want one of %s", no, strings.Join(slices.Sorted(maps.Keys(types())), ", "))
	}
	convert, ok := types()[typ.Text]
	if !ok || typ.Plain || typ.Shape != kind.Scalar {
		return nil, typ.Errorf("step %d: %s", no, kind.UnknownWord("type", typ.Text, slices.Sorted(maps.Keys(types()))))
	}
	name, do, c, err := convert(s)
	if err != nil {
		return nil, s.located(err)
	}
	if len(do) == 0 {
		return nil, nil
	}
	return s.finish(name, do, c)
}

// finish puts around the actions of a step what every step may have.
func (s *step) finish(name string, do []kind.Node, c common) ([]kind.Node, error) {
	if c.Timeout < 0 {
		return nil, s.located(kind.At("timeout", fmt.Errorf("got %v, want milliseconds", c.Timeout)))
	}
	for i, which := range c.Frame {
		if which < 0 || which != amount(int(which)) {
			return nil, s.node.Get("frame").Items[i].Errorf("step %d: frame: got %v, want a whole number of at least 0", s.no, which)
		}
	}
	if !s.opened && !slices.Contains([]string{"navigate", "setViewport", "emulateNetworkConditions"}, string(c.Type)) {
		return nil, s.node.Errorf("step %d: got %s before any navigate, want navigate: the browser starts on an empty page", s.no, c.Type)
	}
	s.opened = s.opened || c.Type == "navigate"
	do, err := s.at(string(c.Target), do, c)
	if err != nil || len(do) == 0 {
		return nil, err
	}
	do, err = s.assertions(do, c)
	if err != nil {
		return nil, err
	}
	out := mapping(s.node, field("step", text(s.node.Get("type"), fmt.Sprintf("%d %s", s.no, name))))
	if timeout := c.Timeout + s.timeoutIf(c.Timeout == 0); timeout > 0 {
		out.Fields = append(out.Fields, field("timeout", millis(s.node, timeout)))
	}
	out.Fields = append(out.Fields, field("do", list(s.node, do...)))
	return []kind.Node{out}, nil
}

// at goes to the page that a step is for, if that is another than of the step before.
func (s *step) at(target string, do []kind.Node, c common) ([]kind.Node, error) {
	if target == "" {
		target = mainTarget
	}
	now := mainTarget
	if n := len(s.targets); n > 0 {
		now = s.targets[n-1]
	}
	at := s.node.Get("target")
	switch {
	case target == mainTarget && s.closed > 0:
		return nil, s.node.Errorf("step %d: got target main, which step %d has closed", s.no, s.closed)
	case target == mainTarget && c.Type == "close":
		s.warn(s.node, "step %d close: the page is closed at the end of every run; the step is left out", s.no)
		s.closed = s.no
		return nil, nil
	case target == mainTarget && now != mainTarget:
		do = append([]kind.Node{action("tab", text(at, "first"))}, do...)
		s.targets = nil
	case target != now:
		do = append([]kind.Node{action("tab", mapping(at, field("url", text(at, target))))}, do...)
		s.targets = append(s.targets, target)
	}
	if c.Type == "close" {
		s.targets = s.targets[:len(s.targets)-1]
	}
	return do, nil
}

func (s *step) timeoutIf(unsaid bool) amount {
	if unsaid {
		return s.timeout
	}
	return 0
}

// assertions adds what must follow a step. The runner of the recorder's authors only
// waits for a navigation; here its address and title are held to what was recorded.
func (s *step) assertions(do []kind.Node, c common) ([]kind.Node, error) {
	for _, n := range c.AssertedEvents {
		var e event
		if n.Shape != kind.Mapping {
			return nil, n.Errorf("step %d: assertedEvents: got %s, want objects such as {\"type\": \"navigation\"}", s.no, n.Shape)
		}
		if err := s.decode(n, fmt.Sprintf("step %d", s.no), &e); err != nil {
			return nil, err
		}
		if e.Type != "navigation" {
			return nil, n.Errorf("step %d: assertedEvents: got type %q, want navigation", s.no, string(e.Type))
		}
		arrive := mapping(n)
		if e.URL != "" {
			arrive.Fields = append(arrive.Fields, field("url", text(n.Get("url"), string(e.URL))))
		}
		if e.Title != "" { // which a recorder that looked too early leaves empty
			arrive.Fields = append(arrive.Fields, field("title", text(n.Get("title"), string(e.Title))))
		}
		do = append(do, action("arrive", arrive))
	}
	return do, nil
}

// read decodes the keys of a step that its type has.
func read[T any](s *step) (T, error) {
	var v T
	return v, s.decode(s.node, fmt.Sprintf("step %d", s.no), &v)
}

// located gives an error its place, and the number of the step.
func (s *step) located(err error) error {
	if _, ok := errors.AsType[*kind.Error](err); ok {
		return err
	}
	return prefixed(fmt.Sprintf("step %d", s.no), s.node.Locate(err))
}

func action(name string, settings kind.Node) kind.Node {
	return mapping(settings, field(name, settings))
}

// needs wants a key to be there.
func (s *step) needs(keys ...string) error {
	for _, key := range keys {
		if v := s.node.Get(key); v.Shape == kind.Null {
			return s.node.Errorf("step %d: got %s without %s, want it", s.no, s.node.Get("type").Text, key)
		}
	}
	return nil
}
