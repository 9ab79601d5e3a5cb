package journeys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// A stroke is half of pressing a key: down, or up again.
type stroke struct {
	Key  string `yaml:"key"` // its name, or the character that it writes
	down bool
}

func keyDownKind() kind.Kind[Action] {
	return kind.Of("key_down", "presses a key and holds it, such as Shift while something is clicked",
		"Shift\n", stroke{down: true},
		func(s stroke) (Action, error) { return s, s.check() })
}

func keyUpKind() kind.Kind[Action] {
	return kind.Of("key_up", "lets go of a key", "Shift\n", stroke{},
		func(s stroke) (Action, error) { return s, s.check() })
}

func (a stroke) check() error {
	if _, ok := keyNamed(a.Key, false); !ok {
		return kind.At("key", fmt.Errorf("%s; or one character", kind.UnknownWord("key", a.Key, keyNames())))
	}
	return nil
}

// UnmarshalNode implements [kind.Unmarshaler].
func (a *stroke) UnmarshalNode(n kind.Node) error {
	if n.Shape == kind.Scalar && n.Text == "" {
		return errors.New("got no text, want a key such as Enter or Shift")
	}
	type whole stroke
	return decodeShort(n, &a.Key, (*whole)(a))
}

// NodeSchema implements [kind.Describer].
func (a *stroke) NodeSchema(g *kind.Schemas) *kind.Schema {
	key := kind.Either(kind.OneWord(allKeyNames()...), kind.PatternSchema(`^[\s\S]$`, "a"), g.Of(uint(0)))
	s := g.Fields(*a, map[string]*kind.Schema{"key": key})
	s.Required = []string{"key"}
	return kind.Either(key, s)
}

// String implements [Action]. A character may be part of a secret and is left out.
func (a stroke) String() string {
	verb := "key up"
	if a.down {
		verb = "key down"
	}
	if utf8.RuneCountInString(a.Key) == 1 || strings.HasPrefix(a.Key, "Key") || strings.HasPrefix(a.Key, "Digit") {
		return verb
	}
	return verb + " " + a.Key
}

// Do implements [Action]. If the key leads to another page, it waits until that page
// answers.
func (a stroke) Do(ctx context.Context, p *Page, _ *results.Span) error {
	k, _ := keyNamed(a.Key, p.held&int64(chromedp.ModifierShift) != 0)
	bit := map[string]chromedp.Modifier{
		"Shift": chromedp.ModifierShift, "Control": chromedp.ModifierCtrl, "Alt": chromedp.ModifierAlt, "Meta": chromedp.ModifierMeta,
	}[k.Key]
	params := input.DispatchKeyEventParams{
		Type: input.DispatchKeyEventTypeKeyUp, Key: k.Key, Code: k.Code, Location: location(k.Code),
		WindowsVirtualKeyCode: k.Windows, NativeVirtualKeyCode: k.Native,
	}
	p.held &^= int64(bit)
	if a.down {
		p.held |= int64(bit)
		params.Type = input.DispatchKeyEventTypeRawKeyDown
		if k.Print && p.held&^int64(chromedp.ModifierShift) == 0 {
			params.Type, params.Text, params.UnmodifiedText = input.DispatchKeyEventTypeKeyDown, k.Text, k.Unmodified
		}
	}
	params.Modifiers = p.held
	return p.settle(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, params)
		return err
	}))
}
