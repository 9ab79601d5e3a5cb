package sqlite

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/foreshock/foreshock/results"
)

// packed is a Step as the file holds it: one letter a field and nothing that is
// zero, since every result has several and most are ok.
type packed struct {
	Name      string             `json:"n"`
	Parent    int                `json:"p,omitempty"`
	Offset    int64              `json:"o,omitempty"`
	Duration  int64              `json:"d,omitempty"`
	Warning   int64              `json:"w,omitempty"`
	Critical  int64              `json:"c,omitempty"`
	Status    uint8              `json:"s,omitempty"`
	Cause     string             `json:"x,omitempty"`
	Error     string             `json:"e,omitempty"`
	Values    map[string]number  `json:"v,omitempty"`
	Artifacts []results.Artifact `json:"a,omitempty"`
}

// A number is a float64 of which JSON also takes NaN and the infinities.
type number float64

// MarshalJSON writes what JSON has no number for as a string.
func (n number) MarshalJSON() ([]byte, error) {
	s := strconv.FormatFloat(float64(n), 'g', -1, 64)
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		s = `"` + s + `"`
	}
	return []byte(s), nil
}

// UnmarshalJSON reads both forms.
func (n *number) UnmarshalJSON(b []byte) error {
	if len(b) > 1 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	f, err := strconv.ParseFloat(string(b), 64)
	*n = number(f)
	return err
}

func packSteps(steps []results.Step) (string, error) {
	if len(steps) == 0 {
		return "", nil
	}
	out := make([]packed, len(steps))
	for i, s := range steps {
		out[i] = packed{
			Name: s.Name, Parent: s.Parent, Offset: int64(s.Offset), Duration: int64(s.Duration),
			Warning: int64(s.Warning), Critical: int64(s.Critical), Status: uint8(s.Status),
			Cause: string(s.Cause), Error: s.Error, Values: convert[number](s.Values), Artifacts: s.Artifacts,
		}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

func unpackSteps(text string) ([]results.Step, error) {
	if text == "" {
		return nil, nil
	}
	var in []packed
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return nil, err
	}
	out := make([]results.Step, len(in))
	for i, p := range in {
		out[i] = results.Step{
			Name: p.Name, Parent: p.Parent, Offset: time.Duration(p.Offset), Duration: time.Duration(p.Duration),
			Warning: time.Duration(p.Warning), Critical: time.Duration(p.Critical), Status: results.Status(p.Status),
			Cause: results.Cause(p.Cause), Error: p.Error, Values: convert[float64](p.Values), Artifacts: p.Artifacts,
		}
	}
	return out, nil
}

func convert[To, From ~float64](m map[string]From) map[string]To {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]To, len(m))
	for k, v := range m {
		out[k] = To(v)
	}
	return out
}

func packLabels(labels map[string]string) (string, error) {
	if len(labels) == 0 {
		return "", nil
	}
	b, err := json.Marshal(labels)
	return string(b), err
}

func unpackLabels(text string) (labels map[string]string, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &labels)
	}
	return labels, err
}
