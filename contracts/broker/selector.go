package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
)

// A Selector says which versions of the consumers count, as the broker reads it
// (https://docs.pact.io/pact_broker/advanced_topics/consumer_version_selectors).
type Selector struct {
	MainBranch         bool   `json:"mainBranch,omitempty" yaml:"mainBranch"`
	Branch             string `json:"branch,omitempty" yaml:"branch"`
	FallbackBranch     string `json:"fallbackBranch,omitempty" yaml:"fallbackBranch"`
	MatchingBranch     bool   `json:"matchingBranch,omitempty" yaml:"matchingBranch"`
	Tag                string `json:"tag,omitempty" yaml:"tag"`
	FallbackTag        string `json:"fallbackTag,omitempty" yaml:"fallbackTag"`
	Latest             bool   `json:"latest,omitempty" yaml:"latest"`
	Consumer           string `json:"consumer,omitempty" yaml:"consumer"`
	DeployedOrReleased bool   `json:"deployedOrReleased,omitempty" yaml:"deployedOrReleased"`
	Deployed           bool   `json:"deployed,omitempty" yaml:"deployed"`
	Released           bool   `json:"released,omitempty" yaml:"released"`
	Environment        string `json:"environment,omitempty" yaml:"environment"`
}

// ParseSelectors reads one selector or a list of them, and holds them to the rules of
// the broker, so that a mistake is told before anything is asked.
func ParseSelectors(text string) ([]Selector, error) {
	raw := bytes.TrimSpace([]byte(text))
	if bytes.HasPrefix(raw, []byte("{")) {
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf(`got %s, want a selector or a list of them, such as {"mainBranch": true}: %w`, clip(text), err)
	}
	if len(list) == 0 {
		return nil, errors.New(`got an empty list, want at least one selector, such as {"mainBranch": true}`)
	}
	var out []Selector
	for i, fields := range list {
		s, err := selectorOf(fields)
		if err != nil {
			return nil, fmt.Errorf("selector %d: %w", i+1, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func selectorOf(fields map[string]json.RawMessage) (s Selector, err error) {
	known := []string{
		"mainBranch", "branch", "fallbackBranch", "matchingBranch", "tag", "fallbackTag", "latest",
		"consumer", "deployedOrReleased", "deployed", "released", "environment",
	}
	for key := range fields {
		if !slices.Contains(known, key) {
			return s, errors.New(kind.UnknownWord("key", key, known))
		}
	}
	raw, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return s, fmt.Errorf("%s: got a %s, want a %s", wrong.Field, wrong.Value, wrong.Type)
	}
	if err != nil {
		return s, err
	}
	return s, s.Check()
}

// Check holds the rules that the broker answers with 400 to.
func (s Selector) Check() error {
	branches := s.MainBranch || s.MatchingBranch || s.Branch != "" || s.FallbackBranch != ""
	environments := s.DeployedOrReleased || s.Deployed || s.Released || s.Environment != ""
	others := s
	others.Consumer, others.MainBranch, others.MatchingBranch = "", false, false
	switch {
	case !branches && !environments && s.Tag == "" && !s.Latest:
		return errors.New("got none of mainBranch, branch, tag, latest, matchingBranch, environment, deployed, released, deployedOrReleased, want one")
	case s.MainBranch && s.MatchingBranch:
		return errors.New("got mainBranch and matchingBranch, want one of them")
	case (s.MainBranch || s.MatchingBranch) && others != Selector{Latest: s.Latest}:
		return errors.New("got mainBranch or matchingBranch with something else, want it alone, or with a consumer")
	case s.Tag != "" && s.Branch != "":
		return errors.New("got tag and branch, want one of them")
	case branches && environments:
		return errors.New("got a branch and an environment, want two selectors")
	case s.FallbackTag != "" && (s.Tag == "" || !s.Latest):
		return errors.New("got fallbackTag, want tag and latest beside it")
	case s.FallbackBranch != "" && s.Branch == "":
		return errors.New("got fallbackBranch, want branch beside it")
	}
	return nil
}

func clip(s string) string {
	const most = 60
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
