package recorder

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

type clicking struct {
	selecting
	OffsetX    amount  `yaml:"offsetX"`
	OffsetY    amount  `yaml:"offsetY"`
	Button     literal `yaml:"button"`
	DeviceType literal `yaml:"deviceType"`
	Duration   amount  `yaml:"duration"` // milliseconds
}

func click(s *step) (string, []kind.Node, common, error) { return s.clicks("click", "click") }

func doubleClick(s *step) (string, []kind.Node, common, error) {
	return s.clicks("double_click", "double click")
}

func (s *step) clicks(name, verb string) (string, []kind.Node, common, error) {
	c, err := read[clicking](s)
	if err == nil {
		err = s.needsSelectors(c.selecting)
	}
	if err != nil {
		return "", nil, c.common, err
	}
	n, err := s.selector(c.selecting, true)
	if err != nil {
		return "", nil, c.common, err
	}
	if s.node.Has("offsetX") && s.node.Has("offsetY") {
		x, y := s.node.Get("offsetX"), s.node.Get("offsetY")
		// An offset above or to the left of the element is one of a label's field; its middle serves.
		if c.OffsetX >= 0 && c.OffsetY >= 0 {
			n.Fields = append(n.Fields, field("offset", list(x, number(x, c.OffsetX), number(y, c.OffsetY))))
		}
	}
	buttons := map[literal]string{"": "left", "primary": "left", "auxiliary": "middle", "secondary": "right", "back": "back", "forward": "forward"}
	button, ok := buttons[c.Button]
	if !ok {
		return "", nil, c.common, kind.At("button", errors.New(kind.UnknownWord("button", string(c.Button), []string{"primary", "auxiliary", "secondary", "back", "forward"})))
	}
	if button != "left" {
		n.Fields = append(n.Fields, field("button", text(s.node.Get("button"), button)))
	}
	devices := []string{"mouse", "pen", "touch"}
	if c.DeviceType != "" && !slices.Contains(devices, string(c.DeviceType)) {
		return "", nil, c.common, kind.At("deviceType", errors.New(kind.UnknownWord("device", string(c.DeviceType), devices)))
	}
	if c.DeviceType != "" && c.DeviceType != "mouse" {
		n.Fields = append(n.Fields, field("with", text(s.node.Get("deviceType"), string(c.DeviceType))))
	}
	switch {
	case c.Duration < 0:
		return "", nil, c.common, kind.At("duration", fmt.Errorf("got %v, want milliseconds", c.Duration))
	case c.Duration > 0:
		n.Fields = append(n.Fields, field("hold", millis(s.node.Get("duration"), c.Duration)))
	}
	return verb + " " + label(c.selecting), []kind.Node{action(name, n)}, c.common, nil
}

func hover(s *step) (string, []kind.Node, common, error) {
	c, err := read[selecting](s)
	if err == nil {
		err = s.needsSelectors(c)
	}
	if err != nil {
		return "", nil, c.common, err
	}
	n, err := s.selector(c, true)
	return "hover over " + label(c), []kind.Node{action("hover", n)}, c.common, err
}

type changing struct {
	selecting
	Value literal `yaml:"value"`
}

func change(s *step) (string, []kind.Node, common, error) {
	c, err := read[changing](s)
	if err == nil {
		err = errors.Join(s.needsSelectors(c.selecting), s.needs("value"))
	}
	if err != nil {
		return "", nil, c.common, err
	}
	n, err := s.selector(c.selecting, true)
	if err != nil {
		return "", nil, c.common, err
	}
	at := s.node.Get("value")
	name := "fill " + label(c.selecting)
	if secretive(c.selecting) && c.Value != "" {
		s.warn(at, "step %d %s: the recording holds in clear what was typed into a field that looks like that of a secret; "+
			"write it as \"${env:NAME}\" or \"${file:PATH}\" in the journey file", s.no, name)
	}
	settings := mapping(s.node, field("into", n), field("value", text(at, string(c.Value))))
	return name, []kind.Node{action("fill", settings)}, c.common, nil
}

type keying struct {
	common
	Key literal `yaml:"key"`
}

func keyDown(s *step) (string, []kind.Node, common, error) { return s.key("key_down", "key down") }

func keyUp(s *step) (string, []kind.Node, common, error) { return s.key("key_up", "key up") }

// key leaves out of its name a key that writes a character: it may be part of a secret.
func (s *step) key(name, verb string) (string, []kind.Node, common, error) {
	c, err := read[keying](s)
	if err == nil {
		err = s.needs("key")
	}
	if err == nil && c.Key == "" {
		err = kind.At("key", errors.New("got an empty text, want a key such as Enter"))
	}
	key := string(c.Key)
	if len([]rune(key)) > 1 && !strings.HasPrefix(key, "Key") && !strings.HasPrefix(key, "Digit") {
		verb += " " + short(key)
	}
	return verb, []kind.Node{action(name, text(s.node.Get("key"), key))}, c.common, err
}
