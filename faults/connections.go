package faults

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/foreshock/foreshock/internal/kind"
)

// crowded is a target that has room for so many connections: a pool that runs dry.
type crowded struct {
	target Target
	most   uint16
	reset  bool
}

func connectionsKind() kind.Kind[Fault] {
	type settings struct {
		Selector
		Most   *uint16 `yaml:"most"`
		Beyond string  `yaml:"beyond"`
	}
	return kind.Of("connections", "only so many connections to the target can be open; more are dropped or reset", `
to: 127.0.0.1:9002
most: 5
beyond: drop
`, settings{Selector: selectTCP(), Beyond: establishedDrop}, func(s settings) (Fault, error) {
		target, err := s.target()
		switch {
		case err != nil:
			return nil, err
		case target.Protocol != tcp:
			return nil, kind.At("protocol", errors.New("got "+target.Protocol+", want tcp: nothing else has connections to count"))
		case target.Direction != dirOut:
			return nil, kind.At("direction", errors.New("got "+target.Direction+", want out: connections are opened towards the target"))
		case s.Most == nil:
			return nil, kind.At("most", errors.New("got nothing, want how many connections may be open, 0 to 65535"))
		case s.Beyond != establishedDrop && s.Beyond != establishedReset:
			return nil, kind.At("beyond", fmt.Errorf("%s", kind.UnknownWord("word", s.Beyond, []string{establishedDrop, establishedReset})))
		}
		return crowded{target, *s.Most, s.Beyond == establishedReset}, nil
	})
}

func (c crowded) Kind() string   { return "connections" }
func (c crowded) Target() Target { return c.target }

// Rules implements [Fault]. Counted are the connections that were opened while the
// fault acts, to all of the target's addresses together; each counts until it is closed.
func (c crowded) Rules(Family) []Rule {
	action := []string{"-j", "DROP"}
	if c.reset {
		action = []string{"-j", "REJECT", "--reject-with", "tcp-reset"}
	}
	return []Rule{{
		Match:  []string{"--syn", "-m", "connlimit", "--connlimit-above", strconv.Itoa(int(c.most)), "--connlimit-mask", "0"},
		Action: action,
	}}
}
