package journeys

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// A condition is what if and repeat ask of the page, or of what is stored.
type condition struct {
	Visible Selector      `yaml:"visible"` // the element is there to be seen
	Gone    Selector      `yaml:"gone"`    // it is not
	Text    string        `yaml:"text"`    // the page says it
	URL     string        `yaml:"url"`     // a part of the address
	Stored  string        `yaml:"stored"`  // the name of a value that was stored
	Matches *string       `yaml:"matches"` // of what is stored; nil is any value
	Within  time.Duration `yaml:"within"`  // how long to wait for it; 0 is one look

	matches *regexp.Regexp
	node    kind.Node // what it is read from once more if it has ${} of what is stored
}

// conditionKeys are those of a condition that stand beside other keys.
func conditionKeys() []string {
	return []string{"visible", "gone", "text", "url", "stored", "matches", "within"}
}

// UnmarshalNode implements [kind.Unmarshaler].
func (c *condition) UnmarshalNode(n kind.Node) error {
	sample := n
	if deferred(n) {
		var err error
		if sample, err = filled(n, func(string) (string, error) { return "1", nil }); err != nil {
			return err
		}
	}
	if err := c.read(sample); err != nil {
		return err
	}
	c.node = n
	return nil
}

func (c *condition) read(n kind.Node) error {
	type whole condition
	if err := n.Decode((*whole)(c)); err != nil {
		return err
	}
	ways := 0
	for _, given := range []bool{c.Visible.Value != "", c.Gone.Value != "", c.Text != "", c.URL != "", c.Stored != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return n.Errorf("got %d conditions, want one of visible, gone, text, url, stored", ways)
	case c.Matches != nil && c.Stored == "":
		return n.Locate(kind.At("matches", errors.New("got it without stored, want stored: NAME")))
	case c.Matches != nil:
		var err error
		if c.matches, err = regexp.Compile(*c.Matches); err != nil {
			return n.Locate(kind.At("matches", err))
		}
	}
	c.Text = strings.Join(strings.Fields(c.Text), " ")
	return nil
}

// NodeSchema implements [kind.Describer].
func (c *condition) NodeSchema(g *kind.Schemas) *kind.Schema {
	s := g.Fields(*c, nil)
	for _, way := range []string{"visible", "gone", "text", "url", "stored"} {
		s.OneOf = append(s.OneOf, &kind.Schema{Required: []string{way}})
	}
	s.Not = kind.Beside("matches", "visible", "gone", "text", "url")
	return s
}

// String says what is asked.
func (c condition) String() string {
	switch {
	case c.Visible.Value != "":
		return c.Visible.String() + " is visible"
	case c.Gone.Value != "":
		return c.Gone.String() + " is gone"
	case c.URL != "":
		return "url has " + strconv.Quote(redact(c.URL))
	case c.Stored != "" && c.matches != nil:
		return c.Stored + " matches " + strconv.Quote(c.matches.String())
	case c.Stored != "":
		return c.Stored + " is stored"
	}
	return "the page says " + strconv.Quote(c.Text)
}

// holds looks until the condition holds, for Within at most. Its errors are those of
// looking: that the condition does not hold is none.
func (c condition) holds(ctx context.Context, p *Page) (bool, error) {
	if deferred(c.node) {
		n, err := filled(c.node, p.stored)
		if err == nil {
			err = c.read(n)
		}
		if err != nil {
			return false, results.Blind(results.CauseInternal, err)
		}
	}
	if c.Stored != "" {
		text, ok := p.values[c.Stored]
		return ok && (c.matches == nil || c.matches.MatchString(text)), nil
	}
	q := query{Selector: c.Visible, Op: opVisible}
	switch {
	case c.Gone.Value != "":
		q = query{Selector: c.Gone, Op: opGone}
	case c.Text != "":
		q = query{Op: opSee, Arg: c.Text}
	case c.URL != "":
		q = query{Op: opURL, Arg: c.URL}
	}
	if c.Within > 0 {
		within, cancel := context.WithTimeout(ctx, c.Within)
		defer cancel()
		_, err := p.await(within, q)
		if err == nil || ctx.Err() == nil && within.Err() != nil {
			return err == nil, nil
		}
		return false, err
	}
	return p.look(ctx, q)
}

// look is await for one answer, whatever it is.
func (p *Page) look(ctx context.Context, q query) (bool, error) {
	for {
		a, err := p.ask(ctx, q)
		switch {
		case err == nil && a.State == "invalid":
			return false, invalid(a)
		case err == nil:
			// Of several that are visible, one is.
			return a.State == ready || a.State == "several" && q.Op == opVisible, nil
		case ctx.Err() == nil && !navigating(err):
			return false, err
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return false, &notReady{q, answer{}}
		}
	}
}

// takeFields splits the fields of a mapping in those of the given keys and the others.
func takeFields(n kind.Node, keys []string) (taken, rest kind.Node) {
	taken, rest = n, n
	taken.Fields, rest.Fields = nil, nil
	for _, f := range n.Fields {
		if slices.Contains(keys, f.Key.Text) {
			taken.Fields = append(taken.Fields, f)
		} else {
			rest.Fields = append(rest.Fields, f)
		}
	}
	return taken, rest
}

// stored gives a value that a run has stored.
func (p *Page) stored(name string) (string, error) {
	v, ok := p.values[name]
	if !ok {
		return "", fmt.Errorf("${%s} has no value yet: nothing was stored as %s before", name, name)
	}
	return v, nil
}
