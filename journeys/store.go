package journeys

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

type store struct {
	As        string   `yaml:"as"`
	TextOf    Selector `yaml:"text_of"`
	ValueOf   Selector `yaml:"value_of"`
	Attribute string   `yaml:"attribute"`
	Of        Selector `yaml:"of"` // what has the attribute
	Script    string   `yaml:"script"`
	Match     string   `yaml:"match"`
	Secret    bool     `yaml:"secret"`

	match *regexp.Regexp // nil takes all
}

func storeKind() kind.Kind[Action] {
	return kind.Of("store", "keeps a text, a value, an attribute or the result of JavaScript as ${NAME} for later actions",
		"as: order\ntext_of: \"#order-id\"\nmatch: \"[0-9]+\"\n", store{},
		func(s store) (Action, error) {
			if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(s.As) {
				return nil, kind.At("as", fmt.Errorf("got %q, want a name of letters, digits and _", s.As))
			}
			ways := 0
			for _, given := range []bool{s.TextOf.Value != "", s.ValueOf.Value != "", s.Of.Value != "", s.Script != ""} {
				if given {
					ways++
				}
			}
			if ways != 1 {
				return nil, fmt.Errorf("got %d things to store, want one of text_of, value_of, attribute with of, script", ways)
			}
			if (s.Attribute != "") != (s.Of.Value != "") {
				return nil, kind.At("of", errors.New("want attribute and of: SELECTOR together"))
			}
			if s.Match != "" {
				var err error
				if s.match, err = regexp.Compile(s.Match); err != nil {
					return nil, kind.At("match", err)
				}
			}
			return s, nil
		})
}

// String implements [Action].
func (a store) String() string { return "store " + a.As }

// Do implements [Action]. It waits until there is a text that matches; what it keeps
// is the first group of the match, or all of it if there is none.
func (a store) Do(ctx context.Context, p *Page, _ *results.Span) error {
	var last *notReady
	for {
		text, err := a.read(ctx, p)
		if err != nil && last != nil && ctx.Err() != nil {
			return last // the deadline cut a look off: what the one before saw counts
		}
		if err != nil {
			return err
		}
		kept, ok := a.taken(text)
		if ok {
			if a.Secret {
				p.own.Add(kept)
			}
			p.values[a.As] = kept
			return nil
		}
		if a.Secret {
			text = "***"
		}
		last = &notReady{query{}, answer{State: "no match", Detail: p.mask(text)}}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return last
		}
	}
}

func (a store) read(ctx context.Context, p *Page) (string, error) {
	q := query{Selector: a.TextOf, Op: opText}
	switch {
	case a.Script != "":
		return p.evaluateScript(ctx, a.Script)
	case a.ValueOf.Value != "":
		q.Selector, q.Op = a.ValueOf, opRead
	case a.Of.Value != "":
		q.Selector, q.Op, q.Attribute = a.Of, opRead, a.Attribute
	}
	seen, err := p.await(ctx, q)
	return seen.Detail, err
}

func (a store) taken(text string) (string, bool) {
	if a.match == nil {
		return text, text != ""
	}
	m := a.match.FindStringSubmatch(text)
	switch len(m) {
	case 0:
		return "", false
	case 1:
		return m[0], true
	}
	return m[1], true
}
