package journeys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type press struct {
	Keys []chord  `yaml:"keys"`
	In   Selector `yaml:"in"` // empty is whatever has the focus
}

func pressKind() kind.Kind[Action] {
	return kind.Of("press", "presses a key or a chord of keys, such as Enter or Control+A",
		"Enter\n", press{},
		func(s press) (Action, error) {
			if len(s.Keys) == 0 {
				return nil, kind.At("keys", errors.New("got none, want keys such as [Control+A, Delete]"))
			}
			return s, nil
		})
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *press) UnmarshalNode(n kind.Node) error {
	if n.Shape == kind.Scalar {
		a.Keys = make([]chord, 1)
		return a.Keys[0].UnmarshalNode(n)
	}
	type whole press
	return n.Decode((*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *press) NodeSchema(g *kind.Schemas) *kind.Schema {
	return kind.Either(g.Of(chord{}), g.Fields(*a, nil))
}

// NodeSchema implements [kind.Describer]. Single characters are keys, too.
func (c *chord) NodeSchema(*kind.Schemas) *kind.Schema {
	keys := slices.Sorted(maps.Keys(namedKeys()))
	held := strings.Join(slices.Sorted(maps.Keys(modifiers())), "|")
	chords := kind.PatternSchema(`^((`+held+`)\+)*(.|`+strings.Join(keys, "|")+`)$`, "Control+A")
	return kind.Either(kind.OneWord(keys...), chords, &kind.Schema{Type: kind.Types{"integer"}})
}

// modifiers are the keys that are held while another is pressed.
func modifiers() map[string]chromedp.Modifier {
	return map[string]chromedp.Modifier{
		"Control": chromedp.ModifierCtrl, "Shift": chromedp.ModifierShift,
		"Alt": chromedp.ModifierAlt, "Meta": chromedp.ModifierMeta,
	}
}

// String implements [Action].
func (a press) String() string {
	names := make([]string, len(a.Keys))
	for i, c := range a.Keys {
		names[i] = c.name
	}
	s := "press " + strings.Join(names, ", ")
	if a.In.Value != "" {
		s += " in " + a.In.String()
	}
	return s
}

// Do implements [Action]. If a key leads to another page, it waits until that page
// answers.
func (a press) Do(ctx context.Context, p *Page, _ *results.Span) error {
	if a.In.Value != "" {
		if _, err := p.await(ctx, query{Selector: a.In, Op: opFocus}); err != nil {
			return err
		}
	}
	for _, c := range a.Keys {
		if err := p.settle(ctx, chromedp.KeyEvent(c.key, chromedp.KeyModifiers(c.modifiers...))); err != nil {
			return err
		}
	}
	return nil
}

// A chord is a key with those that are held meanwhile.
type chord struct {
	name      string
	key       string
	modifiers []chromedp.Modifier
}

// UnmarshalNode implements [kind.Unmarshaler].
func (c *chord) UnmarshalNode(n kind.Node) error {
	if n.Shape != kind.Scalar || n.Text == "" {
		return errors.New("got no text, want a key such as Enter or Control+A")
	}
	c.name = n.Text
	parts := strings.Split(n.Text, "+")
	if strings.HasSuffix(n.Text, "+") { // the plus itself
		parts = append(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "+")
	}
	held := modifiers()
	last := len(parts) - 1
	for _, part := range parts[:last] {
		m, ok := held[part]
		if !ok {
			return errors.New(kind.UnknownWord("modifier", part, slices.Sorted(maps.Keys(held))))
		}
		c.modifiers = append(c.modifiers, m)
	}
	key, ok := namedKeys()[parts[last]]
	switch {
	case ok:
		c.key = key
	case utf8.RuneCountInString(parts[last]) == 1:
		c.key = parts[last]
		if len(c.modifiers) > 0 && !slices.Contains(c.modifiers, chromedp.ModifierShift) {
			c.key = strings.ToLower(c.key) // Control+A is not Control+Shift+A
		}
	default:
		return fmt.Errorf("%s; or one character", kind.UnknownWord("key", parts[last], slices.Sorted(maps.Keys(namedKeys()))))
	}
	return nil
}

func namedKeys() map[string]string {
	return map[string]string{
		"Enter": kb.Enter, "Tab": kb.Tab, "Escape": kb.Escape, "Backspace": kb.Backspace, "Delete": kb.Delete,
		"Insert": kb.Insert, "Space": " ", "ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown,
		"ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight, "Home": kb.Home, "End": kb.End,
		"PageUp": kb.PageUp, "PageDown": kb.PageDown, "F1": kb.F1, "F2": kb.F2, "F3": kb.F3, "F4": kb.F4,
		"F5": kb.F5, "F6": kb.F6, "F7": kb.F7, "F8": kb.F8, "F9": kb.F9, "F10": kb.F10, "F11": kb.F11, "F12": kb.F12,
	}
}
