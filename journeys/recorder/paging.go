package recorder

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

type navigating struct {
	common
	URL literal `yaml:"url"`
}

func navigate(s *step) (string, []kind.Node, common, error) {
	c, err := read[navigating](s)
	if err == nil {
		err = s.needs("url")
	}
	if err != nil {
		return "", nil, c.common, err
	}
	at := s.node.Get("url")
	u, err := url.Parse(string(c.URL))
	switch {
	case err != nil:
		return "", nil, c.common, kind.At("url", errors.New("got a text that is no address, want one with http:// or https://"))
	case contains([]string{"about", "chrome", "edge", "brave"}, u.Scheme):
		s.warn(at, "step %d navigate: %s is a page of the recording browser itself; the step is left out", s.no, u.Scheme+":"+u.Opaque+strings.TrimSuffix("//"+u.Host, "//"))
		return "", nil, c.common, nil
	case u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", nil, c.common, kind.At("url", errors.New("got no address with http:// or https://, want one"))
	}
	return "open " + short(u.Host+strings.TrimSuffix(u.Path, "/")), []kind.Node{action("open", text(at, string(c.URL)))}, c.common, nil
}

func closing(s *step) (string, []kind.Node, common, error) {
	c, err := read[common](s)
	return "close", []kind.Node{action("tab", text(s.node, "close"))}, c, err
}

type scrolling struct {
	selecting
	X amount `yaml:"x"`
	Y amount `yaml:"y"`
}

func scroll(s *step) (string, []kind.Node, common, error) {
	c, err := read[scrolling](s)
	if err != nil {
		return "", nil, c.common, err
	}
	n := mapping(s.node, field("x", number(s.node.Get("x"), c.X)), field("y", number(s.node.Get("y"), c.Y)))
	if !s.node.Has("selectors") || len(c.Selectors) == 0 {
		if len(c.Frame) > 0 {
			n.Fields = append(n.Fields, field("in", s.framed(mapping(s.node, field("css", text(s.node, "html"))), c.common)))
		}
		return fmt.Sprintf("scroll to %g,%g", c.X, c.Y), []kind.Node{action("scroll", n)}, c.common, nil
	}
	in, err := s.selector(c.selecting, true)
	n.Fields = append(n.Fields, field("in", in))
	return "scroll in " + label(c.selecting), []kind.Node{action("scroll", n)}, c.common, err
}

type viewing struct {
	common
	Width             amount `yaml:"width"`
	Height            amount `yaml:"height"`
	DeviceScaleFactor amount `yaml:"deviceScaleFactor"`
	IsMobile          flag   `yaml:"isMobile"`
	HasTouch          flag   `yaml:"hasTouch"`
	IsLandscape       flag   `yaml:"isLandscape"`
}

func viewport(s *step) (string, []kind.Node, common, error) {
	c, err := read[viewing](s)
	if err == nil {
		err = s.needs("width", "height")
	}
	if err != nil {
		return "", nil, c.common, err
	}
	n := mapping(s.node, field("width", number(s.node.Get("width"), amount(int(c.Width)))),
		field("height", number(s.node.Get("height"), amount(int(c.Height)))))
	if c.DeviceScaleFactor != 0 && c.DeviceScaleFactor != 1 {
		n.Fields = append(n.Fields, field("scale", number(s.node.Get("deviceScaleFactor"), c.DeviceScaleFactor)))
	}
	if c.IsMobile {
		n.Fields = append(n.Fields, field("mobile", boolean(s.node.Get("isMobile"), true)))
	}
	if c.HasTouch != c.IsMobile {
		n.Fields = append(n.Fields, field("touch", boolean(s.node.Get("hasTouch"), c.HasTouch)))
	}
	if c.IsLandscape {
		n.Fields = append(n.Fields, field("landscape", boolean(s.node.Get("isLandscape"), true)))
	}
	return fmt.Sprintf("viewport %gx%g", c.Width, c.Height), []kind.Node{action("viewport", n)}, c.common, nil
}

type throttling struct {
	common
	Download amount `yaml:"download"` // bytes a second; less than 0 is no limit
	Upload   amount `yaml:"upload"`
	Latency  amount `yaml:"latency"` // milliseconds
}

func network(s *step) (string, []kind.Node, common, error) {
	c, err := read[throttling](s)
	if err == nil {
		err = s.needs("download", "upload", "latency")
	}
	if err != nil {
		return "", nil, c.common, err
	}
	if c.Download == 0 && c.Upload == 0 {
		return "network offline", []kind.Node{action("network", text(s.node, "offline"))}, c.common, nil
	}
	n := mapping(s.node)
	for _, limit := range []struct {
		key  string
		rate amount
	}{{"download", c.Download}, {"upload", c.Upload}} {
		if limit.rate > 0 {
			n.Fields = append(n.Fields, field(limit.key, number(s.node.Get(limit.key), limit.rate)))
		}
	}
	if c.Latency > 0 {
		n.Fields = append(n.Fields, field("latency", millis(s.node.Get("latency"), c.Latency)))
	}
	if len(n.Fields) == 0 {
		return "network online", []kind.Node{action("network", text(s.node, "online"))}, c.common, nil
	}
	return "network slow", []kind.Node{action("network", n)}, c.common, nil
}
